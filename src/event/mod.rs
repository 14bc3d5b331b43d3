//! What every stage speaks of: an event — time, tag, record — as a view into the bytes that were read.
//!
//! Invariants: field names are legal and unique (`Name`, `Fields`); values are borrowed unless a step made
//! them; a text's UTF-8 is settled by the encoder, so that nobody looks at it twice.

pub(crate) mod blocks;
mod fields;
mod legal;
mod marks;
mod name;
mod tag;
mod time;
pub(crate) mod words;

pub use fields::{Field, Fields};
pub use legal::MAX_DEPTH;
pub(crate) use legal::{
    legal as legal_name, legal_bytes as legal_name_bytes, legal_unless_plain as legal_name_unless_plain,
};
pub(crate) use marks::mark;
pub(crate) use name::is_plain_name;
pub use name::{KeptName, Name};
pub use tag::{Pattern, PatternFault};
pub use time::Timestamp;

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A truth.
    Bool(bool),
    /// A whole number from 0 up.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// A 32-bit float, kept apart so that it is printed as short as it was meant.
    Single(f32),
    /// A 64-bit float.
    Double(f64),
    /// A text as the peer sent it, UTF-8 or not.
    Text(&'a [u8]),
    /// Bytes that do not claim to be text.
    Binary(&'a [u8]),
    /// One msgpack map, array or extension that no step has touched, complete and within the limits.
    Packed(&'a [u8]),
    /// One JSON value in its own text, complete.
    Json(&'a str),
    /// The same of a text without escapes, a number without an exponent, a truth or null: written as it stands.
    Scalar(&'a str),
}

impl<'a> Value<'a> {
    /// The text, where the value is one and needs no unescaping.
    pub fn as_text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            value => value.json_text().map(str::as_bytes),
        }
    }

    /// The inside of a JSON text that was read and has no escapes.
    pub(crate) fn json_text(&self) -> Option<&'a str> {
        match self {
            Self::Scalar(json) => inside(json),
            Self::Json(json) => inside(json).filter(|text| memchr::memchr(b'\\', text.as_bytes()).is_none()),
            _ => None,
        }
    }

    /// The text with the lifetime of what was read, where the value is one that was read.
    pub fn borrowed_text(&self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether Elasticsearch will see an object here.
    pub fn is_object(&self) -> bool {
        match self {
            Self::Packed([first, ..]) => matches!(first, 0x80..=0x8f | 0xde | 0xdf),
            Self::Json(json) => json.starts_with('{'),
            _ => false,
        }
    }
}

/// The inside of a text in its quotes.
fn inside(json: &str) -> Option<&str> {
    matches!(json.as_bytes(), [b'"', .., b'"']).then(|| json.get(1..json.len() - 1))?
}

/// Time, tag, record.
pub struct Event<'a> {
    /// When it happened, as far as is known.
    pub time: Timestamp,
    /// The dotted name its sender gave it.
    pub tag: &'a str,
    /// The record.
    pub fields: Fields<'a>,
}
