//! A reader's look at its events as they come out of the pipeline: which of them are selected, and what they were.
//!
//! An event that is not selected ends here, counted as any that a pipeline ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bumpalo::Bump;

use crate::enrich::Seen;
use crate::enrich::condition::Condition;
use crate::enrich::steps::Outcome;
use crate::event::{Event, Timestamp};
use crate::metrics::Ledger;

/// Why an event ended that was not selected.
pub(super) const NOT_SELECTED: &str = "not_selected";

/// Which events are wanted.
#[derive(Debug)]
pub struct Selection {
    /// Of this time or later.
    pub since: Option<Timestamp>,
    /// Earlier than this.
    pub until: Option<Timestamp>,
    /// Those for which it holds.
    pub condition: Option<Condition>,
    /// How many more, of all readers together.
    pub left: AtomicU64,
}

impl Default for Selection {
    fn default() -> Self {
        Self { since: None, until: None, condition: None, left: AtomicU64::new(u64::MAX) }
    }
}

impl Selection {
    /// Whether there are enough.
    pub fn is_exhausted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn takes<'a>(&self, event: &Event<'a>, arena: &'a Bump) -> bool {
        self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && self.condition.as_ref().is_none_or(|condition| condition.holds(event, arena))
            && self.takes_one()
    }

    fn takes_one(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        let one_less = |left: u64| left.checked_sub(1);
        left == u64::MAX || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// What the events of one source were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Those that became documents.
    pub taken: u64,
    /// Those that a step ended, or that were not selected.
    pub passed_over: u64,
    /// Those that were refused before the pipeline, and became dead letters.
    pub refused: u64,
    /// The earliest and the latest time of those that became documents.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Lines by the format that they were read in.
    pub formats: Vec<(&'static str, u64)>,
    /// Lines that did not have the format that was named.
    pub misfits: u64,
}

impl Watched {
    /// Adds what another source's events were.
    pub fn add(&mut self, other: &Self) {
        self.taken += other.taken;
        self.passed_over += other.passed_over;
        self.refused += other.refused;
        self.misfits += other.misfits;
        let both = |(first, last): (Timestamp, Timestamp), (from, to)| (first.min(from), last.max(to));
        self.times = self.times.into_iter().chain(other.times).reduce(both);
        other.formats.iter().for_each(|(format, count)| self.read_in(format, *count));
    }

    fn read_in(&mut self, format: &'static str, count: u64) {
        match self.formats.iter_mut().find(|(name, _)| *name == format) {
            Some((_, sum)) => *sum += count,
            None => self.formats.push((format, count)),
        }
    }
}

/// See the module.
pub struct Watch {
    selection: Arc<Selection>,
    /// Where it is written down what becomes of the documents, and the source's number there.
    ledger: (Arc<Ledger>, usize),
    /// The tag that was named there last.
    named: Option<Arc<str>>,
    watched: Watched,
}

impl Watch {
    /// For the source with this number in `ledger`.
    pub fn new(selection: Arc<Selection>, ledger: Arc<Ledger>, number: usize) -> Self {
        Self { selection, ledger: (ledger, number), named: None, watched: Watched::default() }
    }

    /// What there was so far.
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Whether it looks at an event's fields.
    pub(super) fn asks_for_fields(&self) -> bool {
        self.selection.condition.is_some()
    }

    /// Documents that carry `tag`, this very one, are of the source.
    pub(super) fn names(&mut self, tag: &Arc<str>) {
        if !self.named.as_ref().is_some_and(|named| Arc::ptr_eq(named, tag)) {
            self.ledger.0.names(tag, self.ledger.1);
            self.named = Some(Arc::clone(tag));
        }
    }

    /// Whether `event`, of which the pipeline has made `outcome`, becomes a document.
    pub(super) fn takes<'a>(&mut self, event: &Event<'a>, outcome: &Outcome<'_>, arena: &'a Bump) -> bool {
        let is_taken = matches!(outcome, Outcome::Keep(_)) && self.selection.takes(event, arena);
        if is_taken {
            self.watched.taken += 1;
            let (first, last) = self.watched.times.unwrap_or((event.time, event.time));
            self.watched.times = Some((first.min(event.time), last.max(event.time)));
        } else {
            self.watched.passed_over += 1;
        }
        is_taken
    }

    /// Notes events that were refused.
    pub(super) fn refused(&mut self, events: u64) {
        self.watched.refused += events;
    }

    /// Notes what lines were read in.
    pub(super) fn read(&mut self, seen: &Seen) {
        seen.lines_read().for_each(|(format, count)| self.watched.read_in(format, u64::from(count)));
        self.watched.misfits += seen.misfits().map(|of| u64::from(of.lines)).sum::<u64>();
    }
}
