//! Encoded documents that travel together, and the open batch that the encoder writes into.
//!
//! Invariants: `bytes` is a whole number of documents, each two lines — action, document — ready to be sent;
//! `ends[i]` is where document `i` ends in `bytes`; the runs in `tags` add up to `ends.len()`.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::Receipt;
use super::memory::{Charge, Memory};
use super::shared::Shared;

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

/// What an allocation may be larger than twice its contents when it is queued.
const MAX_SLACK: usize = 16 << 10;

/// An open batch. The encoder appends straight to [`OpenBatch::bytes`] and then ends the document.
///
/// One that is dropped goes back to the buffer it was taken from: it may hold documents of other connections than
/// the one that panicked.
pub struct OpenBatch {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    tags: Vec<TagRun>,
    receipts: Vec<Receipt>,
    parts: Vec<PartId>,
    opened: Instant,
    /// What the buffer has counted of it already; none before it was given for the first time.
    charge: Option<Charge>,
    /// Documents that the buffer has counted already…
    counted: usize,
    /// …and the parts that these made obsolete.
    counted_parts: usize,
    /// The buffer that it was taken from, while it is out.
    home: Option<Arc<Shared>>,
}

impl Drop for OpenBatch {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give(mem::replace(self, Self::new(Vec::new())));
        }
    }
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
            charge: None,
            counted: 0,
            counted_parts: 0,
            home: None,
        }
    }

    /// Sends it out of `home`.
    pub(super) fn lent_by(mut self, home: &Arc<Shared>) -> Self {
        self.home = Some(Arc::clone(home));
        self
    }

    /// It is back.
    pub(super) fn is_home(&mut self) {
        self.home = None;
    }

    /// Counts what has been added since it was last given: its bytes as used, its documents as returned.
    pub(super) fn account(&mut self, memory: &Arc<Memory>) -> u64 {
        let bytes = self.len();
        self.charge.get_or_insert_with(|| memory.charge(0)).grow_to(bytes);
        let new = self.ends.len() - self.counted;
        self.counted = self.ends.len();
        self.counted_parts = self.parts.len();
        new as u64
    }

    /// Cuts off the documents that the buffer has not counted yet: whose they were, and the parts they made obsolete.
    pub(super) fn cut_new(&mut self) -> (Vec<TagRun>, Vec<PartId>) {
        let mut surplus = self.ends.len() - self.counted;
        self.ends.truncate(self.counted);
        self.roll_back();
        let mut cut = Vec::new();
        while surplus > 0
            && let Some(run) = self.tags.last_mut()
        {
            let documents = run.documents.min(u32::try_from(surplus).unwrap_or(u32::MAX));
            cut.push(TagRun { tag: Arc::clone(&run.tag), documents });
            run.documents -= documents;
            surplus -= documents as usize;
            if run.documents == 0 {
                self.tags.pop();
            }
        }
        (cut, self.parts.split_off(self.counted_parts))
    }

    /// Takes over what is in `other`, behind what is in it: documents that the buffer has counted before, and others.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        if self.is_empty() {
            self.opened = other.opened;
        }
        self.counted += mem::take(&mut other.counted);
        // why: both are far below 4 GiB, see `end_document`.
        let base = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.append(&mut other.bytes);
        self.ends.extend(other.ends.drain(..).map(|end| base.saturating_add(end)));
        for run in other.tags.drain(..) {
            match self.tags.last_mut() {
                // why: each connection has its tag for itself.
                Some(last) if last.tag == run.tag => last.documents += run.documents,
                _ => self.tags.push(run),
            }
        }
        self.receipts.append(&mut other.receipts);
        self.parts.append(&mut other.parts);
        other.counted_parts = 0;
    }

    /// An allocation that nothing is in.
    pub(super) fn into_spare(mut self) -> Vec<u8> {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        bytes
    }

    /// What fits into its allocation.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many bytes, so that it does not move while it grows to them.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes.saturating_sub(self.bytes.len()));
    }

    /// Hands over what it is charged.
    pub(super) fn take_charge(&mut self) -> Option<Charge> {
        self.charge.take()
    }

    /// Takes the receipts and parts of a batch that holds no document to carry them.
    pub(super) fn take_riders(&mut self) -> (Vec<Receipt>, Vec<PartId>) {
        (mem::take(&mut self.receipts), mem::take(&mut self.parts))
    }

    /// Moves the documents to an allocation of their size if this one is far larger; hands out the one not needed.
    pub(super) fn fit(&mut self) -> Option<Vec<u8>> {
        let needed = 2 * self.bytes.len() + MAX_SLACK;
        (self.bytes.capacity() > needed).then(|| {
            let fitting = self.bytes.as_slice().to_vec();
            mem::replace(&mut self.bytes, fitting)
        })
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
    pub fn is_awaited(&self) -> bool {
        !self.receipts.is_empty()
    }

    /// Whether somebody waits who is not to be kept waiting.
    pub fn is_promised(&self) -> bool {
        self.receipts.iter().any(|receipt| !receipt.is_patient())
    }

    /// Seals it.
    pub fn seal(mut self) -> Batch {
        debug_assert_eq!(self.bytes.len(), self.len(), "a document was written but not ended");
        Batch {
            bytes: Bytes::from(mem::take(&mut self.bytes)),
            ends: mem::take(&mut self.ends),
            tags: mem::take(&mut self.tags),
            receipts: mem::take(&mut self.receipts),
            parts: mem::take(&mut self.parts),
            opened: self.opened,
        }
    }
}
