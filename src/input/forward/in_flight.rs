//! What of one connection is under way at once: chunks that were taken and are not acked yet.
//!
//! Invariants: beyond `in_flight_bytes` no further chunk is taken, and so nothing more is read; one that is larger than
//! all of it goes alone. While the peer does not take its acks no further chunk is taken either, so that what it could
//! make the daemon keep for it is what the system's own buffer for its socket holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, Semaphore};

use crate::units::ByteSize;

/// Shared by the side that reads chunks and the one that writes acks.
pub(super) struct Flow {
    room: Semaphore,
    limit: usize,
    /// Whether acks wait for the peer to take them.
    stalled: AtomicBool,
    moved: Notify,
    too_slow: AtomicBool,
}

/// A chunk under way, until it is dropped.
pub(super) struct InFlight {
    flow: Arc<Flow>,
    permits: usize,
}

impl Flow {
    /// Nothing is under way.
    pub(super) fn new(limit: ByteSize) -> Arc<Self> {
        let limit = limit.as_usize().min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            room: Semaphore::new(limit),
            limit,
            stalled: AtomicBool::new(false),
            moved: Notify::new(),
            too_slow: AtomicBool::new(false),
        })
    }

    /// Takes a chunk whose frame has `bytes`, if there is room for it now.
    pub(super) fn try_enter(self: &Arc<Self>, bytes: usize) -> Option<InFlight> {
        if self.stalled.load(Ordering::Acquire) {
            return None;
        }
        let permits = self.permits(bytes);
        self.room.try_acquire_many(permits).ok()?.forget();
        Some(InFlight { flow: Arc::clone(self), permits: permits as usize })
    }

    /// The same, as soon as there is room.
    pub(super) async fn enter(self: &Arc<Self>, bytes: usize) -> InFlight {
        self.flowing().await;
        let permits = self.permits(bytes);
        if let Ok(room) = self.room.acquire_many(permits).await {
            room.forget();
        }
        InFlight { flow: Arc::clone(self), permits: permits as usize }
    }

    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.limit)).unwrap_or(u32::MAX)
    }

    async fn flowing(&self) {
        loop {
            // why: before the look, or what moves in between would not be heard.
            let moved = self.moved.notified();
            if !self.stalled.load(Ordering::Acquire) {
                return;
            }
            moved.await;
        }
    }

    /// The peer does not take its acks, or takes them again.
    pub(super) fn set_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Release);
        if !stalled {
            self.moved.notify_waiters();
        }
    }

    /// The peer has not taken its acks in time.
    pub(super) fn give_up(&self) {
        self.too_slow.store(true, Ordering::Release);
    }

    /// Whether it has not.
    pub(super) fn was_given_up(&self) -> bool {
        self.too_slow.load(Ordering::Acquire)
    }
}

impl InFlight {
    /// Makes it stand for `other`, too.
    pub(super) fn join(&mut self, mut other: Self) {
        self.permits += std::mem::take(&mut other.permits);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.flow.room.add_permits(self.permits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk that has to wait.
    async fn waits(flow: &Arc<Flow>) -> tokio::task::JoinHandle<InFlight> {
        let flow = Arc::clone(flow);
        let next = tokio::spawn(async move { flow.enter(1).await });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        next
    }

    #[tokio::test]
    async fn chunks_wait_for_those_before_them_and_one_larger_than_all_goes_alone() {
        let flow = Flow::new(ByteSize(10));
        let (first, second) = (flow.enter(4).await, flow.enter(6).await);
        assert!(flow.try_enter(1).is_none());
        drop(first);
        assert!(flow.try_enter(1_000).is_none(), "not beside another");
        drop(second);
        let large = flow.try_enter(1_000).expect("alone");
        assert!(flow.try_enter(1).is_none());
        let next = waits(&flow).await;
        drop(large);
        next.await.expect("room");
    }

    #[tokio::test]
    async fn nothing_more_is_taken_from_a_peer_that_does_not_take_its_acks() {
        let flow = Flow::new(ByteSize(10));
        flow.set_stalled(true);
        assert!(flow.try_enter(1).is_none());
        let next = waits(&flow).await;
        flow.set_stalled(false);
        next.await.expect("it goes on");
    }
}
