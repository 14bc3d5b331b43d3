//! The newer form of syslog: rsyslog's `RSYSLOG_SyslogProtocol23Format`, syslog-ng's `syslog()`, `logger --rfc5424`.
//!
//! `<PRI>1 TIME HOST PROGRAM PID MSGID [ID NAME="VALUE" …]… MESSAGE`, `-` where there is nothing. A name of structured data is
//! `structured_data.ID.NAME`; of one that comes twice within an element, which the RFC allows, the last is kept.
//! <https://www.rfc-editor.org/rfc/rfc5424#section-6>
//!
//! More than the RFC is read in one place: nanoseconds. rsyslog puts a second blank in front of a message, which is not its own.

use bumpalo::Bump;
use bumpalo::collections::String;
use nom::Parser;

use super::syslog;
use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, dotted};
use crate::parse::time::forms::{self, Said};
use crate::parse::token::{Read, byte, exact, quoted, run, until};

const STRUCTURED_DATA: Known = Known::new("structured_data", "log.syslog.structured_data");

/// Version 1 is the only one there is.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, pri) = syslog::pri(line).ok()?;
    let (rest, _) = exact("1 ").parse_complete(rest).ok()?;
    let (rest, said) = time(rest, sink)?;
    let (rest, host) = until(b' ').parse_complete(rest).ok()?;
    let (rest, program) = until(b' ').parse_complete(rest).ok()?;
    let (rest, process) = until(b' ').parse_complete(rest).ok()?;
    let (rest, message_id) = until(b' ').parse_complete(rest).ok()?;
    sink.text(known::HOST, host);
    sink.text(known::PROGRAM, program);
    syslog::process(process, sink);
    sink.text(known::MESSAGE_ID, message_id);
    let rest = structured_data(rest, sink)?;
    syslog::priority(pri, sink);
    let message = match rest.strip_prefix(' ') {
        Some(message) => message.strip_prefix(['\u{feff}', ' ']).unwrap_or(message),
        None => rest.is_empty().then_some("")?,
    };
    syslog::message(message, said, sink);
    Some(())
}

/// The time with its offset, or none; what follows its blank.
fn time<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<(&'a str, Option<Said>)> {
    if let Some(rest) = text.strip_prefix("- ") {
        return Some((rest, None));
    }
    let (rest, said) = forms::iso(text).ok()?;
    said.offset?;
    sink.said(said)?;
    Some((rest.strip_prefix(' ')?, Some(said)))
}

/// `-`, or elements; what follows them.
fn structured_data<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let mut rest = element(text, sink).ok()?.0;
    while rest.starts_with('[') {
        rest = element(rest, sink).ok()?.0;
    }
    Some(rest)
}

/// `[ID NAME="VALUE" …]`
fn element<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Read<'a, ()> {
    let (rest, ()) = byte(b'[').parse_complete(text)?;
    let (mut rest, id) = name(rest)?;
    while let Some(after) = rest.strip_prefix(' ').filter(|_| sink.has_room()) {
        let (after, name) = name(after)?;
        let (after, ()) = byte(b'=').parse_complete(after)?;
        let (after, value) = quoted(after)?;
        let prefix = STRUCTURED_DATA.name(sink.style.schema);
        let full = dotted(&[prefix, id, name], sink.arena);
        sink.named(full, Value::Text(unescaped(value, sink.arena).as_bytes()));
        rest = after;
    }
    byte(b']').parse_complete(rest)
}

fn name(text: &str) -> Read<'_> {
    run(|byte| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"')).parse_complete(text)
}

/// Only `\"`, `\\` and `\]` mean something (section 6.3.3); before anything else a backslash is one.
fn unescaped<'a>(value: &'a str, arena: &'a Bump) -> &'a str {
    if memchr::memchr(b'\\', value.as_bytes()).is_none() {
        return value;
    }
    let mut text = String::with_capacity_in(value.len(), arena);
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && matches!(next, '"' | '\\' | ']'));
        text.push(escaped.unwrap_or(character));
    }
    text.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_characters_are_escaped_in_values() {
        let arena = Bump::new();
        for (value, text) in
            [(r#"a\"b\"\]"#, r#"a"b"]"#), (r"C:\\temp\n", r"C:\temp\n"), (r"\", r"\"), ("ä", "ä")]
        {
            assert_eq!(unescaped(value, &arena), text);
        }
    }
}
