//! The faults that the bulk endpoint in this process makes on demand.

use std::time::Duration;

/// What goes wrong with one bulk request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The whole request gets this status, in Elasticsearch's words (or as a page, where `kind` is empty).
    Status { status: u16, kind: &'static str },
    /// Items whose position is a multiple of `every` get this; the others are applied.
    Items { every: usize, status: u16, kind: &'static str, reason: &'static str },
    /// The connection is reset before the body is read.
    ResetBeforeReading,
    /// Everything is applied, then the connection is reset.
    ResetAfterApplying,
    /// Everything is applied, and half of the answer sent.
    CutAnswer,
    /// Everything is applied, and the answer is no JSON.
    Garbage,
    /// Everything is applied, and the answer lacks its last item.
    TooFewItems,
    /// Everything is applied, and the answer comes after this.
    Slow(Duration),
}

impl Fault {
    /// Nothing goes wrong: a place in the queue before what does.
    pub(crate) const NONE: Self = Self::Slow(Duration::ZERO);
}
