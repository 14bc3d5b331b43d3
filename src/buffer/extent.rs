//! Batches that are on disk only: a few words for any number of records that follow each other.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::disk::{Place, Run};
use super::held::Held;

/// Consecutive unsettled batches of one segment.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) place: Place,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) documents: u64,
    pub(super) opened: Instant,
}

impl Extent {
    /// What is left of a batch when memory lets go of it.
    pub(super) fn of(held: &Held, place: Place) -> Self {
        let (first, documents) = (held.sequence, held.documents());
        Self { place, first, last: first, documents, opened: held.opened }
    }

    /// What a start found.
    pub(super) fn found(run: &Run) -> Self {
        let Run { place, first, last, documents, created } = *run;
        let created = UNIX_EPOCH + Duration::from_millis(created);
        let age = SystemTime::now().duration_since(created).unwrap_or_default();
        let now = Instant::now();
        Self { place, first, last, documents, opened: now.checked_sub(age).unwrap_or(now) }
    }

    /// Takes `next` in if it follows without a gap, in the file and in sequence.
    pub(super) fn absorb(&mut self, next: &Self) -> bool {
        let follows = self.place.segment == next.place.segment
            && self.place.to == next.place.from
            && self.last.checked_add(1) == Some(next.first);
        if follows {
            self.place.to = next.place.to;
            self.last = next.last;
            self.documents += next.documents;
        }
        follows
    }

    /// Cuts off what lies from `offset` on, after `last` and `documents` of it have been read; none if that is nothing.
    pub(super) fn split(&mut self, offset: u64, last: u64, documents: u64) -> Option<Self> {
        if offset >= self.place.to {
            return None;
        }
        let mut rest = self.clone();
        rest.place.from = offset;
        rest.first = last.saturating_add(1);
        rest.documents = self.documents.saturating_sub(documents);
        self.place.to = offset;
        self.last = last;
        self.documents = documents;
        Some(rest)
    }
}
