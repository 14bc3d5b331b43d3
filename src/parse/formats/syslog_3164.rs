//! The older form of syslog, on the wire and as the daemons write it to files.
//!
//! | layout | from |
//! |---|---|
//! | `<PRI>Mmm dd hh:mm:ss HOST PROGRAM[PID]: MESSAGE` | RFC 3164, and rsyslog's `RSYSLOG_TraditionalForwardFormat` |
//! | `<PRI>Mmm dd hh:mm:ss PROGRAM[PID]: MESSAGE` | C's `syslog()`, busybox |
//! | `<PRI>Mmm dd yyyy hh:mm:ss: %ASA-…: MESSAGE` | Cisco |
//! | `<PRI>2024-01-15T10:30:45.123456+01:00 HOST …` | rsyslog's `RSYSLOG_ForwardFormat` |
//! | `Mmm dd hh:mm:ss HOST PROGRAM[PID]: MESSAGE` | files, `journalctl` |
//! | `2024-01-15T10:30:45.123456+01:00 HOST …` | files of rsyslog from 8.2210 on, `journalctl -o short-iso` |
//!
//! The program is optional behind a priority. Without one, and unless the format is named, a line is only of this format where
//! host and program are there as daemons write them, since other programs begin their lines with a time too. A year that is not said is
//! the latest by which the line is not ahead of its arrival by days. <https://www.rfc-editor.org/rfc/rfc3164#section-4.1>

use super::syslog;
use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms::{self, Said};
use crate::parse::token::{Read, misfit, until};
use nom::Parser;

/// With a priority or without.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (text, pri) = match syslog::pri(line) {
        Ok((text, pri)) => (text, Some(pri)),
        Err(_) => (line, None),
    };
    let (rest, said) = match (time(text), pri) {
        (Ok(read), _) => read,
        (Err(_), Some(pri)) if sink.is_format_named() => return without_time(text, pri, sink),
        (Err(_), _) => return None,
    };
    let sure = match pri {
        // A date as ISO has it is too common to take the name of the format for enough.
        None if said.has_year || !sink.is_format_named() => Sure::of(text, said)?,
        _ => Sure::Always,
    };
    let (host, rest) = host(rest);
    let (tag, message) = tag(rest);
    sure.holds(host, tag).then_some(())?;
    sink.said(said)?;
    sink.text(known::HOST, host);
    put(tag, message, pri, Some(said), sink);
    Some(())
}

/// `<PRI>` and a text, as Python's handler sends it and RFC 3164 allows: too little to tell the format by.
fn without_time<'a>(text: &'a str, pri: u8, sink: &mut Sink<'_, 'a>) -> Option<()> {
    // A digit is the version or the date of another form.
    (!text.starts_with(|first: char| first.is_ascii_digit())).then_some(())?;
    let (tag, message) = tag(text);
    put(tag, message, Some(pri), None, sink);
    Some(())
}

fn put<'a>(
    tag: Option<Tag<'a>>,
    message: &'a str,
    pri: Option<u8>,
    said: Option<Said>,
    sink: &mut Sink<'_, 'a>,
) {
    if let Some(tag) = tag {
        sink.text(known::PROGRAM, tag.program);
        syslog::process(tag.process, sink);
    }
    if let Some(pri) = pri {
        syslog::priority(pri, sink);
    }
    let message = message.strip_prefix(' ').unwrap_or(message);
    // Python's handler ends a message as C ends its texts.
    let message = message.strip_prefix('\u{feff}').unwrap_or(message).trim_end_matches('\0');
    syslog::message(message, said.is_some_and(|said| said.offset.is_some()), sink);
}

/// What a line needs to surely be syslog's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sure {
    /// Nothing: it has a priority, or the format is named.
    Always,
    /// Host and program.
    Program,
    /// Host, and a program with its id or the kernel.
    Process,
}

impl Sure {
    /// By its time alone: rsyslog prints microseconds and an offset in digits.
    fn of(text: &str, said: Said) -> Option<Self> {
        let at = |index: usize| text.as_bytes().get(index).copied();
        match (at(0), at(10), at(26)) {
            (Some(b'A'..=b'Z'), ..) => Some(Self::Program),
            (_, Some(b'T'), Some(b'+' | b'-')) => Some(Self::Program),
            (_, Some(b'T'), _) => said.offset.map(|_| Self::Process),
            _ => None,
        }
    }

    fn holds(self, host: &str, tag: Option<Tag<'_>>) -> bool {
        if self == Self::Always {
            return true;
        }
        let Some(tag) = tag else { return false };
        let is_word = |text: &str| Level::of_word(text).is_none();
        let has_id = !tag.process.is_empty() && tag.process.bytes().all(|byte| byte.is_ascii_digit());
        !host.is_empty()
            && is_word(host)
            && is_word(tag.program)
            && (self == Self::Program || has_id || tag.program == "kernel")
    }
}

/// `Jan 15 10:30:45 `, with the year as Cisco has it, or RFC 3339's; what follows the blank.
fn time(text: &str) -> Read<'_, Said> {
    let (rest, said) = match text.as_bytes().first() {
        Some(b'0'..=b'9') => forms::iso(text)?,
        _ => forms::syslog(text).or_else(|_| forms::cisco(text))?,
    };
    // Cisco ends it with a colon.
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    match rest.strip_prefix(' ') {
        Some(rest) => Ok((rest, said)),
        None => misfit(),
    }
}

/// The host, and what follows it; none where the next word is a tag already.
fn host(text: &str) -> (&str, &str) {
    match until(b' ').parse_complete(text) {
        Ok((rest, host)) if is_host(host) => (host, rest),
        _ => ("", text),
    }
}

fn is_host(word: &str) -> bool {
    let is_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%' | b'/');
    !word.is_empty() && !word.ends_with(':') && !word.starts_with('%') && word.bytes().all(is_of_name)
}

/// Who says it: `PROGRAM[PID]:`.
#[derive(Clone, Copy)]
struct Tag<'a> {
    program: &'a str,
    process: &'a str,
}

/// The tag, if there is one, and what follows it. Only a tag with an id may lack the colon.
fn tag(text: &str) -> (Option<Tag<'_>>, &str) {
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b'[' | b':')).unwrap_or(text.len());
    let (program, rest) = text.split_at(end);
    let process = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match (process, rest.strip_prefix(':')) {
        _ if program.is_empty() => (None, text),
        (Some((process, rest)), _) if !process.contains(' ') => {
            (Some(Tag { program, process }), rest.strip_prefix(':').unwrap_or(rest))
        }
        (_, Some(rest)) if rest.is_empty() || rest.starts_with(' ') => {
            (Some(Tag { program, process: "" }), rest)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Fields, Timestamp};
    use crate::parse::Style;
    use crate::parse::formats::tests::fits;

    fn parts(text: &str) -> (&str, Option<(&str, &str)>, &str) {
        let (host, rest) = host(text);
        let (tag, message) = tag(rest);
        (host, tag.map(|tag| (tag.program, tag.process)), message)
    }

    #[test]
    fn host_program_and_process_are_told_apart() {
        for (text, host, tag, message) in [
            ("web-1 sshd[7]: m", "web-1", Some(("sshd", "7")), " m"),
            ("su: 'su root' failed", "", Some(("su", "")), " 'su root' failed"),
            ("su[7]: m", "", Some(("su", "7")), " m"),
            ("web-1 su 'su root' failed", "web-1", None, "su 'su root' failed"),
            ("192.0.2.1 myproc[8710] %% m", "192.0.2.1", Some(("myproc", "8710")), " %% m"),
            ("2001:db8::1 a/b.c: m", "2001:db8::1", Some(("a/b.c", "")), " m"),
            ("%ASA-6-302013: m", "", Some(("%ASA-6-302013", "")), " m"),
            ("web-1 http://x", "web-1", None, "http://x"),
            ("alone", "", None, "alone"),
            ("", "", None, ""),
        ] {
            assert_eq!(parts(text), (host, tag, message), "{text}");
        }
    }

    #[test]
    fn a_line_need_not_be_unmistakable_where_the_format_is_named() {
        for line in ["<10>only a text\0", "Nov 28 12:20:11 web-1 no tag", "Nov 28 12:20:11 by UDP"] {
            let (arena, mut fields, style) = (bumpalo::Bump::new(), Fields::default(), Style::default());
            let about = Timestamp::new(1_795_867_200, 0).expect("a time");
            let mut sink = Sink::new(&mut fields, &style, about, &arena).named_format();
            assert_eq!(read(line, &mut sink), Some(()), "{line}");
            assert!(!fits(read, line), "{line}");
        }
    }

    #[test]
    fn without_a_priority_a_line_has_to_be_what_a_daemon_writes() {
        for line in [
            "Nov 28 12:20:10 [notice] Bootstrapped: 100%",
            "Nov 28 12:20:10 starting backup",
            "Nov 28 12:20:10 backup error: no space",
            "Nov 28 12:20:10 INFO main: started",
            "2024-01-15T10:30:45Z worker main: started",
            "2024-01-15T10:30:45 web-1 sshd[7]: no offset",
            "2024-01-15 10:30:45.123456+00:00 web-1 sshd[7]: a blank",
            "2024-01-15T10:30:45.123456+00:00 INFO main: started",
            "12:20:10 web-1 sshd[7]: no date",
        ] {
            assert!(!fits(read, line), "{line}");
        }
    }
}
