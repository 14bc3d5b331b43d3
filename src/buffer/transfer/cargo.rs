//! What is to be moved out of a buffer, found in one walk over it and kept as places alone.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use crate::buffer::OpenError;
use crate::buffer::disk::record::Kind;
use crate::buffer::disk::{Found, Place, Snapshot, Stored, Wound};

/// What waits, in the order in which it would leave.
#[derive(Default)]
pub(super) struct Cargo {
    pub(super) items: Vec<Item>,
    pub(super) wounds: Vec<Wound>,
    superseded: HashSet<u64>,
    /// When each segment was created.
    created: BTreeMap<u64, u64>,
}

/// One record.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) place: Place,
    kind: Kind,
}

impl Cargo {
    /// All that waits in `snapshot`. Memory grows with the records, not with the documents.
    pub(super) fn of(snapshot: &Snapshot) -> Result<Self, OpenError> {
        let mut cargo = Self::default();
        snapshot.walk(&mut |found| {
            match found {
                Found::Segment(opened) => drop(cargo.created.insert(opened.number, opened.created)),
                Found::Record(stored) => cargo.record(&stored),
                Found::Wound(wound) => cargo.wounds.extend(Some(wound).filter(|wound| !wound.is_harmless())),
            }
            ControlFlow::Continue(())
        })?;
        let superseded = std::mem::take(&mut cargo.superseded);
        cargo.items.retain(|item| item.kind == Kind::Batch || !superseded.contains(&item.sequence));
        cargo.items.sort_by_key(|item| (item.sequence, item.place.segment, item.place.from));
        Ok(cargo)
    }

    fn record(&mut self, Stored { place, head, body, settled }: &Stored<'_>) {
        self.superseded.extend(&body.parts);
        if !settled {
            self.items.push(Item { sequence: head.sequence, place: *place, kind: head.kind });
        }
    }

    /// When the segment of `item` was created: how long its documents have waited at most.
    pub(super) fn created(&self, item: &Item) -> u64 {
        self.created.get(&item.place.segment).copied().unwrap_or_default()
    }
}
