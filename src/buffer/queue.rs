//! The queue itself: what waits, in order, what is on loan, and the open batches. Pure: no I/O, no clock of its own.
//!
//! Invariants: a batch is in `slots` or in `lent`, never in both; keys ascend in the order in which batches were sealed,
//! and what comes back goes to where it was; `tally` counts the batches of `slots` that are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::extent::Extent;
use super::group::Group;
use super::held::{Held, Standing};
use super::slot::Slot;
use super::{BufferOptions, OpenBatch};

/// Allocations kept for reuse.
const MAX_SPARE: usize = 4;

/// What an output gets, or for what it waits.
pub(super) enum Next {
    /// Batches in memory, to be lent together.
    Memory(Vec<Arc<Held>>),
    /// Batches of one segment, in order and already counted as lent under these keys; to be read together.
    Disk(Vec<(u64, Extent)>),
    /// Nothing is due before then.
    At(Instant),
    /// Nothing is there.
    Nothing,
    /// Nothing is lent any more.
    Stopped,
}

#[derive(Default)]
struct Tally {
    bytes: usize,
    documents: usize,
}

/// See the module.
pub(super) struct Queue {
    slots: BTreeMap<u64, Slot>,
    lent: BTreeMap<u64, Slot>,
    open: Vec<OpenBatch>,
    pub(super) group: Group,
    /// Empty ones, kept for their allocations.
    spare: Vec<OpenBatch>,
    tally: Tally,
    /// Documents in `slots` that are on disk only.
    disk_documents: u64,
    extents: usize,
    next_sequence: u64,
    batch_bytes: usize,
    /// What batches that are lent together from memory have at most: a loan of several is a copy, so it takes twice that.
    joined_bytes: usize,
    batch_documents: usize,
    batch_age: Duration,
    pub(super) stopping: bool,
}

impl Queue {
    pub(super) fn new(options: &BufferOptions, next_sequence: u64) -> Self {
        Self {
            slots: BTreeMap::new(),
            lent: BTreeMap::new(),
            open: Vec::new(),
            group: Group::default(),
            spare: Vec::new(),
            tally: Tally::default(),
            disk_documents: 0,
            extents: 0,
            next_sequence,
            batch_bytes: options.batch_limit(),
            joined_bytes: options.batch_limit().min(options.loan() / 2),
            batch_documents: options.batch_documents,
            batch_age: options.batch_age,
            stopping: false,
        }
    }

    /// A number that nothing had before.
    pub(super) fn number(&mut self) -> u64 {
        let number = self.next_sequence;
        self.next_sequence += 1;
        number
    }

    pub(super) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Queues what a start found; a number that is there twice, left by a fault and a crash, costs a little order.
    pub(super) fn restore(&mut self, extent: Extent) {
        let key = self.put(extent.run.first, Slot::Disk(extent));
        self.next_sequence = self.next_sequence.max(key + 1);
    }

    /// An open batch to go on with, else an empty one.
    pub(super) fn take_open(&mut self) -> OpenBatch {
        let open = self.open.pop().or_else(|| self.spare.pop());
        open.unwrap_or_else(|| OpenBatch::new(Vec::new()))
    }

    pub(super) fn is_full(&self, batch: &OpenBatch) -> bool {
        batch.len() >= self.batch_bytes || batch.documents() >= self.batch_documents
    }

    pub(super) fn keep_open(&mut self, batch: OpenBatch) {
        self.open.push(batch);
    }

    /// The open batches that have waited for `age`.
    pub(super) fn take_aged(&mut self, now: Instant, age: Duration) -> Vec<OpenBatch> {
        self.open.extract_if(.., |batch| now.saturating_duration_since(batch.opened()) >= age).collect()
    }

    /// How long an open batch waits for more.
    pub(super) fn batch_age(&self) -> Duration {
        self.batch_age
    }

    /// Seals a batch and queues it behind all others.
    pub(super) fn seal(&mut self, mut batch: OpenBatch) -> Arc<Held> {
        if let Some(bytes) = batch.fit() {
            self.recycle(bytes);
        }
        let charge = batch.take_charge();
        let sequence = self.number();
        let held = Arc::new(Held::new(sequence, batch.seal(), charge));
        self.put(sequence, Slot::Memory(Arc::clone(&held)));
        held
    }

    /// Takes back an allocation that nobody needs now.
    pub(super) fn recycle(&mut self, bytes: Vec<u8>) {
        self.keep(OpenBatch::new(bytes));
    }

    /// Keeps an empty batch for the next taker, if its allocation is one that a whole batch fits in: another would move while it
    /// grows.
    pub(super) fn keep(&mut self, batch: OpenBatch) {
        let least = self.batch_bytes.max(64 << 10);
        let fits = (least..=4 * self.batch_bytes).contains(&batch.capacity());
        if fits && self.spare.len() < MAX_SPARE {
            self.spare.push(batch);
        }
    }

    /// Gives one of the kept allocations up; called now and then, so that an idle buffer costs no memory.
    pub(super) fn shrink(&mut self) {
        if self.slots.is_empty() && self.lent.is_empty() {
            self.spare.pop();
        }
    }

    /// An allocation to read into.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        self.spare.pop().map(OpenBatch::into_spare).unwrap_or_default()
    }

    /// From here on nothing waits for more.
    pub(super) fn hurry(&mut self) {
        self.batch_age = Duration::ZERO;
    }

    /// Whether an output that waits has to look again because of what was just queued.
    pub(super) fn is_news(&self) -> bool {
        let first = self.slots.len() + self.open.len() + usize::from(self.group.batch().is_some()) <= 1;
        first || self.is_due_by_size()
    }

    fn is_due_by_size(&self) -> bool {
        self.tally.bytes >= self.batch_bytes
            || self.tally.documents >= self.batch_documents
            || self.extents > 0
    }

    /// What to lend next; it counts as lent from here on.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if self.stopping {
            return Next::Stopped;
        }
        match self.slots.first_key_value() {
            None => self.oldest_open().map_or(Next::Nothing, |opened| Next::At(opened + self.batch_age)),
            Some((_, Slot::Disk(_))) => Next::Disk(self.lend_disk()),
            Some((_, Slot::Memory(held))) => {
                let due = held.opened + self.batch_age;
                if due <= now || self.is_due_by_size() {
                    Next::Memory(self.lend_memory())
                } else {
                    Next::At(self.earliest(due))
                }
            }
        }
    }

    fn earliest(&self, due: Instant) -> Instant {
        self.oldest_open().map_or(due, |opened| due.min(opened + self.batch_age))
    }

    fn oldest_open(&self) -> Option<Instant> {
        self.open.iter().chain(self.group.batch()).map(OpenBatch::opened).min()
    }

    /// The extents in front that are of one segment, as many as may make up a bulk request: parts of docker lines and
    /// what is settled already lie between them. What is stored tells only roughly what they hold, so twice as much of
    /// it is lent; what of that is too much comes back once it is read.
    fn lend_disk(&mut self) -> Vec<(u64, Extent)> {
        let enough = 2 * self.batch_bytes as u64;
        let (mut lent, mut bytes, mut documents) = (Vec::<(u64, Extent)>::new(), 0, 0);
        while let Some((_, Slot::Disk(next))) = self.slots.first_key_value() {
            let is_apart = lent.first().is_some_and(|(_, first)| first.segment() != next.segment());
            if is_apart || bytes >= enough || documents >= self.batch_documents as u64 {
                break;
            }
            if let Some((key, Slot::Disk(extent))) = self.pop_first() {
                bytes += extent.stored();
                documents += extent.run.documents;
                self.lent.insert(key, Slot::Disk(extent.clone()));
                lent.push((key, extent));
            }
        }
        lent
    }

    fn lend_memory(&mut self) -> Vec<Arc<Held>> {
        let (mut lent, mut bytes, mut documents) = (Vec::new(), 0, 0);
        while let Some((_, Slot::Memory(held))) = self.slots.first_key_value() {
            bytes += held.bytes.len();
            documents += held.ends.len();
            if !lent.is_empty() && (bytes > self.joined_bytes || documents > self.batch_documents) {
                break;
            }
            if let Some((key, Slot::Memory(held))) = self.pop_first() {
                self.lent.insert(key, Slot::Memory(Arc::clone(&held)));
                lent.push(held);
            }
        }
        lent
    }

    /// What of a lent extent was read stays lent, unless there is no document in it; the rest goes back to the queue.
    /// The documents that are now known to be missing, once the whole extent has been read.
    pub(super) fn split_lent(&mut self, key: u64, offset: u64, last: u64, documents: u64) -> u64 {
        let Some(Slot::Disk(mut extent)) = self.lent.remove(&key) else { return 0 };
        let expected = extent.run.documents;
        let rest = extent.run.split(offset, last, documents);
        let missing = if rest.is_none() { expected.saturating_sub(documents) } else { 0 };
        let opened = extent.opened;
        if documents > 0 {
            extent.run.documents = documents;
            self.lent.insert(key, Slot::Disk(extent));
        }
        if let Some(run) = rest {
            self.put(run.first, Slot::Disk(Extent { run, opened }));
        }
        missing
    }

    /// A loan is over and done: forgets the slot.
    pub(super) fn forget(&mut self, key: u64) -> Option<Slot> {
        self.lent.remove(&key)
    }

    /// A loan is over and nothing came of it: back to where it was. The bytes of memory that it has.
    pub(super) fn put_back(&mut self, key: u64) -> u64 {
        let Some(slot) = self.lent.remove(&key) else { return 0 };
        let bytes = slot.held().map_or(0, |held| held.bytes.len() as u64);
        let key = self.put(key, slot);
        self.join_around(key);
        bytes
    }

    /// The first place that `which` picks, on loan or not.
    pub(super) fn first_of(&self, which: impl Fn(&Slot) -> bool) -> Option<u64> {
        let first =
            |slots: &BTreeMap<u64, Slot>| slots.iter().find(|(_, slot)| which(slot)).map(|(key, _)| *key);
        first(&self.slots).into_iter().chain(first(&self.lent)).min()
    }

    /// Memory lets go of a queued batch that is on disk; false if it is not in the queue now.
    pub(super) fn release(&mut self, held: &Held) -> bool {
        let Standing::Written(place) = held.standing() else { return false };
        let key = held.sequence;
        if !matches!(self.slots.get(&key), Some(Slot::Memory(_))) {
            return false;
        }
        self.take(key);
        self.put(key, Slot::Disk(Extent::of(held, place)));
        self.join_around(key);
        true
    }

    /// Joins the extent at `key` to its neighbours where they follow each other on disk.
    fn join_around(&mut self, key: u64) {
        let before = self.slots.range(..key).next_back().map(|(before, _)| *before);
        let key = before.filter(|before| self.join(*before, key)).unwrap_or(key);
        let after = self.slots.range(key + 1..).next().map(|(after, _)| *after);
        if let Some(after) = after {
            self.join(key, after);
        }
    }

    fn join(&mut self, before: u64, after: u64) -> bool {
        let Some(Slot::Disk(next)) = self.slots.get(&after).cloned() else { return false };
        let Some(Slot::Disk(extent)) = self.slots.get_mut(&before) else { return false };
        let joined = extent.run.absorb(&next.run);
        if joined {
            self.slots.remove(&after);
            self.extents -= 1;
        }
        joined
    }

    /// Takes out for good what `which` picks, oldest first.
    pub(super) fn take_where(&mut self, mut which: impl FnMut(&Slot) -> bool) -> Vec<Slot> {
        let picked: Vec<u64> =
            self.slots.iter().filter(|(_, slot)| which(slot)).map(|(key, _)| *key).collect();
        picked.into_iter().filter_map(|key| self.take(key)).collect()
    }

    /// The places on loan that `which` picks.
    pub(super) fn lent_where(&self, which: impl Fn(&Slot) -> bool) -> Vec<u64> {
        self.lent.iter().filter(|(_, slot)| which(slot)).map(|(key, _)| *key).collect()
    }

    /// The queued batches that are in memory, newest first.
    pub(super) fn queued(&self) -> impl Iterator<Item = &Arc<Held>> {
        self.slots.values().rev().filter_map(Slot::held)
    }

    /// All batches in memory, those on loan too.
    pub(super) fn held(&self) -> impl Iterator<Item = &Arc<Held>> {
        self.queued().chain(self.lent.values().filter_map(Slot::held))
    }

    /// How many entries there are, whatever they stand for.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.slots.len()
    }

    /// Documents of the queue that are on disk only.
    pub(super) fn disk_documents(&self) -> u64 {
        self.disk_documents
    }

    /// When the oldest document came in.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let queued = self.slots.values().next().map(Slot::opened);
        queued.into_iter().chain(self.lent.values().map(Slot::opened)).chain(self.oldest_open()).min()
    }

    fn put(&mut self, mut key: u64, slot: Slot) -> u64 {
        while self.slots.contains_key(&key) || self.lent.contains_key(&key) {
            key += 1;
        }
        match &slot {
            Slot::Memory(held) => {
                self.tally.bytes += held.bytes.len();
                self.tally.documents += held.ends.len();
            }
            Slot::Disk(extent) => {
                self.disk_documents += extent.run.documents;
                self.extents += 1;
            }
        }
        self.slots.insert(key, slot);
        key
    }

    fn pop_first(&mut self) -> Option<(u64, Slot)> {
        let key = *self.slots.first_key_value()?.0;
        Some((key, self.take(key)?))
    }

    fn take(&mut self, key: u64) -> Option<Slot> {
        let slot = self.slots.remove(&key)?;
        match &slot {
            Slot::Memory(held) => {
                self.tally.bytes -= held.bytes.len();
                self.tally.documents -= held.ends.len();
            }
            Slot::Disk(extent) => {
                self.disk_documents -= extent.run.documents;
                self.extents -= 1;
            }
        }
        Some(slot)
    }
}
