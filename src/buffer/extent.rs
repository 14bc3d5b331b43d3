//! Batches that are on disk only, as the queue has them: a run and its age.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::disk::{Place, Run};
use super::held::Held;

/// A run of unsettled batches.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) run: Run,
    /// When the oldest of its documents came in.
    pub(super) opened: Instant,
}

impl Extent {
    /// What is left of a batch when memory lets go of it.
    pub(super) fn of(held: &Held, place: Place) -> Self {
        Self { run: Run::of(place, held.sequence, held.documents()), opened: held.opened }
    }

    /// What a start found, in a segment of `created`, milliseconds since 1970.
    pub(super) fn found(run: Run, created: u64) -> Self {
        let created = UNIX_EPOCH + Duration::from_millis(created);
        let age = SystemTime::now().duration_since(created).unwrap_or_default();
        let now = Instant::now();
        Self { run, opened: now.checked_sub(age).unwrap_or(now) }
    }

    pub(super) fn segment(&self) -> u64 {
        self.run.place.segment
    }

    /// Bytes that it takes in its segment.
    pub(super) fn stored(&self) -> u64 {
        self.run.place.to.saturating_sub(self.run.place.from)
    }
}
