//! What the buffer's handles, loans and writer share, and the rules by which batches are spilled.
//!
//! A batch goes to disk for one of four reasons: `promise` (somebody waits for its receipt), `pressure` (the memory
//! share is full and the target does not make room), `age` (it has waited `max_age`), `stop`. Only pressure makes memory let go of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::disk::Tries;
use super::disk::{DirLock, Files};
use super::held::{Held, Standing};
use super::loan::recycle;
use super::memory::Memory;
use super::queue::{Next, Queue};
use super::recall::Loans;
use super::writes::{Write, Writes};
use super::{Batch, BufferOptions, OpenBatch, Receipt};
use crate::metrics::{Metrics, reason};

/// What the last document of a batch may add beyond its limit without the batch being moved.
const ROOM_FOR_LAST: usize = 64 << 10;

/// Takes documents where they are given.
pub(super) type TakeAtOnce = Box<dyn Fn(&Batch) + Send + Sync>;

/// See the module.
pub(super) struct Shared {
    pub(super) options: BufferOptions,
    pub(super) files: Files,
    pub(super) metrics: Arc<Metrics>,
    pub(super) memory: Arc<Memory>,
    /// What of it is on loan, the copies that were made for it too.
    pub(super) lent: Arc<Memory>,
    pub(super) loans: Loans,
    pub(super) writes: Writes,
    /// How often each segment could not be read.
    pub(super) tries: Tries,
    /// Wakes outputs that wait for documents.
    pub(super) news: Notify,
    /// Who takes documents where they are given, so that none is queued.
    pub(super) at_once: OnceLock<TakeAtOnce>,
    queue: Mutex<Queue>,
    /// Documents given and not settled.
    pub(super) events: AtomicU64,
    /// Whether readers have waited for memory in vain, so that what comes in has to be spilled.
    pressed: AtomicBool,
    disk_bytes: AtomicU64,
    /// Documents given up that the log has not told of yet.
    pub(super) untold: AtomicU64,
    fault: Mutex<Option<String>>,
    faulty: AtomicBool,
    lock: Mutex<Option<DirLock>>,
}

impl Shared {
    pub(super) fn new(
        options: BufferOptions,
        files: Files,
        metrics: Arc<Metrics>,
        queue: Queue,
        lock: Option<DirLock>,
    ) -> Self {
        let memory = Memory::new(options.memory.0);
        let lent = Memory::new(options.loans());
        let events = AtomicU64::new(queue.disk_documents());
        Self {
            options,
            files,
            metrics,
            memory,
            lent,
            loans: Loans::default(),
            writes: Writes::default(),
            tries: Tries::default(),
            news: Notify::new(),
            at_once: OnceLock::new(),
            queue: Mutex::new(queue),
            events,
            pressed: AtomicBool::new(false),
            disk_bytes: AtomicU64::new(0),
            untold: AtomicU64::new(0),
            fault: Mutex::new(None),
            faulty: AtomicBool::new(false),
            lock: Mutex::new(lock),
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_sequence(&self) -> u64 {
        self.queue().next_sequence()
    }

    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Acquire)
    }

    /// Documents are settled, one way or another.
    pub(super) fn settled(&self, documents: u64) {
        self.events.fetch_sub(documents, Ordering::AcqRel);
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.disk_bytes.load(Ordering::Acquire)
    }

    pub(super) fn set_disk_bytes(&self, bytes: u64) {
        self.disk_bytes.store(bytes, Ordering::Release);
    }

    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nothing can be spilled now.
    pub(super) fn has_fault(&self) -> bool {
        self.faulty.load(Ordering::Acquire)
    }

    /// Notes a fault or its end; whether that is a change between the two.
    pub(super) fn set_fault(&self, fault: Option<String>) -> bool {
        let mut held = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = held.is_some() != fault.is_some();
        self.faulty.store(fault.is_some(), Ordering::Release);
        *held = fault;
        changed
    }

    /// The writer has ended: nobody writes to the directory any more.
    pub(super) fn ended(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.writes.end();
    }

    /// Above this, what comes in is spilled. Below `memory` by what may wait to be written, so that senders are
    /// held back by a disk that cannot keep up, not by one that can.
    fn spill_from(&self) -> u64 {
        let reserve = 4 * self.options.batch_limit() as u64;
        self.memory.limit() - reserve.min(self.memory.limit() / 4)
    }

    /// A reader has waited for memory for as long as it may: from here on the disk helps.
    pub(super) fn press(&self) {
        self.pressed.store(true, Ordering::Release);
        self.writes.nudge();
    }

    /// Whether what comes in has to leave memory. Pressure ends when half of the share is free again.
    pub(super) fn is_pressed(&self) -> bool {
        let used = self.memory.used();
        if used < self.memory.limit() / 2 {
            self.pressed.store(false, Ordering::Release);
        }
        used > self.spill_from() && self.pressed.load(Ordering::Acquire)
    }

    /// What a whole batch fits in, so that it never moves while it grows; untouched pages cost nothing.
    pub(super) fn whole_batch(&self) -> usize {
        self.options.batch_limit() + ROOM_FOR_LAST
    }

    /// How often age and pressure are looked at.
    pub(super) fn tick_every(&self) -> Duration {
        (self.options.max_age / 4).clamp(Duration::from_millis(10), Duration::from_millis(250))
    }

    pub(super) fn give(&self, mut batch: OpenBatch) {
        batch.is_home();
        batch.roll_back();
        if !batch.is_awaited() && self.drops_newest() {
            self.drop_newest(&mut batch);
        }
        if batch.is_empty() {
            return self.give_empty(batch);
        }
        if let Some(take) = self.at_once.get() {
            return self.give_at_once(batch.seal(), take);
        }
        let promised = batch.is_promised();
        if promised && self.gathers(&batch) {
            return self.gather(batch);
        }
        self.events.fetch_add(batch.account(&self.memory), Ordering::AcqRel);
        let mut queue = self.queue();
        if promised || queue.is_full(&batch) || queue.stopping {
            self.seal(queue, batch);
        } else {
            queue.keep_open(batch);
            self.tell_news(queue);
        }
    }

    /// Wakes outputs that have to look again.
    pub(super) fn tell_news(&self, queue: MutexGuard<'_, Queue>) {
        let news = queue.is_news();
        drop(queue);
        if news {
            self.news.notify_waiters();
        }
    }

    fn give_at_once(&self, batch: Batch, take: &TakeAtOnce) {
        take(&batch);
        batch.receipts.into_iter().for_each(Receipt::resolve);
        self.writes.settle(&[], &batch.parts);
        recycle(self, batch.bytes);
    }

    /// Nothing in it could be lost, so all that rides along is safe.
    fn give_empty(&self, mut batch: OpenBatch) {
        let (receipts, parts) = batch.take_riders();
        receipts.into_iter().for_each(Receipt::resolve);
        self.writes.settle(&[], &parts);
        self.queue().recycle(std::mem::take(batch.bytes()));
    }

    pub(super) fn seal(&self, mut queue: MutexGuard<'_, Queue>, batch: OpenBatch) {
        let promised = batch.is_promised();
        // why: what waits for the next sync came before.
        self.close_group(&mut queue);
        let held = queue.seal(batch);
        let stopping = queue.stopping;
        let pressed = self.is_pressed();
        // why: under the queue's lock, so that records come to disk in the order of their numbers and an extent or an
        // index has few gaps.
        match (promised, stopping) {
            (true, _) => self.spill(held, "promise", pressed),
            (false, true) => self.spill(held, "stop", false),
            (false, false) if pressed => self.spill(held, "pressure", true),
            (false, false) => (),
        }
        self.tell_news(queue);
    }

    /// Hands a batch to the writer, once, where batches may go to disk at all.
    pub(super) fn spill(&self, held: Arc<Held>, why: &'static str, release: bool) {
        if self.options.spill && held.claim(release) {
            reason(&self.metrics.spills, why).inc();
            self.writes.submit(Write::Batch(held));
        }
    }

    /// Memory lets go of batches that are on disk.
    pub(super) fn release(&self, batches: &[Arc<Held>]) {
        if batches.is_empty() {
            return;
        }
        let mut queue = self.queue();
        let released = batches.iter().filter(|held| queue.release(held)).count();
        drop(queue);
        if released > 0 {
            self.news.notify_waiters();
        }
    }

    /// What to lend next, now that what has been open long enough is sealed.
    pub(super) fn next(&self, now: Instant) -> Next {
        let mut queue = self.queue();
        let age = queue.batch_age();
        self.seal_aged(&mut queue, now, age);
        queue.next(now)
    }

    /// Seals what has been open too long, and spills what has waited too long.
    pub(super) fn tick(&self, now: Instant) {
        // why: what would be due before the next tick is due at this one.
        let age = self.options.max_age.saturating_sub(self.tick_every());
        let mut queue = self.queue();
        if self.seal_aged(&mut queue, now, self.options.batch_age.min(age)) {
            self.news.notify_waiters();
        }
        let is_old = |held: &&Arc<Held>| now.saturating_duration_since(held.opened) >= age;
        let aged: Vec<_> = queue.held().filter(is_old).cloned().collect();
        queue.shrink();
        drop(queue);
        aged.into_iter().for_each(|held| self.spill(held, "age", false));
    }

    /// Brings memory back below its share when loans or a disk that was full have pushed it above:
    /// the newest in the queue leave it first.
    pub(super) fn relieve(&self) {
        if !self.is_pressed() {
            return;
        }
        let mut excess = self.memory.used().saturating_sub(self.spill_from());
        let leaving = |held: &&Arc<Held>| {
            let more = excess > 0;
            excess = excess.saturating_sub(held.bytes.len() as u64);
            more
        };
        let leaving: Vec<_> = self.queue().queued().take_while(leaving).cloned().collect();
        let (written, others): (Vec<_>, Vec<_>) =
            leaving.into_iter().partition(|held| matches!(held.standing(), Standing::Written(_)));
        self.release(&written);
        others.into_iter().for_each(|held| self.spill(held, "pressure", true));
    }
}
