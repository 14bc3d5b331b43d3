//! A letter as it stands in a file: of a document that the target refused, or of what was refused before it became one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// One letter, as far as commands speak of it; what it lacks is empty.
#[derive(Debug, Deserialize)]
pub struct Stored<'a> {
    /// When it was written.
    #[serde(borrow, default)]
    pub time: Cow<'a, str>,
    /// The document's own time.
    #[serde(borrow, default)]
    pub event_time: Option<Cow<'a, str>>,
    /// One word.
    #[serde(borrow, default)]
    pub reason: Cow<'a, str>,
    /// The target's word, or the limit's key.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The target's status; 0 where there is none.
    #[serde(default)]
    pub status: u16,
    /// In words; may quote the document.
    #[serde(borrow, default)]
    pub error: Cow<'a, str>,
    /// Where the document was to go; empty for what never was one.
    #[serde(borrow, default)]
    pub index: Cow<'a, str>,
    /// The document's id.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
    /// The tag that its event came with.
    #[serde(borrow, default)]
    pub tag: Cow<'a, str>,
    /// The pattern of the pipeline that takes the tag.
    #[serde(borrow, default)]
    pub pipeline: Option<Cow<'a, str>>,
    /// How often a replay was refused.
    #[serde(default)]
    pub replays: u32,
    /// The letter in whose place this one stands.
    #[serde(borrow, default)]
    pub origin: Option<Cow<'a, str>>,
    /// The document as it was sent; none of what never was one.
    #[serde(borrow, default)]
    pub document: Option<&'a RawValue>,
    /// The bytes that were refused, base64, of what never was a document.
    #[serde(borrow, default)]
    pub original: Option<Cow<'a, str>>,
}

impl<'a> Stored<'a> {
    /// Reads a line; nothing where it is no letter.
    pub fn read(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// The document, if it can be sent again under the id that it had.
    pub fn sendable(&self) -> Option<&'a RawValue> {
        let is_object = |document: &&RawValue| document.get().starts_with('{');
        self.document.filter(is_object).filter(|_| !self.id.is_empty() && !self.index.is_empty())
    }
}
