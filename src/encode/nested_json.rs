//! Objects and arrays inside a line's JSON, written again member by member, so that their names and depth are legal too.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text;
use super::value::{Names, ValueWriter};
use crate::event::Fields;
use crate::parse::BorrowedName;

/// Writes the object `json`, whose members stand at `depth`.
pub(super) fn object(writer: &mut ValueWriter<'_>, json: &str, depth: usize) {
    let start = writer.out.len();
    writer.out.push(b'{');
    let members = Members { writer: &mut *writer, depth, names: Names::default(), first: true };
    match serde_json::Deserializer::from_str(json).deserialize_map(members) {
        Ok(true) => writer.out.push(b'}'),
        Ok(false) | Err(_) => {
            writer.out.truncate(start);
            collected_object(writer, json, depth);
        }
    }
}

/// The slow way, for an object with a name that is escaped, must be mended, or is repeated.
fn collected_object(writer: &mut ValueWriter<'_>, json: &str, depth: usize) {
    let mut fields = Fields::default();
    match crate::parse::json_object(json, depth, &mut fields) {
        Ok(()) => {
            fields.settle();
            writer.object(&fields, depth);
        }
        // Known to be right JSON; should that ever be wrong, its text is kept rather than a broken document written.
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
        let mut plain = true;
        while let Some((name, value)) = map.next_entry::<BorrowedName<'de>, &RawValue>()? {
            plain = plain && matches!(name.0, Cow::Borrowed(name) if self.member(name, value));
        }
        Ok(plain)
    }
}

impl<'de> Members<'_, '_, 'de> {
    fn member(&mut self, name: &'de str, value: &RawValue) -> bool {
        if !self.names.note(name.as_bytes()) {
            return false;
        }
        self.writer.separate(self.first);
        self.first = false;
        text::write_str(self.writer.out, name);
        self.writer.out.push(b':');
        self.writer.raw(value, self.depth);
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
