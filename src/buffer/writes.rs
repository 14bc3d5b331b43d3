//! What the writer thread is asked to do, and how the others hear that it is done.
//!
//! Bounded without a limit of its own: every write is of a batch or part that is charged to the memory share, and
//! every settled record was one on loan. Lock order: the queue's, then a batch's, then this one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::disk::record::{Codec, Kind, NewRecord};
use super::held::{Held, Standing};
use super::memory::Charge;
use super::{PartId, Receipt};

/// Something to be written and synced.
pub(super) enum Write {
    Batch(Arc<Held>),
    Part { id: PartId, bytes: Vec<u8>, receipt: Option<Receipt>, _charge: Charge },
}

impl Write {
    pub(super) fn sequence(&self) -> u64 {
        match self {
            Self::Batch(held) => held.sequence,
            Self::Part { id, .. } => *id,
        }
    }

    pub(super) fn record(&self) -> NewRecord<'_> {
        match self {
            Self::Batch(held) => held.record(),
            Self::Part { id, bytes, .. } => NewRecord {
                sequence: *id,
                kind: Kind::Part,
                codec: Codec::None,
                ends: &[],
                tags: &[],
                parts: &[],
                payload: bytes,
            },
        }
    }

    /// Whether somebody waits for a receipt of it.
    pub(super) fn is_awaited(&self) -> bool {
        match self {
            Self::Batch(held) => held.is_awaited(),
            Self::Part { receipt, .. } => receipt.is_some(),
        }
    }

    /// Whether there is no reason left to write it.
    pub(super) fn is_moot(&self) -> bool {
        matches!(self, Self::Batch(held) if held.standing() == Standing::Delivered)
    }
}

/// All that has come up since the writer last looked.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) writes: Vec<Write>,
    /// Delivered records, by segment and sequence.
    pub(super) settled: Vec<(u64, u64)>,
    /// Parts whose line is safe as a whole.
    pub(super) obsolete: Vec<PartId>,
    /// Segments that cannot be read.
    pub(super) unreadable: Vec<u64>,
}

impl Orders {
    fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.settled.is_empty()
            && self.obsolete.is_empty()
            && self.unreadable.is_empty()
    }
}

#[derive(Default)]
struct State {
    orders: Orders,
    /// Writes that are not done yet.
    outstanding: usize,
    nudged: bool,
    closing: bool,
    ended: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Writes {
    state: Mutex<State>,
    wake: Condvar,
    /// Told when nothing is outstanding, and at the end.
    progress: Notify,
}

impl Writes {
    /// Asks for a write; dropped, and so failed, if the writer has ended.
    pub(super) fn submit(&self, write: Write) {
        let mut state = self.state();
        if !state.ended {
            state.orders.writes.push(write);
            state.outstanding += 1;
            self.wake.notify_one();
        }
    }

    /// Asks to mark records on disk as delivered, and parts as obsolete.
    pub(super) fn settle(&self, records: &[(u64, u64)], obsolete: &[PartId]) {
        if records.is_empty() && obsolete.is_empty() {
            return;
        }
        let mut state = self.state();
        if !state.ended {
            state.orders.settled.extend_from_slice(records);
            state.orders.obsolete.extend_from_slice(obsolete);
            self.wake.notify_one();
        }
    }

    /// Asks to move a segment out of the way.
    pub(super) fn withdraw(&self, segment: u64) {
        let mut state = self.state();
        if !state.ended {
            state.orders.unreadable.push(segment);
            self.wake.notify_one();
        }
    }

    /// Makes the writer look at memory now rather than at its next tick.
    pub(super) fn nudge(&self) {
        self.state().nudged = true;
        self.wake.notify_one();
    }

    /// Waits for orders, at most for `tick`. Whether the writer shall end.
    pub(super) fn wait(&self, tick: Duration) -> (Orders, bool) {
        let idle = |state: &mut State| state.orders.is_empty() && !state.closing && !state.nudged;
        let waited = self.wake.wait_timeout_while(self.state(), tick, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.nudged = false;
        (std::mem::take(&mut state.orders), state.closing)
    }

    /// Says that `count` writes are done.
    pub(super) fn done(&self, count: usize) {
        let mut state = self.state();
        state.outstanding = state.outstanding.saturating_sub(count);
        if state.outstanding == 0 {
            self.progress.notify_waiters();
        }
    }

    /// Tells the writer to end after what it is doing.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.wake.notify_one();
    }

    /// The writer's last word; what it has not written is dropped.
    pub(super) fn end(&self) {
        let dropped = {
            let mut state = self.state();
            state.ended = true;
            state.outstanding = 0;
            std::mem::take(&mut state.orders)
        };
        drop(dropped);
        self.progress.notify_waiters();
    }

    /// Resolves when nothing is outstanding.
    pub(super) async fn drained(&self) {
        self.until(|state| state.outstanding == 0).await;
    }

    /// Resolves when the writer has ended.
    pub(super) async fn ended(&self) {
        self.until(|state| state.ended).await;
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        loop {
            let mut progress = std::pin::pin!(self.progress.notified());
            progress.as_mut().enable();
            if reached(&self.state()) {
                return;
            }
            progress.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
