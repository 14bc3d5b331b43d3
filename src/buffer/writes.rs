//! What the writer thread is asked to do, and how the others hear that it is done.
//!
//! Bounded without a limit of its own: every write is of a batch or part that is charged to the memory share, and
//! every settled record was one on loan. Lock order: the queue's, then a batch's, then this one.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::disk::record::{Codec, Kind, NewRecord};
use super::held::{Held, Standing};
use super::memory::Charge;
use super::{PartId, Receipt};

/// How long a group is kept open for those who wrote when the last one was: where many senders wait for an ack each, it
/// saves most syncs, and where one does, nothing is waited for.
const GATHER: Duration = Duration::from_micros(300);

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
    /// How many have asked for them: a group is one write, and many that wait for it.
    pub(super) asked: usize,
    /// Delivered records, by segment and sequence.
    pub(super) settled: Vec<(u64, u64)>,
    /// Parts whose line is safe as a whole.
    pub(super) obsolete: Vec<PartId>,
    /// Segments that cannot be read.
    pub(super) unreadable: Vec<u64>,
}

impl Orders {
    fn is_empty(&self) -> bool {
        self.asked == 0
            && self.writes.is_empty()
            && self.settled.is_empty()
            && self.obsolete.is_empty()
            && self.unreadable.is_empty()
    }
}

/// What the writer sleeps for.
#[derive(Clone, Copy)]
enum Asleep {
    /// For anything.
    Idle,
    /// For so many to ask for a write.
    Gathering(usize),
}

#[derive(Default)]
struct State {
    orders: Orders,
    /// Writes that are not done yet.
    outstanding: usize,
    /// What the writer sleeps for, if it does and nobody has woken it yet: to wake it is a system call, which most orders
    /// can do without.
    asleep: Option<Asleep>,
    nudged: bool,
    closing: bool,
    ended: bool,
}

impl State {
    /// Whether there is no reason yet to wake the writer, if it sleeps.
    fn sleeps_on(&self) -> bool {
        match self.asleep {
            _ if self.closing => false,
            None => false,
            Some(Asleep::Idle) => self.orders.is_empty() && !self.nudged,
            Some(Asleep::Gathering(enough)) => self.orders.asked < enough,
        }
    }
}

/// The writer's sleep, where it is to end.
#[must_use]
pub(super) struct Due<'w>(Option<&'w Condvar>);

impl Due<'_> {
    pub(super) fn wake(self) {
        self.0.into_iter().for_each(Condvar::notify_one);
    }
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
        self.tell(|state| {
            state.orders.writes.push(write);
            state.orders.asked += 1;
            state.outstanding += 1;
        });
    }

    /// Announces documents of a group, which is submitted when the writer asks for it.
    pub(super) fn gather(&self) -> Due<'_> {
        self.note(|state| state.orders.asked += 1)
    }

    /// Asks for a write of what was announced; dropped if the writer has ended.
    pub(super) fn submit_group(&self, group: Arc<Held>) {
        self.tell(|state| {
            state.orders.writes.push(Write::Batch(group));
            state.outstanding += 1;
        });
    }

    /// Asks to mark records on disk as delivered, and parts as obsolete.
    pub(super) fn settle(&self, records: &[(u64, u64)], obsolete: &[PartId]) {
        if records.is_empty() && obsolete.is_empty() {
            return;
        }
        self.tell(|state| {
            state.orders.settled.extend_from_slice(records);
            state.orders.obsolete.extend_from_slice(obsolete);
        });
    }

    /// Asks to move a segment out of the way.
    pub(super) fn withdraw(&self, segment: u64) {
        self.tell(|state| state.orders.unreadable.push(segment));
    }

    /// Makes the writer look at memory now rather than at its next tick.
    pub(super) fn nudge(&self) {
        self.tell(|state| state.nudged = true);
    }

    /// Tells the writer something, unless it has ended.
    fn tell(&self, what: impl FnOnce(&mut State)) {
        self.note(what).wake();
    }

    /// The same, but that it is left to the caller to wake it, once no lock is held that it would have to wait for at once.
    fn note(&self, what: impl FnOnce(&mut State)) -> Due<'_> {
        let mut state = self.state();
        if state.ended {
            return Due(None);
        }
        what(&mut state);
        let is_due = !state.sleeps_on() && state.asleep.take().is_some();
        Due(is_due.then_some(&self.wake))
    }

    /// Waits for orders, at most for `tick`; and until so many as `enough` have asked for a write, once one has, at most for
    /// [`GATHER`].
    pub(super) fn wait(&self, tick: Duration, enough: usize) {
        let state = self.sleep(self.state(), Asleep::Idle, tick);
        if state.orders.asked > 0 {
            drop(self.sleep(state, Asleep::Gathering(enough), GATHER));
        }
    }

    /// Takes the orders, and whether the writer shall end.
    pub(super) fn take(&self) -> (Orders, bool) {
        let mut state = self.state();
        state.nudged = false;
        (mem::take(&mut state.orders), state.closing)
    }

    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        what: Asleep,
        most: Duration,
    ) -> MutexGuard<'a, State> {
        state.asleep = Some(what);
        let waited = self.wake.wait_timeout_while(state, most, |state| state.sleeps_on());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.asleep = None;
        state
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
        self.tell(|state| state.closing = true);
    }

    /// The writer's last word; what it has not written is dropped.
    pub(super) fn end(&self) {
        let dropped = {
            let mut state = self.state();
            state.ended = true;
            state.outstanding = 0;
            mem::take(&mut state.orders)
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

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn part(id: PartId) -> Write {
        Write::Part { id, bytes: Vec::new(), receipt: None, _charge: Memory::new(1).charge(0) }
    }

    fn taken(writes: &Writes, enough: usize) -> usize {
        writes.wait(LONG, enough);
        writes.take().0.writes.len()
    }

    #[test]
    fn a_group_waits_for_others_and_not_for_ever() {
        let writes = Writes::default();
        writes.submit(part(1));
        assert_eq!(taken(&writes, 1_000), 1, "nobody else comes");
        std::thread::scope(|threads| {
            let writer = threads.spawn(|| (0..2).map(|_| taken(&writes, 2)).sum::<usize>());
            writes.submit(part(2));
            writes.settle(&[(1, 1)], &[]);
            writes.submit(part(3));
            writes.close();
            assert_eq!(writer.join().expect("no panic"), 2, "in one group or in two");
        });
    }

    #[test]
    fn whatever_there_is_to_do_wakes_the_writer() {
        let orders: [fn(&Writes); 5] = [
            |writes| writes.submit(part(1)),
            |writes| writes.settle(&[(1, 1)], &[]),
            |writes| writes.withdraw(1),
            Writes::nudge,
            Writes::close,
        ];
        for order in orders {
            let writes = Writes::default();
            std::thread::scope(|threads| {
                let started = std::time::Instant::now();
                let writer = threads.spawn(|| writes.wait(LONG, 1));
                order(&writes);
                writer.join().expect("no panic");
                assert!(started.elapsed() < LONG, "it slept on");
            });
        }
    }
}
