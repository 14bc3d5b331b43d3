//! The lines of gunicorn that are of no request, and those of hypercorn: `[TIME +0000] [PID] [LEVEL] MESSAGE`.
//!
//! <https://docs.gunicorn.org/en/stable/settings.html#logging>, `error_fmt` and `datefmt` in `gunicorn/glogging.py`.

use nom::Parser;

use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{byte, digits, exact, until};

/// Reads a line of its error log.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, ()) = byte(b'[').parse_complete(line).ok()?;
    let (rest, said) = forms::iso(rest).ok()?;
    let (rest, _) = exact("] [").parse_complete(rest).ok()?;
    let (rest, pid) = digits(rest).ok()?;
    let (rest, _) = exact("] [").parse_complete(rest).ok()?;
    let (rest, word) = until(b']').parse_complete(rest).ok()?;
    let (message, ()) = byte(b' ').parse_complete(rest).ok()?;
    let level = match word {
        "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL" => Level::of_word(word)?,
        _ => return None,
    };
    said.offset?;
    sink.said(said)?;
    sink.leveled(Some(level), word);
    sink.number(known::PID, pid);
    sink.message(message);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        assert!(fits(read, "[2026-11-28 12:11:04 +0000] [7570] [INFO] Starting"));
        for line in [
            "[2026-11-28 12:11:04] [7570] [INFO] Starting",
            "[2026-11-28 12:11:04 +0000] [app] [INFO] Starting",
            "[2026-11-28 12:11:04 +0000] [7570] [started] Starting",
            "[2026-11-28 12:11:04 +0000] [7570] Starting",
            "2026-11-28 12:11:04 +0000] [7570] [INFO] Starting",
        ] {
            assert!(!fits(read, line), "{line}");
        }
    }
}
