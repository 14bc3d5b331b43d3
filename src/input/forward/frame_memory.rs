//! The memory that the frames on their way into one listener take, all connections together.
//!
//! Invariants: what connections hold beyond a little of their own each stays within `frames_memory`, but for one of them
//! at a time, which may go beyond it with its frame; so there is always one that can go on, and no circle of waiters.
//! Those that wait do so in the order in which they came. While anybody waits, those whose frame comes more slowly than
//! `frame_timeout` allows the largest one are displaced: what the memory holds belongs to those who use it.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::metrics::Metrics;
use crate::units::ByteSize;

/// What a connection may hold without being counted: what every one of them needs.
pub(super) const OWN: usize = 8 << 10;

/// All of it.
pub(super) struct FrameMemory {
    limit: u64,
    pace: Pace,
    state: Mutex<State>,
    /// Whoever has it is the next to be given memory. It is fair.
    turn: tokio::sync::Mutex<()>,
    moved: Notify,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    used: u64,
    next: u64,
    /// Who may go beyond the limit.
    beyond: Option<u64>,
    holders: HashMap<u64, Holder>,
}

struct Holder {
    bytes: u64,
    /// While it is read.
    coming: Option<Coming>,
    displaced: bool,
    tell: Arc<Notify>,
}

/// How fast a frame has to come while others wait, and over what time that is measured.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Bytes a second.
    pub(super) least: f64,
    /// How long a frame may pause.
    pub(super) window: Duration,
}

/// A frame that comes: how much of it had come when, and whether it was slow before that.
#[derive(Clone, Copy)]
struct Coming {
    since: Instant,
    had_come: usize,
    has_come: usize,
    was_slow: bool,
}

/// What one connection holds.
pub(super) struct Account {
    memory: Arc<FrameMemory>,
    /// None while it holds nothing that is counted.
    entry: Option<(u64, Arc<Notify>)>,
    bytes: u64,
    coming: Option<Coming>,
}

/// The connection's frame came so slowly that others get its memory.
#[derive(Debug)]
pub(super) struct Displaced;

impl FrameMemory {
    /// `limit` bytes in all, for frames that come at this `pace`.
    pub(super) fn new(limit: ByteSize, pace: Pace, metrics: Arc<Metrics>) -> Arc<Self> {
        let (state, turn, moved) = Default::default();
        Arc::new(Self { limit: limit.0, pace, state, turn, moved, metrics })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers, changed together without anything that could panic in between.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `id` can hold `bytes`: for those before it, and for memory.
    async fn wait_for(&self, id: u64, bytes: u64) {
        let _turn = self.turn.lock().await;
        loop {
            {
                let mut state = self.lock();
                if state.may_hold(id, bytes, self.limit) || state.go_beyond(id) {
                    return;
                }
                state.displace_slow(bytes, self);
            }
            timeout(self.pace.window, self.moved.notified()).await.ok();
        }
    }
}

impl State {
    fn may_hold(&self, id: u64, bytes: u64, limit: u64) -> bool {
        let others = self.used - self.holders.get(&id).map_or(0, |holder| holder.bytes);
        self.beyond == Some(id) || others == 0 || others.saturating_add(bytes) <= limit
    }

    fn go_beyond(&mut self, id: u64) -> bool {
        let is_free = self.beyond.is_none();
        if is_free {
            self.beyond = Some(id);
        }
        is_free
    }

    /// Displaces as many as it takes to hold `bytes` more, those that hold most first.
    fn displace_slow(&mut self, bytes: u64, memory: &FrameMemory) {
        let now = Instant::now();
        let leaving = self.holders.values().filter(|holder| holder.displaced).map(|holder| holder.bytes);
        let mut missing = (self.used + bytes).saturating_sub(memory.limit + leaving.sum::<u64>());
        while missing > 0 {
            let slow = self.holders.values_mut().filter(|holder| holder.is_slow(now, memory.pace));
            let Some(largest) = slow.max_by_key(|holder| holder.bytes) else { return };
            largest.displaced = true;
            largest.tell.notify_one();
            missing = missing.saturating_sub(largest.bytes);
        }
    }

    fn set(&mut self, id: u64, bytes: u64) {
        let Some(holder) = self.holders.get_mut(&id) else { return };
        let before = std::mem::replace(&mut holder.bytes, bytes);
        self.used = self.used - before + bytes;
        if bytes < before && self.beyond == Some(id) {
            self.beyond = None;
        }
        if bytes == 0 {
            self.holders.remove(&id);
        }
    }
}

impl Holder {
    fn is_slow(&self, now: Instant, pace: Pace) -> bool {
        self.coming.is_some_and(|coming| !self.displaced && coming.is_slow(now, pace))
    }
}

impl Coming {
    fn is_slow(&self, now: Instant, pace: Pace) -> bool {
        let time = now.saturating_duration_since(self.since);
        if time < pace.window { self.was_slow } else { self.is_slower(time, pace) }
    }

    fn is_slower(&self, time: Duration, pace: Pace) -> bool {
        (self.has_come.saturating_sub(self.had_come) as f64) < pace.least * time.as_secs_f64()
    }

    /// After more has come.
    fn go_on(self, has_come: usize, pace: Pace) -> Self {
        let (now, more) = (Instant::now(), Self { has_come, ..self });
        let time = now.saturating_duration_since(self.since);
        if time < pace.window {
            return more;
        }
        Self { since: now, had_come: has_come, has_come, was_slow: more.is_slower(time, pace) }
    }
}

impl Account {
    /// Holds nothing.
    pub(super) fn new(memory: &Arc<FrameMemory>) -> Self {
        Self { memory: Arc::clone(memory), entry: None, bytes: 0, coming: None }
    }

    /// Counts an allocation of `capacity` bytes, if there is room for it.
    pub(super) fn try_hold(&mut self, capacity: usize) -> bool {
        let bytes = counted(capacity);
        if bytes > self.bytes {
            let id = self.enter();
            let nobody_waits = self.memory.turn.try_lock().is_ok();
            let state = self.memory.lock();
            // why: what is given back is for those who wait, or a large frame would wait for ever behind small ones.
            if !(nobody_waits || state.beyond == Some(id)) || !state.may_hold(id, bytes, self.memory.limit) {
                return false;
            }
        }
        self.hold(capacity);
        true
    }

    /// The same, as soon as there is room.
    pub(super) async fn wait_to_hold(&mut self, capacity: usize) -> Result<(), Displaced> {
        let id = self.enter();
        tokio::select! {
            biased;
            () = self.displaced() => return Err(Displaced),
            () = self.memory.wait_for(id, counted(capacity)) => self.hold(capacity),
        }
        // That it was not read meanwhile is not its own slowness.
        self.coming = None;
        Ok(())
    }

    /// Counts an allocation of `capacity` bytes, whether there is room or not.
    pub(super) fn hold(&mut self, capacity: usize) {
        let bytes = counted(capacity);
        if bytes == self.bytes && (bytes > 0 || self.entry.is_none()) {
            return;
        }
        let id = self.enter();
        self.memory.lock().set(id, bytes);
        self.memory.metrics.frames_bytes.inc_by(bytes.cast_signed() - self.bytes.cast_signed());
        if bytes < self.bytes {
            self.memory.moved.notify_one();
        }
        self.bytes = bytes;
        if bytes == 0 {
            self.entry = None;
        }
    }

    /// It is read; `has_come` bytes of a frame are there.
    pub(super) fn coming(&mut self, has_come: usize) {
        let pace = self.memory.pace;
        let first = || Coming { since: Instant::now(), had_come: has_come, has_come, was_slow: false };
        let coming = self.coming.map_or_else(first, |coming| coming.go_on(has_come, pace));
        self.coming = (has_come > 0).then_some(coming);
        self.set_coming(self.coming);
    }

    /// It is read no more, for now.
    pub(super) fn came(&mut self) {
        self.set_coming(None);
    }

    /// A frame is whole.
    pub(super) fn frame_ended(&mut self) {
        self.coming = None;
    }

    fn set_coming(&self, coming: Option<Coming>) {
        let Some((id, _)) = &self.entry else { return };
        if let Some(holder) = self.memory.lock().holders.get_mut(id) {
            holder.coming = coming;
        }
    }

    /// Resolves when it has to give way.
    pub(super) fn displaced(&self) -> impl Future<Output = ()> + use<> {
        let tell = self.entry.as_ref().map(|(_, tell)| Arc::clone(tell));
        async move {
            match tell {
                Some(tell) => tell.notified().await,
                None => pending().await,
            }
        }
    }

    fn enter(&mut self) -> u64 {
        if let Some((id, _)) = &self.entry {
            return *id;
        }
        let mut state = self.memory.lock();
        let (id, tell) = (state.next, Arc::new(Notify::new()));
        state.next += 1;
        let holder = Holder { bytes: 0, coming: None, displaced: false, tell: Arc::clone(&tell) };
        state.holders.insert(id, holder);
        drop(state);
        self.entry = Some((id, tell));
        id
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.hold(0);
    }
}

fn counted(capacity: usize) -> u64 {
    capacity.saturating_sub(OWN) as u64
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn memory(limit: u64, window: Duration) -> Arc<FrameMemory> {
        let pace = Pace { least: 1_000.0, window };
        FrameMemory::new(ByteSize(limit), pace, Metrics::new(&mut Registry::default()))
    }

    async fn hold(account: &mut Account, bytes: usize) -> Result<(), Displaced> {
        timeout(LONG, account.wait_to_hold(OWN + bytes)).await.expect("memory in time")
    }

    #[tokio::test]
    async fn what_all_need_is_not_counted_and_what_is_counted_is_given_back() {
        let memory = memory(100, LONG);
        let (mut a, mut b) = (Account::new(&memory), Account::new(&memory));
        assert!(a.try_hold(OWN) && b.try_hold(OWN));
        assert_eq!(memory.metrics.frames_bytes.get(), 0);
        assert!(a.try_hold(OWN + 60));
        assert!(!b.try_hold(OWN + 41) && b.try_hold(OWN + 40));
        assert_eq!(memory.metrics.frames_bytes.get(), 100);
        a.hold(0);
        assert!(b.try_hold(OWN + 100));
        drop((a, b));
        assert_eq!(memory.metrics.frames_bytes.get(), 0);
        assert!(memory.lock().holders.is_empty());
    }

    #[tokio::test]
    async fn a_frame_larger_than_all_of_it_goes_alone() {
        let memory = memory(100, LONG);
        let mut a = Account::new(&memory);
        assert!(a.try_hold(OWN + 1_000));
        let mut b = Account::new(&memory);
        assert!(!b.try_hold(OWN + 1));
    }

    #[tokio::test]
    async fn one_goes_beyond_and_the_others_wait_for_it_so_that_all_come_to_their_end() {
        let memory = memory(100, LONG);
        let mut all: Vec<_> = (0..4).map(|_| Account::new(&memory)).collect();
        assert!(all.iter_mut().all(|account| account.try_hold(OWN + 25)));
        let mut waiting: Vec<_> = all
            .into_iter()
            .map(|mut account| {
                tokio::spawn(async move {
                    hold(&mut account, 60).await.expect("nobody is displaced");
                    hold(&mut account, 90).await.expect("nobody is displaced");
                    let used = account.memory.lock().used;
                    drop(account);
                    used
                })
            })
            .collect();
        while let Some(next) = waiting.pop() {
            let used = timeout(LONG, next).await.expect("an end in time").expect("no panic");
            assert!(used <= 100 + 90, "{used}");
        }
        assert_eq!(memory.lock().used, 0);
    }

    #[tokio::test]
    async fn those_that_come_too_slowly_give_way_to_one_that_waits_and_no_others() {
        let memory = memory(100, Duration::from_millis(20));
        let (mut slow, mut quick) = (Account::new(&memory), Account::new(&memory));
        assert!(slow.try_hold(OWN + 50) && quick.try_hold(OWN + 50));
        slow.coming(10);
        quick.coming(10);
        // Takes what one may hold beyond the limit.
        let mut third = Account::new(&memory);
        hold(&mut third, 10).await.expect("beyond the limit");
        let asked = Instant::now();
        let mut fourth = Account::new(&memory);
        let quick = tokio::spawn(async move {
            for more in 1.. {
                let displaced = timeout(Duration::from_millis(1), quick.displaced()).await;
                assert!(displaced.is_err(), "it keeps its pace");
                quick.coming(10 + 1_000 * more);
            }
        });
        let leave = async {
            let mut has_come = 10;
            while timeout(Duration::from_millis(1), slow.displaced()).await.is_err() {
                has_come += 1;
                slow.coming(has_come.min(12));
            }
            drop(slow);
            asked.elapsed()
        };
        let (held, after) = tokio::join!(hold(&mut fourth, 20), timeout(LONG, leave));
        held.expect("memory");
        let after = after.expect("displaced in time");
        assert!(after >= Duration::from_millis(15), "{after:?}");
        assert!(!quick.is_finished());
        quick.abort();
    }

    #[tokio::test]
    async fn one_that_has_to_give_way_is_told_so_while_it_waits_itself() {
        let memory = memory(100, Duration::from_millis(1));
        let mut slow = Account::new(&memory);
        assert!(slow.try_hold(OWN + 100));
        slow.coming(10);
        let mut beyond = Account::new(&memory);
        hold(&mut beyond, 10).await.expect("beyond the limit");
        let waiting = tokio::spawn(async move {
            let mut account = Account::new(&beyond.memory);
            hold(&mut account, 10).await.expect("memory");
        });
        while !memory.lock().holders.values().any(|holder| holder.displaced) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        slow.came();
        assert!(hold(&mut slow, 200).await.is_err());
        drop(slow);
        timeout(LONG, waiting).await.expect("in time").expect("no panic");
    }
}
