//! Documents of a file that go in as they are: the bytes of each, and where it goes under which id.
//!
//! Invariant: what is in here was copied once, out of the reader's own buffer; the allocations are kept from sheet to sheet.

use std::ops::Range;

use super::Resting;
use crate::encode::IdBase;

/// A sheet is handed on when its documents are this long…
const BYTES: usize = 256 << 10;

/// …or so many.
const DOCUMENTS: usize = 4_096;

/// The longest id that the target takes.
const ID_BYTES: usize = 512;

/// A document that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready<'d> {
    /// A JSON object, as far as is known, on one line and without its end.
    pub(crate) source: &'d [u8],
    /// Where it lay; nothing where the configuration says where it goes.
    pub(crate) index: Option<&'d str>,
    /// What it is called.
    pub(crate) id: ReadyId<'d>,
}

/// An id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadyId<'d> {
    /// The one that it had.
    Own(&'d str),
    /// The one of its place.
    Place(IdBase),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// The tag of documents that do not say one themselves.
    pub(crate) tag: Vec<u8>,
    /// How far into the file everything is in this sheet or in those before it.
    pub(crate) end: Resting,
    bytes: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    source: Range<usize>,
    /// Empty for none.
    index: Range<usize>,
    /// Empty for that of its place.
    id: Range<usize>,
    place: IdBase,
}

impl Sheet {
    /// An empty one, of documents with this tag.
    pub(crate) fn new(tag: &str) -> Self {
        let (bytes, items) = (Vec::new(), Vec::new());
        Self { tag: tag.into(), end: Resting::default(), bytes, items }
    }

    /// Whether it is time to hand it on.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= BYTES || self.items.len() >= DOCUMENTS
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many documents are in it.
    pub(crate) fn documents(&self) -> u64 {
        self.items.len() as u64
    }

    /// Empties it, and keeps its allocations.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    /// Adds a document: its own id where that is one that a target takes, and else that of its place.
    pub(crate) fn add(&mut self, source: &[u8], index: Option<&str>, id: Option<&str>, place: IdBase) {
        let id = id.filter(|id| is_id(id)).unwrap_or_default();
        let source = self.put(source);
        let index = self.put(index.unwrap_or_default().as_bytes());
        let id = self.put(id.as_bytes());
        self.items.push(Item { source, index, id, place });
    }

    fn put(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// The documents, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ready<'_>> {
        self.items.iter().map(|item| Ready {
            source: self.bytes.get(item.source.clone()).unwrap_or_default(),
            index: self.text(&item.index),
            id: self.text(&item.id).map_or(ReadyId::Place(item.place), ReadyId::Own),
        })
    }

    fn text(&self, range: &Range<usize>) -> Option<&str> {
        let text = self.bytes.get(range.clone()).filter(|text| !text.is_empty())?;
        str::from_utf8(text).ok()
    }
}

fn is_id(id: &str) -> bool {
    (1..=ID_BYTES).contains(&id.len()) && !id.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_its_id_and_index_where_they_are_some() {
        let (mut sheet, place) = (Sheet::new("t"), IdBase::of_place(1, 2, 3));
        let long = "x".repeat(513);
        sheet.add(b"{}", Some("logs"), Some("an id"), place);
        for id in [None, Some(""), Some(&*long), Some("a\nb")] {
            sheet.add(b"{\"a\":1}", None, id, place);
        }
        let ready: Vec<_> = sheet.iter().collect();
        assert_eq!(ready[0], Ready { source: b"{}", index: Some("logs"), id: ReadyId::Own("an id") });
        let placed = Ready { source: b"{\"a\":1}", index: None, id: ReadyId::Place(place) };
        assert!(ready[1..].iter().all(|ready| *ready == placed));
        sheet.clear();
        assert!(sheet.is_empty() && sheet.documents() == 0);
    }
}
