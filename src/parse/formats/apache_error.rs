//! Apache's error log: `[TIME] [MODULE:LEVEL] [pid PID:tid TID] FILE(LINE): (CODE)ERROR: [client ADDRESS] MESSAGE, referer: …`.
//!
//! From `FILE` on, each part is there where Apache knows it. The default of `ErrorLogFormat`,
//! <https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat>, and that of 2.2, which has a level without a module and no process. Messages keep
//! the number that they begin with, `AH01234`. The time is in the server's zone.

use nom::Parser;

use super::http;
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{byte, digits, exact, until};

const MODULE: Known = Known::new("module", "apache.error.module");
const CODE: Known = Known::new("code", "event.code");

/// Reads a line of an error log.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, ()) = byte(b'[').parse_complete(line).ok()?;
    let (rest, said) = forms::ctime(rest).ok()?;
    let (rest, _) = exact("] [").parse_complete(rest).ok()?;
    let (rest, word) = until(b']').parse_complete(rest).ok()?;
    let (module, word) = word.split_once(':').unwrap_or(("", word));
    let level = level(word)?;
    let (rest, ()) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, is_of_now) = process(rest, sink).map_or((rest, false), |rest| (rest, true));
    sink.said(said)?;
    sink.leveled(Some(level), word);
    sink.text(MODULE, module);
    let rest = source(rest, sink);
    let rest = failure(rest, sink);
    let rest = client(rest, is_of_now, sink);
    message(rest, sink);
    Some(())
}

/// Apache's, of which eight are of traces.
fn level(word: &str) -> Option<Level> {
    match word {
        "emerg" | "alert" | "crit" | "error" | "warn" | "notice" | "info" | "debug" => Level::of_word(word),
        _ => matches!(word.as_bytes(), [b't', b'r', b'a', b'c', b'e', b'1'..=b'8']).then_some(Level::Trace),
    }
}

/// `[pid 9004:tid 9021] `, of servers that have threads, else `[pid 9004] `; answers what follows.
fn process<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (rest, pid) = digits(text.strip_prefix("[pid ")?).ok()?;
    let (rest, thread) = match rest.strip_prefix(":tid ") {
        Some(rest) => digits(rest).ok()?,
        None => (rest, ""),
    };
    let rest = rest.strip_prefix("] ")?;
    sink.number(known::PID, pid);
    sink.number(known::THREAD_ID, thread);
    Some(rest)
}

/// `mod_rewrite.c(5244): `, which Apache has of what it says to those who debug.
fn source<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    let read = || {
        let (file, rest) = text.split_once('(')?;
        let (rest, line) = digits(rest).ok()?;
        Some((rest.strip_prefix("): ")?, file, line))
            .filter(|_| file.ends_with(".c") || file.ends_with(".cpp"))
    };
    let Some((rest, file, line)) = read().filter(|(_, file, _)| !file.contains(' ')) else { return text };
    sink.text(known::FILE, file);
    sink.number(known::LINE, line);
    rest
}

/// `(13)Permission denied: `
fn failure<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    let read = || {
        let inside = text.strip_prefix('(')?;
        let (rest, code) = digits(inside.strip_prefix("OS ").unwrap_or(inside)).ok()?;
        let (error, rest) = rest.strip_prefix(')')?.split_once(": ")?;
        Some((rest, code, error))
    };
    let Some((rest, code, error)) = read() else { return text };
    sink.text(known::ERROR_CODE, code);
    sink.text(known::ERROR, error.trim_end_matches(' '));
    rest
}

/// `[client 127.0.0.1:48826] `, or the same of a `remote` that is none; before 2.4 without the port.
fn client<'a>(text: &'a str, has_port: bool, sink: &mut Sink<'_, 'a>) -> &'a str {
    let address = text.strip_prefix("[client ").or_else(|| text.strip_prefix("[remote "));
    let Some((address, rest)) = address.and_then(|address| address.split_once("] ")) else { return text };
    if has_port {
        http::client(address, sink);
    } else {
        sink.client(address);
    }
    rest
}

/// The rest; the number that the message begins with, and the referrer behind it, have fields too.
fn message<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let (text, referrer) = text.rsplit_once(", referer: ").unwrap_or((text, ""));
    if let Some((code, _)) = text.split_once(": ").filter(|(code, _)| is_code(code)) {
        sink.text(CODE, code);
    }
    sink.text(known::REFERRER, referrer);
    sink.message(text);
}

fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix("AH").map(str::as_bytes).unwrap_or_default();
    digits.len() == 5 && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        let line = "[Sat Nov 28 12:11:49.361955 2026] [proxy:error] [pid 9004:tid 9023] down";
        assert!(fits(read, line) && fits(read, &line.replacen("proxy:error", "error", 1)));
        for (from, to) in [
            ("[", ""),
            ("Sat ", ""),
            (" 2026", ""),
            ("error", "loud"),
            ("error", "trace9"),
            ("] [", "]["),
            ("error]", "error"),
        ] {
            assert!(!fits(read, &line.replacen(from, to, 1)), "{from} as {to}");
        }
    }
}
