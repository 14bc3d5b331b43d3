//! uvicorn's lines, of its start, its faults and each request: `LEVEL:`, blanks up to the eleventh column, and the message,
//! or `CLIENT:PORT - "REQUEST" STATUS PHRASE`.
//!
//! <https://github.com/encode/uvicorn/blob/master/uvicorn/logging.py>. No line has a time. `CRITICAL: ` fills the columns with a single blank, so that
//! lines of that level can not be told from prose, and are left.

use super::http;
use crate::event::Value;
use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::token::quoted;

/// Where messages begin.
const COLUMN: usize = 10;

/// Reads a line of any of its loggers.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (prefix, text) = line.split_at_checked(COLUMN)?;
    let (word, blanks) = prefix.split_once(':')?;
    let level = match word {
        "TRACE" | "DEBUG" | "INFO" | "WARNING" | "ERROR" => Level::of_word(word)?,
        _ => return None,
    };
    if !blanks.bytes().all(|byte| byte == b' ') || matches!(text.as_bytes(), [] | [b' ', b' ', ..]) {
        return None;
    }
    sink.leveled(Some(level), word);
    if access(text, sink).is_none() {
        sink.message(text);
    }
    Some(())
}

/// A request; the client is empty where it came over a socket of this machine.
fn access<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (client, rest) = text.split_once(" - ")?;
    let (rest, request) = quoted(rest).ok()?;
    let rest = rest.strip_prefix(' ')?;
    let (status, _phrase) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_status =
        matches!(status.as_bytes(), [b'1'..=b'9', b, c] if b.is_ascii_digit() && c.is_ascii_digit());
    if !is_status || client.contains(' ') {
        return None;
    }
    http::client(client, sink);
    sink.value(known::STATUS, Value::Scalar(status));
    http::request(request, sink);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn only_messages_in_their_column_are_of_it() {
        assert!(fits(read, "INFO:     Started") && fits(read, "WARNING:  Invalid HTTP request received."));
        assert!(fits(read, "INFO:      - \"GET / HTTP/1.1\" 200 OK"));
        for line in [
            "INFO: Started",
            "INFO:    Started",
            "INFO:       Started",
            "INFO:     ",
            "CRITICAL: down",
            "NOTES:    ",
            "Total:    3 files",
            "ERROR:   größer",
        ] {
            assert!(!fits(read, line), "{line}");
        }
    }
}
