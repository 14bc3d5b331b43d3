//! The memory share: how many bytes of documents there are, and who waits until there are fewer.
//!
//! Every byte is charged once and given back by the [`Charge`]'s drop, whatever way its owner ends. A wake-up is
//! never lost: a waiter is enrolled before it looks, and a charge is given back before anybody is woken.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes in use against a limit.
pub(super) struct Memory {
    used: AtomicU64,
    limit: u64,
    room: Notify,
}

/// Bytes in use on somebody's behalf.
pub(super) struct Charge {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), limit, room: Notify::new() })
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether more may be taken in.
    pub(super) fn has_room(&self) -> bool {
        self.used() < self.limit
    }

    /// Counts `bytes` as used until the charge is dropped. Never waits: those who can wait do so before.
    pub(super) fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        let mut charge = Charge { memory: Arc::clone(self), bytes: 0 };
        charge.grow_to(bytes);
        charge
    }

    /// Resolves when there is room.
    pub(super) async fn room(&self) {
        while !self.has_room() {
            let mut freed = pin!(self.room.notified());
            freed.as_mut().enable();
            if self.has_room() {
                return;
            }
            freed.await;
        }
    }

    fn release(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Ordering::AcqRel);
        if before >= self.limit && before.saturating_sub(bytes) < self.limit {
            self.room.notify_waiters();
        }
    }
}

impl Charge {
    /// Counts what has been added since.
    pub(super) fn grow_to(&mut self, bytes: usize) {
        let more = (bytes as u64).saturating_sub(self.bytes);
        self.memory.used.fetch_add(more, Ordering::AcqRel);
        self.bytes += more;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.memory.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_waiter_is_let_on_when_a_charge_makes_room() {
        let memory = Memory::new(10);
        let mut charge = memory.charge(4);
        memory.room().await;
        charge.grow_to(10);
        assert!(!memory.has_room());
        let waiter = tokio::spawn({
            let memory = Arc::clone(&memory);
            async move { memory.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        drop(charge);
        waiter.await.expect("let on");
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_while_charges_come_and_go() {
        let memory = Memory::new(1);
        let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(take_often(Arc::clone(&memory)))).collect();
        for task in tasks {
            task.await.expect("every waiter gets through");
        }
        assert_eq!(memory.used(), 0);
    }

    async fn take_often(memory: Arc<Memory>) {
        for _ in 0..2_000 {
            memory.room().await;
            let charge = memory.charge(1);
            tokio::task::yield_now().await;
            drop(charge);
        }
    }
}
