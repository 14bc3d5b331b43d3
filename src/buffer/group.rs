//! The group: small batches that somebody waits for, put together until the writer is ready for the next sync.
//!
//! With a record, a mark and a place in the queue for each line, who sends lines one at a time would pay for these more than
//! for the line. Invariants: what is in the group came before all that is sealed while it is there, and leaves before it; the
//! writer knows of everything in it; it is closed at the latest when an output could have it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::OpenBatch;
use super::memory::Memory;
use super::queue::Queue;
use super::shared::Shared;
use super::writes::Orders;
use crate::metrics::reason;

/// Larger batches are compressed each for itself, and their record costs little beside them.
const SMALL: usize = 4 << 10;

/// See the module.
#[derive(Default)]
pub(super) struct Group {
    batch: Option<OpenBatch>,
    /// Bytes of the last one.
    last: usize,
}

impl Group {
    /// What is in it, if anything is.
    pub(super) fn batch(&self) -> Option<&OpenBatch> {
        self.batch.as_ref()
    }

    /// Takes what is in `batch`; how many documents of it the buffer had not counted.
    fn take_in(&mut self, batch: &mut OpenBatch, memory: &Arc<Memory>) -> u64 {
        let room = self.last + self.last / 2;
        let group = self.batch.get_or_insert_with(|| OpenBatch::new(Vec::with_capacity(room)));
        group.absorb(batch);
        let new = group.account(memory);
        // why: behind that, so that nobody sees room that is not there.
        drop(batch.take_charge());
        new
    }

    fn take(&mut self) -> Option<OpenBatch> {
        let group = self.batch.take()?;
        self.last = group.len();
        Some(group)
    }
}

impl Shared {
    /// Whether a promised batch is one for the group.
    pub(super) fn gathers(&self, batch: &OpenBatch) -> bool {
        self.options.spill && batch.len() < SMALL
    }

    /// Puts a promised batch to the group.
    pub(super) fn gather(&self, mut batch: OpenBatch) {
        let mut queue = self.queue();
        if queue.stopping || queue.is_full(&batch) {
            self.events.fetch_add(batch.account(&self.memory), Ordering::AcqRel);
            return self.seal(queue, batch);
        }
        if queue.group.batch().is_some_and(|group| queue.is_full(group)) {
            self.close_group(&mut queue);
        }
        let is_first = queue.group.batch().is_none();
        self.events.fetch_add(queue.group.take_in(&mut batch, &self.memory), Ordering::AcqRel);
        queue.keep(batch);
        // why: under the queue's lock, so that a group is never closed without those who asked for it being counted.
        let due = self.writes.gather();
        let is_news = is_first && queue.is_news();
        drop(queue);
        if is_news {
            self.news.notify_waiters();
        }
        due.wake();
    }

    /// Seals the group, and hands it to the writer.
    pub(super) fn close_group(&self, queue: &mut Queue) {
        let Some(group) = queue.group.take() else { return };
        let held = queue.seal(group);
        if held.claim(self.is_pressed()) {
            reason(&self.metrics.spills, "promise").inc();
            self.writes.submit_group(held);
        }
    }

    /// All that the writer has been asked for, the group among it.
    pub(super) fn take_orders(&self) -> (Orders, bool) {
        let mut queue = self.queue();
        self.close_group(&mut queue);
        let orders = self.writes.take();
        self.tell_news(queue);
        orders
    }

    /// Seals what has been open for `age`; whether anything has.
    pub(super) fn seal_aged(&self, queue: &mut Queue, now: Instant, age: Duration) -> bool {
        let aged = queue.take_aged(now, age);
        let is_aged = |group: &OpenBatch| now.saturating_duration_since(group.opened()) >= age;
        let is_any = !aged.is_empty() || queue.group.batch().is_some_and(is_aged);
        if is_any {
            self.close_group(queue);
        }
        aged.into_iter().for_each(|batch| drop(queue.seal(batch)));
        is_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Receipt;

    /// A batch of one document, which ends its parts and has a receipt.
    fn batch(tag: &str, text: &str, receipt: &Receipt) -> OpenBatch {
        let mut batch = OpenBatch::new(Vec::new());
        batch.bytes().extend_from_slice(text.as_bytes());
        batch.end_document(&Arc::from(tag));
        batch.attach(receipt);
        batch.supersede(text.len() as u64);
        batch
    }

    #[test]
    fn batches_become_one_with_all_that_rode_along() {
        let memory = Memory::new(1_000);
        let (receipt, mut waiter) = Receipt::new();
        let mut group = Group::default();
        for (tag, text) in [("a", "one"), ("a", "two"), ("b", "three")] {
            let mut batch = batch(tag, text, &receipt);
            assert_eq!(group.take_in(&mut batch, &memory), 1);
            assert!(batch.is_empty() && !batch.is_awaited());
        }
        receipt.resolve();
        assert_eq!(memory.used(), 11);
        let mut open = group.take().expect("a group");
        let charge = open.take_charge();
        let sealed = open.seal();
        let tags: Vec<_> = sealed.tags.iter().map(|run| (&*run.tag, run.documents)).collect();
        assert_eq!((&sealed.bytes[..], &sealed.ends[..]), (&b"onetwothree"[..], &[3, 6, 11][..]));
        assert_eq!((tags, sealed.parts), (vec![("a", 2), ("b", 1)], vec![3, 3, 5]));
        assert!(!waiter.is_safe_now());
        sealed.receipts.into_iter().for_each(Receipt::resolve);
        assert!(waiter.is_safe_now());
        drop(charge);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn what_was_counted_before_is_charged_once_and_counted_once() {
        let memory = Memory::new(1_000);
        let (receipt, _waiter) = Receipt::new();
        let mut counted = batch("a", "one", &receipt);
        assert_eq!(counted.account(&memory), 1);
        counted.bytes().extend_from_slice(b"more");
        counted.end_document(&Arc::from("a"));
        let mut group = Group::default();
        assert_eq!(group.take_in(&mut counted, &memory), 1, "the other one is known");
        assert_eq!(memory.used(), 7);
        drop(group);
        assert_eq!(memory.used(), 0);
    }
}
