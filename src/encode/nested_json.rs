//! Objects and arrays inside a line's JSON, written again member by member, so that their names and depth are legal too.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text;
use super::value::{Names, ValueWriter, dots};
use crate::event::Fields;
use crate::parse::BorrowedName;

/// Writes the object `json`, whose members stand at `depth`.
pub(super) fn object(writer: &mut ValueWriter<'_>, json: &str, depth: usize) {
    let plain = |writer: &mut ValueWriter<'_>| plain_object(writer, json, depth);
    writer.plain_or_collected(plain, |writer| collected_object(writer, json, depth));
}

/// Whether all could be written as they came.
fn plain_object(writer: &mut ValueWriter<'_>, json: &str, depth: usize) -> bool {
    writer.out.push(b'{');
    let members = Members { writer: &mut *writer, depth, names: Names::default(), first: true };
    let plain = serde_json::Deserializer::from_str(json).deserialize_map(members).unwrap_or(false);
    writer.out.push(b'}');
    plain
}

/// The slow way, for an object with a name that is escaped, must be mended, or is repeated.
fn collected_object(writer: &mut ValueWriter<'_>, json: &str, depth: usize) {
    let mut fields = Fields::default();
    match crate::parse::json_object(json, depth, &mut fields) {
        Ok(()) => {
            fields.settle();
            writer.object(&fields, depth);
        }
        // More members than an index has fields, or a name that is half a character: its text is kept.
        Err(_) => text::write_str(writer.out, json),
    }
}

/// Writes the array `json`, whose members stand at `depth`.
pub(super) fn array(writer: &mut ValueWriter<'_>, json: &str, depth: usize) {
    let start = writer.out.len();
    writer.out.push(b'[');
    let elements = Elements { writer: &mut *writer, depth };
    match serde_json::Deserializer::from_str(json).deserialize_seq(elements) {
        Ok(()) => writer.out.push(b']'),
        Err(_) => {
            writer.out.truncate(start);
            text::write_str(writer.out, json);
        }
    }
}

struct Members<'w, 'o, 'de> {
    writer: &'w mut ValueWriter<'o>,
    depth: usize,
    names: Names<'de>,
    first: bool,
}

impl<'de> Visitor<'de> for Members<'_, '_, 'de> {
    /// Whether all could be written as they came.
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        while let Some((name, value)) = map.next_entry::<BorrowedName<'de>, &RawValue>()? {
            if !matches!(name.0, Cow::Borrowed(name) if self.member(name, value)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'de> Members<'_, '_, 'de> {
    fn member(&mut self, name: &'de str, value: &RawValue) -> bool {
        if !self.names.note(name.as_bytes(), self.depth) {
            return false;
        }
        self.writer.separate(self.first);
        self.first = false;
        text::write_str(self.writer.out, name);
        self.writer.out.push(b':');
        let goes_deeper = value.get().starts_with(['{', '[']);
        self.writer.raw(value, if goes_deeper { self.depth + dots(name.as_bytes()) } else { self.depth });
        true
    }
}

struct Elements<'w, 'o> {
    writer: &'w mut ValueWriter<'o>,
    depth: usize,
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut first = true;
        while let Some(value) = elements.next_element::<&RawValue>()? {
            self.writer.separate(first);
            first = false;
            self.writer.raw(value, self.depth);
        }
        Ok(())
    }
}
