"""Sends numbered events with the official Python logger.

Usage: send.py HOST PORT TAG COUNT. One event a number from 0, at one second after another with the number in the
nanoseconds, so that a reader can tell whether a time arrived whole. The logger knows no acknowledgements: it exits 1
when an event could not be written to the socket.
"""

import sys

from fluent import sender


def main(host, port, tag, count):
    logger = sender.FluentSender(tag, host=host, port=int(port), timeout=30.0, nanosecond_precision=True)
    for number in range(int(count)):
        at = sender.EventTime.from_unix_nano((1700000000 + number) * 10**9 + 123456000 + number)
        record = {"sequence": number, "logger": "python", "nested": {"yes": True}}
        if not logger.emit_with_time(None, at, record):
            return f"event {number}: {logger.last_error}"
    logger.close()
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
