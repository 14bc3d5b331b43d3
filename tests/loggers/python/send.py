"""Sends numbered events with the official Python logger.

It knows no acknowledgements, no TLS and no shared key. What it could not write it keeps, and writes it before the next
event, so a failure in the middle is none yet: it exits 1 when the last events could not be written.
"""

import os
import sys
import time

from fluent import sender


def main(host, port, tag, count):
    if os.environ.get("LOGGER_CA") or os.environ.get("LOGGER_SHARED_KEY"):
        print("this logger knows neither TLS nor a shared key", file=sys.stderr)
        return 2
    pause = int(os.environ.get("LOGGER_PAUSE_MS", "0")) / 1000
    logger = sender.FluentSender(tag, host=host, port=int(port), timeout=30.0, nanosecond_precision=True)
    for number in range(int(count)):
        at = sender.EventTime.from_unix_nano((1700000000 + number) * 10**9 + 123456000 + number)
        record = {"sequence": number, "logger": "python", "nested": {"yes": True}}
        written = logger.emit_with_time(None, at, record)
        time.sleep(pause)
    logger.close()
    return 0 if written else f"not written: {logger.last_error}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
