//! Kinds that begin with what no text begins with: msgpack, and formats with a magic number of their own.

use super::Kind;
use crate::decode::{Item, Reader};

/// Where a segment of Forebay's own begins.
const SEGMENT: &[u8] = b"FOREBAYS";

/// Where a chunk of Fluent Bit begins, and the metadata of one of Fluentd.
const CHUNK: &[u8] = b"\xc1\x00";

/// Seconds, or milliseconds, that are no small number: msgpack that begins like an entry may be anything else.
const TIMES: std::ops::Range<u64> = 100_000_000..100_000_000_000_000;

/// The kind, where it is one of these.
pub(super) fn of(head: &[u8]) -> Option<Kind> {
    if head.starts_with(SEGMENT) {
        return Some(Kind::Segment);
    }
    if head.starts_with(CHUNK) {
        return of_chunk(head);
    }
    if is_entry(head) {
        return Some(Kind::FluentdChunk);
    }
    is_forward(head).then_some(Kind::Forward)
}

/// Fluent Bit has zeros between checksum and metadata, Fluentd the metadata themselves, a map.
fn of_chunk(head: &[u8]) -> Option<Kind> {
    match (head.get(6), head.get(14..22)) {
        (_, Some([0, 0, 0, 0, 0, 0, 0, 0])) => Some(Kind::FluentBitChunk),
        (Some(0x80..=0x8f | 0xde), _) => Some(Kind::Beside("metadata of a fluentd chunk")),
        _ => None,
    }
}

/// `[time, record`
fn is_entry(head: &[u8]) -> bool {
    let mut reader = Reader::new(head);
    if reader.item() != Ok(Item::Array(2)) {
        return false;
    }
    let is_time = match reader.item() {
        Ok(Item::Array(2)) => is_time(reader.item().ok()) && matches!(reader.item(), Ok(Item::Map(0))),
        item => is_time(item.ok()),
    };
    is_time && matches!(reader.item(), Ok(Item::Map(_)))
}

fn is_time(item: Option<Item<'_>>) -> bool {
    match item {
        Some(Item::Extension(0, bytes)) => bytes.len() == 8,
        Some(Item::Unsigned(number)) => TIMES.contains(&number),
        Some(Item::Double(number)) => (TIMES.start as f64..TIMES.end as f64).contains(&number),
        _ => false,
    }
}

/// A frame, or what a client says before its frames.
fn is_forward(head: &[u8]) -> bool {
    let mut reader = Reader::new(head);
    let (Ok(Item::Array(count @ 2..=6)), Ok(Item::Text(first) | Item::Binary(first))) =
        (reader.item(), reader.item())
    else {
        return false;
    };
    match (count, first) {
        (2, b"HELO") | (6, b"PING") | (5, b"PONG") => true,
        (2..=4, tag) => is_tag(tag) && reader.rest().first().is_some_and(|next| is_body(*next, count)),
        _ => false,
    }
}

fn is_tag(tag: &[u8]) -> bool {
    str::from_utf8(tag).is_ok_and(|tag| !tag.is_empty() && !tag.contains(char::is_control))
}

/// Whether entries, or the time of a message, may begin with this byte.
fn is_body(first: u8, count: u32) -> bool {
    match first {
        0x90..=0x9f | 0xdc | 0xdd | 0xc4..=0xc6 | 0xd9..=0xdb => true,
        0xc0 | 0xc7 | 0xca | 0xcb | 0xce | 0xcf | 0xd2 | 0xd3 | 0xd7 => count > 2,
        _ => false,
    }
}
