//! Batches that follow each other: a few words for any number of records.

use super::Place;

/// Batches of one segment that follow each other without a gap, in the file and, by one, in sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) place: Place,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) documents: u64,
}

impl Run {
    /// One batch.
    pub(crate) fn of(place: Place, sequence: u64, documents: u64) -> Self {
        Self { place, first: sequence, last: sequence, documents }
    }

    /// Takes `next` in if nothing lies between, neither in the file nor in sequence.
    pub(crate) fn absorb(&mut self, next: &Self) -> bool {
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
    pub(crate) fn split(&mut self, offset: u64, last: u64, documents: u64) -> Option<Self> {
        if offset >= self.place.to {
            return None;
        }
        let rest = Self {
            place: Place { from: offset, ..self.place },
            first: last.saturating_add(1),
            last: self.last,
            documents: self.documents.saturating_sub(documents),
        };
        self.place.to = offset;
        self.last = last;
        self.documents = documents;
        Some(rest)
    }

    /// How many records these are.
    pub(super) fn records(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

/// Adds a run behind the others, or to the last of them.
pub(super) fn push(runs: &mut Vec<Run>, run: Run) {
    if !runs.last_mut().is_some_and(|last| last.absorb(&run)) {
        runs.push(run);
    }
}
