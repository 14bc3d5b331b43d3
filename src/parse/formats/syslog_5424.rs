//! The newer form of syslog: rsyslog's `RSYSLOG_SyslogProtocol23Format`, syslog-ng's `syslog()`, `logger --rfc5424`.
//!
//! `<PRI>1 TIME HOST PROGRAM PID MSGID [ID NAME="VALUE" …]… MESSAGE`, `-` where there is nothing. A name of structured data is
//! `structured_data.ID.NAME`; of one that comes twice within an element, which the RFC allows, the last is kept.
//! <https://www.rfc-editor.org/rfc/rfc5424#section-6>
//!
//! More than the RFC is read in one place: nanoseconds. rsyslog puts a second blank in front of a message, which is not its own.

use bumpalo::Bump;
use bumpalo::collections::String;

use super::syslog;
use crate::event::blocks::{self, element_ends};
use crate::event::{Name, Value};
use crate::parse::known::{self, Known};
use crate::parse::sink::{SURELY_SHORT, Sink, dotted};
use crate::parse::stops::{Kind, Stops};
use crate::parse::time::forms;

const STRUCTURED_DATA: Known = Known::new("structured_data", "log.syslog.structured_data");

/// What is looked for behind the time.
struct Ends;

impl Kind for Ends {
    #[inline]
    fn bits(text: &[u8]) -> u64 {
        element_ends(text)
    }
}

/// Version 1 is the only one there is.
// Inlined, it would share its registers with all other formats.
#[inline(never)]
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, pri) = syslog::pri(line).ok()?;
    let (rest, has_time) = time(rest.strip_prefix("1 ")?, sink)?;
    let mut stops = Stops::new(rest);
    let (at, host) = stops.until(b' ', 0)?;
    let (at, program) = stops.until(b' ', at)?;
    let (at, process) = stops.until(b' ', at)?;
    let (at, message_id) = stops.until(b' ', at)?;
    for (known, text) in [(known::HOST, host), (known::PROGRAM, program)] {
        sink.text_here(known, text);
    }
    syslog::process(process, sink);
    sink.text(known::MESSAGE_ID, message_id);
    let end = structured_data(at, &mut stops, sink)?;
    let rest = stops.rest(end)?;
    syslog::priority(pri, sink);
    let message = match rest.strip_prefix(' ') {
        Some(message) => message.strip_prefix(['\u{feff}', ' ']).unwrap_or(message),
        None => rest.is_empty().then_some("")?,
    };
    // Its zone belongs to the time.
    syslog::message(message, has_time, sink);
    Some(())
}

/// The time with its offset, or none; what follows its blank, and whether there is one.
fn time<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<(&'a str, bool)> {
    if let Some(rest) = text.strip_prefix("- ") {
        return Some((rest, false));
    }
    let Ok((rest, said)) = forms::iso_here(text) else { return None };
    said.offset?;
    sink.said(said)?;
    Some((rest.strip_prefix(' ')?, true))
}

/// `-`, or elements, at `at`; where what follows them begins.
fn structured_data<'a>(at: usize, stops: &mut Stops<'a, Ends>, sink: &mut Sink<'_, 'a>) -> Option<usize> {
    if stops.byte(at) == Some(b'-') {
        return Some(at + 1);
    }
    let mut end = element(at, stops, sink)?;
    while stops.byte(end) == Some(b'[') {
        end = element(end, stops, sink)?;
    }
    Some(end)
}

/// `[ID NAME="VALUE" …]` at `at`; where what follows it begins.
fn element<'a>(at: usize, stops: &mut Stops<'a, Ends>, sink: &mut Sink<'_, 'a>) -> Option<usize> {
    let begin = (stops.byte(at) == Some(b'[')).then_some(at + 1)?;
    let (mut at, id) = name(begin, stops)?;
    let is_plain = !has_dot(id);
    while stops.byte(at) == Some(b' ') && sink.has_room() {
        let (end, name) = name(at + 1, stops)?;
        let (after, value, has_backslash) =
            (stops.byte(end) == Some(b'=')).then(|| stops.quoted(end + 1))??;
        let value = if has_backslash { unescaped(value, sink.arena) } else { value };
        let full = dotted(&[STRUCTURED_DATA.name(sink.style.schema), id, name], sink.arena);
        if is_plain && full.len() <= SURELY_SHORT && !has_dot(name) {
            *sink.legal(Name::any(full)) = Value::Text(value.as_bytes());
        } else {
            sink.named(full, Value::Text(value.as_bytes()));
        }
        at = after;
    }
    (stops.byte(at) == Some(b']')).then_some(at + 1)
}

/// A name at `at`, and where it ends.
#[inline(always)]
fn name<'a>(at: usize, stops: &mut Stops<'a, Ends>) -> Option<(usize, &'a str)> {
    let mut end = stops.next(at)?;
    // A backslash means something in values alone.
    while end.1 == b'\\' {
        end = stops.next(end.0 + 1)?;
    }
    stops.piece(at, end.0).filter(|name| !name.is_empty()).map(|name| (end.0, name))
}

fn has_dot(text: &str) -> bool {
    blocks::have(text.as_bytes(), b'.')
}

/// Only `\"`, `\\` and `\]` mean something (section 6.3.3); before anything else a backslash is one.
fn unescaped<'a>(value: &'a str, arena: &'a Bump) -> &'a str {
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
