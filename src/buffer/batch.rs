//! Encoded documents that travel together, and the open batch that the encoder writes into.
//!
//! Invariants: `bytes` is a whole number of documents, each two lines — action, document — ready to be sent;
//! `ends[i]` is where document `i` ends in `bytes`; the runs in `tags` add up to `ends.len()`.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::Receipt;

/// Consecutive documents of one tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRun {
    /// The tag their events came with.
    pub tag: Arc<str>,
    /// How many of them there are.
    pub documents: u32,
}

/// The number of a part of a docker line that is kept on disk until its whole is safe; see `Buffer::keep_part`.
pub type PartId = u64;

/// A sealed batch: nothing is added or encoded again.
pub struct Batch {
    /// Action and document lines, as a bulk request has them.
    pub bytes: Bytes,
    /// The end of each document in `bytes`, ascending.
    pub ends: Vec<u32>,
    /// Whose documents these are, in order.
    pub tags: Vec<TagRun>,
    /// To be resolved when the batch is synced to disk or taken by the target, whichever is first.
    pub receipts: Vec<Receipt>,
    /// Kept parts that are joined in here: obsolete as soon as this batch is safe.
    pub parts: Vec<PartId>,
    /// When the oldest document came in.
    pub opened: Instant,
}

/// An open batch. The encoder appends straight to [`OpenBatch::bytes`] and then ends the document.
pub struct OpenBatch {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    tags: Vec<TagRun>,
    receipts: Vec<Receipt>,
    parts: Vec<PartId>,
    opened: Instant,
}

impl OpenBatch {
    /// An empty batch that writes into `bytes`, which is cleared (so that a used allocation can be taken again).
    pub fn new(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self {
            bytes,
            ends: Vec::new(),
            tags: Vec::new(),
            receipts: Vec::new(),
            parts: Vec::new(),
            opened: Instant::now(),
        }
    }

    /// Where the next document is written; what is there already must not be touched.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Closes the document that was just written.
    pub fn end_document(&mut self, tag: &Arc<str>) {
        if self.ends.is_empty() {
            self.opened = Instant::now();
        }
        // why: a batch is bounded by `batch_bytes` plus one document, each far below 4 GiB; configuration sees to it.
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        match self.tags.last_mut() {
            Some(run) if Arc::ptr_eq(&run.tag, tag) => run.documents += 1,
            _ => self.tags.push(TagRun { tag: Arc::clone(tag), documents: 1 }),
        }
    }

    /// Takes back what was written since the last document ended.
    pub fn roll_back(&mut self) {
        let end = self.ends.last().map_or(0, |end| *end as usize);
        self.bytes.truncate(end);
    }

    /// Bytes of the whole documents in it.
    pub fn len(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// How many documents it holds.
    pub fn documents(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds no document.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// When its first document came in.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Lets a chunk's receipt ride along; once per batch is enough.
    pub fn attach(&mut self, receipt: &Receipt) {
        if !self.receipts.last().is_some_and(|last| last.same(receipt)) {
            self.receipts.push(receipt.clone());
        }
    }

    /// Names a kept part that a document in here has made whole.
    pub fn supersede(&mut self, part: PartId) {
        self.parts.push(part);
    }

    /// Whether somebody waits for a receipt of it.
    pub fn is_promised(&self) -> bool {
        !self.receipts.is_empty()
    }

    /// Seals it.
    pub fn seal(self) -> Batch {
        debug_assert_eq!(self.bytes.len(), self.len(), "a document was written but not ended");
        Batch {
            bytes: Bytes::from(self.bytes),
            ends: self.ends,
            tags: self.tags,
            receipts: self.receipts,
            parts: self.parts,
            opened: self.opened,
        }
    }
}
