//! A place in the queue: a batch that is in memory, or any number of them that are on disk only.

use std::sync::Arc;
use std::time::Instant;

use super::extent::Extent;
use super::held::{Held, Standing};

/// A place in the queue.
#[derive(Clone)]
pub(super) enum Slot {
    Memory(Arc<Held>),
    Disk(Extent),
}

impl Slot {
    pub(super) fn opened(&self) -> Instant {
        match self {
            Self::Memory(held) => held.opened,
            Self::Disk(extent) => extent.opened,
        }
    }

    pub(super) fn held(&self) -> Option<&Arc<Held>> {
        match self {
            Self::Memory(held) => Some(held),
            Self::Disk(_) => None,
        }
    }

    pub(super) fn documents(&self) -> u64 {
        match self {
            Self::Memory(held) => held.documents(),
            Self::Disk(extent) => extent.run.documents,
        }
    }

    /// The segment that it is in, if it is on disk.
    pub(super) fn segment(&self) -> Option<u64> {
        match self {
            Self::Disk(extent) => Some(extent.segment()),
            Self::Memory(held) => match held.standing() {
                Standing::Written(place) => Some(place.segment),
                _ => None,
            },
        }
    }
}
