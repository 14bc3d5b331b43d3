//! Documents on their way out, and how the buffer hears what became of them.

use std::sync::Arc;

use bytes::Bytes;

use super::{Recall, TagRun};

/// What became of a [`Delivery`]; its bytes come back, so that their allocation can be used again.
pub enum Settled {
    /// Every document has its verdict: taken, taken before, or kept as a dead letter.
    Delivered(Bytes),
    /// At least one has none: the whole goes back to the head of the queue.
    Returned(Bytes),
}

/// One or more batches on loan to an output, end to end in one slice.
///
/// Dropped without [`Delivery::delivered`], it goes back to the queue: its documents keep their ids,
/// so that those which the target has taken already are no doubles.
pub struct Delivery {
    bytes: Bytes,
    ends: Vec<u32>,
    tags: Vec<TagRun>,
    settle: Option<Box<dyn FnOnce(Settled) + Send>>,
    recall: Arc<Recall>,
}

impl Delivery {
    /// A loan of `bytes`, whose documents end at `ends`; `settle` hears of its outcome, once.
    pub fn new(
        bytes: Bytes,
        ends: Vec<u32>,
        tags: Vec<TagRun>,
        settle: impl FnOnce(Settled) + Send + 'static,
    ) -> Self {
        Self { bytes, ends, tags, settle: Some(Box::new(settle)), recall: Arc::default() }
    }

    pub(super) fn recalled_by(mut self, recall: Arc<Recall>) -> Self {
        self.recall = recall;
        self
    }

    /// By which the buffer takes it back while it only waits.
    pub fn recall(&self) -> &Arc<Recall> {
        &self.recall
    }

    /// Action and document lines, ready to be the body of a bulk request.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The end of each document in [`Delivery::bytes`], ascending.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Whose documents these are, in order.
    pub fn tags(&self) -> &[TagRun] {
        &self.tags
    }

    /// Says that every document has its verdict.
    pub fn delivered(mut self) {
        if let Some(settle) = self.settle.take() {
            settle(Settled::Delivered(std::mem::take(&mut self.bytes)));
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle(Settled::Returned(std::mem::take(&mut self.bytes)));
        }
    }
}
