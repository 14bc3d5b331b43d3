//! One part of a line that docker cut, and the line that parts make.
//!
//! A part is kept — in memory, and on disk where its sender wants an ack — as one msgpack array:
//! `[tag: str, seconds: int, nanos: uint, id: bin 16, record: map]`, the record as it came; with `source: bin` before the
//! record where its listener says something of the sender.

use std::sync::Arc;

use rmp::encode;

use crate::buffer::PartId;
use crate::decode::{DecodeError, Item, Reader, read_record};
use crate::encode::IdBase;
use crate::event::{Fields, Name, Timestamp, Value};

/// A part as its sender gave it.
pub struct Part<'a> {
    /// The event's tag.
    pub tag: &'a str,
    /// Its time; docker gives every part the first one's.
    pub time: Timestamp,
    /// The place from which its id comes.
    pub id: IdBase,
    /// What is said of its sender, as the input has it; empty for nothing.
    pub source: &'a [u8],
    /// The record's bytes.
    pub record: &'a [u8],
}

impl<'a> Part<'a> {
    /// The form in which it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.record.len() + self.tag.len() + self.source.len() + 48);
        // why: without a source it is the form that releases before this one know.
        let items = if self.source.is_empty() { 5 } else { 6 };
        let mut written = encode::write_array_len(&mut bytes, items)
            .and_then(|_| encode::write_str(&mut bytes, self.tag))
            .and_then(|()| encode::write_sint(&mut bytes, self.time.seconds()))
            .and_then(|_| encode::write_uint(&mut bytes, u64::from(self.time.nanos())))
            .and_then(|_| encode::write_bin(&mut bytes, &self.id.to_bytes()));
        if !self.source.is_empty() {
            written = written.and_then(|()| encode::write_bin(&mut bytes, self.source));
        }
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        bytes.extend_from_slice(self.record);
        bytes
    }

    /// Reads the form in which it is kept.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let wrong = DecodeError::Unexpected { what: "a kept part of another form", offset: 0 };
        let (Item::Array(items @ 5..=6), Item::Text(tag)) = (reader.item()?, reader.item()?) else {
            return Err(wrong);
        };
        let seconds = match reader.item()? {
            Item::Unsigned(seconds) => i64::try_from(seconds).ok(),
            Item::Signed(seconds) => Some(seconds),
            _ => None,
        };
        let (Item::Unsigned(nanos), Item::Binary(id)) = (reader.item()?, reader.item()?) else {
            return Err(wrong);
        };
        let source = match items {
            5 => &[][..],
            _ => match reader.item()? {
                Item::Binary(source) => source,
                _ => return Err(wrong),
            },
        };
        let time = seconds
            .zip(u32::try_from(nanos).ok())
            .and_then(|(seconds, nanos)| Timestamp::new(seconds, nanos));
        let (Some(time), Ok(id), Ok(tag)) = (time, id.try_into(), str::from_utf8(tag)) else {
            return Err(wrong);
        };
        Ok(Self { tag, time, id: IdBase::from_bytes(id), source, record: reader.rest() })
    }
}

/// What docker says of a part, in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// `partial_id`: the line it is of.
    pub(super) line: &'a [u8],
    /// `partial_ordinal`, from 1.
    pub(super) ordinal: u32,
    /// `partial_last`.
    pub(super) last: bool,
}

impl<'a> Place<'a> {
    /// Reads it; `None` where the record is no part, or one from an engine that gives parts no names.
    pub(super) fn of(fields: &'a Fields<'_>) -> Option<Self> {
        let line = fields.text("partial_id").filter(|line| !line.is_empty())?;
        let ordinal = str::from_utf8(fields.text("partial_ordinal")?).ok()?.parse().ok()?;
        let last = fields.text("partial_last") == Some(b"true");
        (ordinal > 0).then_some(Self { line, ordinal, last })
    }
}

/// A line made whole, or as whole as it will be.
pub struct Line {
    /// The tag of its events.
    pub tag: Arc<str>,
    /// Its time.
    pub time: Timestamp,
    /// The first part's id.
    pub id: IdBase,
    /// The first line's `event.sequence`, where that is known; one of an earlier run is not.
    pub sequence: Option<u64>,
    /// What is said of the first part's sender; empty for nothing.
    pub source: Vec<u8>,
    /// The first part's record.
    pub record: Vec<u8>,
    /// The line.
    pub text: Vec<u8>,
    /// Where something of it is missing, the field that says so.
    pub incomplete: Option<&'static str>,
    /// Its parts that are kept on disk, obsolete as soon as the line is safe.
    pub kept: Vec<PartId>,
}

impl Line {
    /// The line `text` in place of that of `first`.
    pub(super) fn of_part(first: &Part<'_>, text: Vec<u8>, incomplete: Option<&'static str>) -> Self {
        Self {
            tag: first.tag.into(),
            time: first.time,
            id: first.id,
            sequence: None,
            source: first.source.to_vec(),
            record: first.record.to_vec(),
            text,
            incomplete,
            kept: Vec::new(),
        }
    }

    /// Puts the text in the place of the first part's, among that part's `fields`.
    pub fn put_into<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.retain(|name| !name.starts_with("partial_"));
        let is_message = fields.get("log").is_none() && fields.get("message").is_some();
        let name = if is_message { "message" } else { "log" };
        fields.set(Name::from(name), Value::Text(&self.text));
        if let Some(name) = self.incomplete {
            fields.set(Name::from(name), Value::Bool(true));
        }
    }

    /// How many lines the text has.
    pub fn lines(&self) -> usize {
        memchr::memchr_iter(b'\n', &self.text).count() + 1
    }

    /// Joins the parts, in their order.
    pub(super) fn join<'a>(
        parts: impl Iterator<Item = &'a [u8]>,
        incomplete: Option<&'static str>,
    ) -> Option<Self> {
        let mut line: Option<Self> = None;
        for bytes in parts {
            let Ok(part) = Part::from_bytes(bytes) else { continue };
            let joined = line.get_or_insert_with(|| Self::of_part(&part, Vec::new(), incomplete));
            let mut fields = Fields::default();
            if read_record(part.record, &mut fields).is_ok() {
                joined.text.extend_from_slice(fields.text("log").unwrap_or_default());
            }
        }
        line
    }
}
