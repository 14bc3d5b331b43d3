//! Kinds that are lines of text: what the first of them says of itself.

use super::{Documents, Kind};
use crate::decode::{Body, Frame, Item, JsonScan, Reader, Scanned, json_to_msgpack};

/// Members of a first line that are looked at.
const MEMBERS: usize = 24;

/// What `_bulk` knows of in an action, beside names with `_` in front.
const OF_ACTIONS: [&[u8]; 8] = [
    b"routing",
    b"pipeline",
    b"version",
    b"version_type",
    b"if_seq_no",
    b"if_primary_term",
    b"require_alias",
    b"dynamic_templates",
];

/// The kind, where the first line is one of these.
pub(super) fn of(text: &[u8]) -> Option<Kind> {
    let (line, rest) = match memchr::memchr(b'\n', text) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    match line.first()? {
        b'[' => is_forward(text).then_some(Kind::Forward),
        b'{' => of_object(line, rest),
        _ => is_out_file(line).then_some(Kind::OutFile),
    }
}

fn of_object(line: &[u8], rest: Option<&[u8]>) -> Option<Kind> {
    let members = members(line);
    let has = |name: &[u8], first: u8| members.contains(&(name, first));
    match members.as_slice() {
        [(b"@timestamp", b'"'), (b"event.sequence", b'0'..=b'9'), ..] => {
            Some(Kind::Documents(Documents::Bare))
        }
        [(b"time", b'"'), ..]
            if has(b"reason", b'"') && has(b"type", b'"') && has(b"error", b'"') && has(b"tag", b'"') =>
        {
            Some(Kind::DeadLetters)
        }
        [(name, b'{')] if rest.is_some() => {
            is_bulk(name, line, rest?).then_some(Kind::Documents(Documents::Bulk))
        }
        _ if has(b"_source", b'{') && (has(b"_id", b'"') || has(b"_index", b'"')) => {
            Some(Kind::Documents(Documents::Dump))
        }
        _ => None,
    }
}

/// A member's name, and the first byte of its value.
type Member<'t> = (&'t [u8], u8);

/// An object's members; of a line that is cut, those that are there.
fn members(line: &[u8]) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    let mut rest = line.get(1..).unwrap_or_default();
    while members.len() < MEMBERS
        && let Some((member, after)) = member(rest)
    {
        members.push(member);
        let Some(after) = after else { break };
        rest = after;
    }
    members
}

/// The member that `text` begins with, and what comes behind its comma.
fn member(text: &[u8]) -> Option<(Member<'_>, Option<&[u8]>)> {
    let text = text.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', text)?;
    let name = text.get(..end)?;
    let value = text.get(end + 1..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let member = (name, *value.first()?);
    Some((member, behind(value)))
}

/// What comes behind the value that `text` begins with and a comma.
fn behind(text: &[u8]) -> Option<&[u8]> {
    let length = match text.first()? {
        b'{' | b'[' => match JsonScan::new(u64::MAX).advance(text) {
            Ok(Scanned::Complete(length)) => length,
            _ => return None,
        },
        b'"' => {
            let mut at = 1;
            loop {
                at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
                match text.get(at)? {
                    b'"' => break at + 1,
                    _ => at += 2,
                }
            }
        }
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}'))?,
    };
    text.get(length..)?.trim_ascii_start().strip_prefix(b",")
}

/// Whether `line` is an action and what follows is what has to follow.
fn is_bulk(name: &[u8], line: &[u8], rest: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let is_action = matches!(name, b"create" | b"index" | b"delete" | b"update");
    let Some(at) = memchr::memchr(b':', line).filter(|_| is_action && line.ends_with(b"}")) else {
        return false;
    };
    let action = line.get(at + 1..).unwrap_or_default().trim_ascii_start();
    let is_known = |name: &[u8]| name.starts_with(b"_") || OF_ACTIONS.contains(&name);
    members(action).iter().all(|(name, _)| is_known(name)) && rest.first() == Some(&b'{')
}

/// A frame in JSON: `["tag",[[time,{…}],…]…` or `["tag",time,{…}…`.
fn is_forward(text: &[u8]) -> bool {
    let Ok(Scanned::Complete(length)) = JsonScan::new(u64::MAX).advance(text) else {
        return text.starts_with(b"[\"") && is_cut_forward(text);
    };
    let mut frame = Vec::new();
    if json_to_msgpack(text.get(..length).unwrap_or_default(), &mut frame).is_err() {
        return false;
    }
    match Frame::read(&frame) {
        Ok(Some(Frame { body: Body::Message(event), .. })) => is_event(&mut Reader::new(event)),
        Ok(Some(Frame { body: Body::Forward(1.., entries), .. })) => {
            let mut entries = Reader::new(entries);
            entries.item() == Ok(Item::Array(2)) && is_event(&mut entries)
        }
        _ => false,
    }
}

/// A time, and a record behind it.
fn is_event(reader: &mut Reader<'_>) -> bool {
    matches!(reader.item(), Ok(Item::Unsigned(_) | Item::Double(_) | Item::Nil))
        && matches!(reader.item(), Ok(Item::Map(_)))
}

/// A frame of many entries, of which the first are there.
fn is_cut_forward(text: &[u8]) -> bool {
    let tag = text.get(2..).unwrap_or_default();
    let behind = memchr::memchr2(b'"', b'\\', tag).and_then(|end| tag.get(end + 1..)).unwrap_or_default();
    let entries = behind.trim_ascii_start().strip_prefix(b",").unwrap_or_default().trim_ascii_start();
    entries.strip_prefix(b"[").is_some_and(|entry| entry.trim_ascii_start().starts_with(b"["))
}

/// `TIME\tTAG\tJSON`, the time as Fluentd writes it.
fn is_out_file(line: &[u8]) -> bool {
    let mut parts = line.splitn(3, |byte| *byte == b'\t');
    let (Some(time), Some(tag), Some(json)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_time = str::from_utf8(time).is_ok_and(|time| time.parse::<jiff::Timestamp>().is_ok());
    is_time && !tag.is_empty() && !tag.contains(&b' ') && json.starts_with(b"{")
}
