//! A sealed batch in memory, shared by the queue, the loan it is on, and the writer.
//!
//! Invariants: its receipts are resolved once, by whichever comes first of "synced" and "delivered"; it is handed to
//! the writer at most once; its memory counts as used until the last of the three lets go.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::disk::Place;
use super::disk::record::{Codec, Kind, NewRecord};
use super::memory::Charge;
use super::{Batch, PartId, Receipt, TagRun};

/// A batch with its place in the queue.
pub(super) struct Held {
    pub(super) sequence: u64,
    pub(super) bytes: Bytes,
    pub(super) ends: Vec<u32>,
    pub(super) tags: Vec<TagRun>,
    pub(super) parts: Vec<PartId>,
    pub(super) opened: Instant,
    state: Mutex<State>,
    _charge: Option<Charge>,
}

struct State {
    receipts: Vec<Receipt>,
    disk: OnDisk,
    /// Memory lets go of it as soon as it is written.
    release: bool,
    delivered: bool,
}

#[derive(Clone, Copy)]
enum OnDisk {
    No,
    Waiting,
    At(Place),
}

/// How a batch stands, for those who decide what to spill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Nowhere but in memory.
    Memory,
    /// Handed to the writer; leaves memory then if `release`.
    Waiting { release: bool },
    /// Synced to disk.
    Written(Place),
    /// Nothing is to be done for it any more.
    Delivered,
}

impl Held {
    pub(super) fn new(sequence: u64, batch: Batch, charge: Option<Charge>) -> Self {
        let Batch { bytes, ends, tags, receipts, parts, opened } = batch;
        let state = Mutex::new(State { receipts, disk: OnDisk::No, release: false, delivered: false });
        Self { sequence, bytes, ends, tags, parts, opened, state, _charge: charge }
    }

    pub(super) fn documents(&self) -> u64 {
        self.ends.len() as u64
    }

    /// As it is written to disk.
    pub(super) fn record(&self) -> NewRecord<'_> {
        let Self { sequence, ends, tags, parts, bytes, .. } = self;
        NewRecord {
            sequence: *sequence,
            kind: Kind::Batch,
            codec: Codec::None,
            ends,
            tags,
            parts,
            payload: bytes,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let state = self.state();
        match state.disk {
            _ if state.delivered => Standing::Delivered,
            OnDisk::No => Standing::Memory,
            OnDisk::Waiting => Standing::Waiting { release: state.release },
            OnDisk::At(place) => Standing::Written(place),
        }
    }

    /// Claims it for the writer; false if there is nothing for the writer to do or it has it already.
    pub(super) fn claim(&self, release: bool) -> bool {
        let mut state = self.state();
        state.release |= release;
        let claimed = matches!(state.disk, OnDisk::No) && !state.delivered;
        if claimed {
            state.disk = OnDisk::Waiting;
        }
        claimed
    }

    /// It is synced at `place`: adds its receipts to those that are to be resolved for it.
    pub(super) fn written(&self, place: Place, safe: &mut Vec<Receipt>) -> Standing {
        let mut state = self.state();
        state.disk = OnDisk::At(place);
        safe.append(&mut state.receipts);
        match state.delivered {
            true => Standing::Delivered,
            false => Standing::Waiting { release: state.release },
        }
    }

    /// It is delivered: resolves its receipts; where it is on disk, if it is.
    pub(super) fn deliver(&self) -> Option<Place> {
        let mut state = self.state();
        state.delivered = true;
        let receipts = mem::take(&mut state.receipts);
        let place = match state.disk {
            OnDisk::At(place) => Some(place),
            OnDisk::No | OnDisk::Waiting => None,
        };
        // why: hundreds of acks may be written for it, and who asks how it stands does not wait for them.
        drop(state);
        receipts.into_iter().for_each(Receipt::resolve);
        place
    }

    /// It is given up: who waits for its receipts hears that it is not safe.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.delivered = true;
        state.receipts.clear();
    }

    /// Whether somebody waits for a receipt of it.
    pub(super) fn is_awaited(&self) -> bool {
        !self.state().receipts.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
