//! The faults that the bulk endpoint in this process makes on demand.

use std::collections::VecDeque;
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
    /// The same, after so many bytes of the whole answer, its head included.
    CutAfter(usize),
    /// Nothing is applied, and a page elsewhere is named in this status.
    Redirect(u16),
    /// Everything is applied, and the answer says that a data stream's failure store took every so many-th item.
    FailureStore { every: usize },
    /// Everything is applied, and the answer is no JSON.
    Garbage,
    /// Everything is applied, and the answer lacks its last item.
    TooFewItems,
    /// Everything is applied, and the answer has its last item twice.
    TooManyItems,
    /// Everything is applied, and the answer comes after this.
    Slow(Duration),
}

impl Fault {
    /// Nothing goes wrong: a place in the queue before what does.
    pub(crate) const NONE: Self = Self::Slow(Duration::ZERO);
}

/// Which bulk requests go wrong.
#[derive(Default)]
pub(crate) struct Faults {
    queued: VecDeque<Fault>,
    /// The fault of each request whose number is a multiple of this.
    every: Option<(usize, Fault)>,
    requests: usize,
}

impl Faults {
    /// Those of the next requests, after those queued before.
    pub(crate) fn queue(&mut self, fault: Fault, times: usize) {
        self.queued.extend(std::iter::repeat_n(fault, times));
    }

    /// That of every so many-th request.
    pub(crate) fn repeat(&mut self, every: usize, fault: Fault) {
        self.every = Some((every, fault));
    }

    /// That of the request which has come.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        self.requests += 1;
        let is_its_turn = |(every, _): &&(usize, Fault)| self.requests.is_multiple_of(*every);
        self.queued.pop_front().or_else(|| Some(self.every.as_ref().filter(is_its_turn)?.1.clone()))
    }
}
