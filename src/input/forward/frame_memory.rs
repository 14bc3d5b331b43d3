//! The memory that the frames on their way into one listener take, all connections together.
//!
//! Invariants: what connections hold beyond a little of their own each stays within `frames_memory`, but for one of them
//! at a time, which may go beyond it with its frame; so there is always one that can go on, and no circle of waiters.
//! Those that wait do so in the order in which they came. While anybody waits, the slowest of those whose frame has
//! been coming for some time are displaced: what the memory holds belongs to those who use it quickly.

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
    /// How long a frame may come before its connection can be displaced.
    grace: Duration,
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
    /// While it is read: since when its frame has been coming, and what has come of it.
    coming: Option<(Instant, u64)>,
    displaced: bool,
    tell: Arc<Notify>,
}

/// What one connection holds.
pub(super) struct Account {
    memory: Arc<FrameMemory>,
    /// None while it holds nothing that is counted.
    entry: Option<(u64, Arc<Notify>)>,
    bytes: u64,
    begun: Option<Instant>,
}

/// The connection's frame came so slowly that others get its memory.
#[derive(Debug)]
pub(super) struct Displaced;

impl FrameMemory {
    /// `limit` bytes in all. Whose frame has not come for `grace` keeps what it has.
    pub(super) fn new(limit: ByteSize, grace: Duration, metrics: Arc<Metrics>) -> Arc<Self> {
        let (state, turn, moved) = Default::default();
        Arc::new(Self { limit: limit.0, grace, state, turn, moved, metrics })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers, changed together without anything that could panic in between.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `id` can hold `bytes`: for those before it, and for memory.
    async fn wait_for(&self, id: u64, bytes: u64) {
        let _turn = self.turn.lock().await;
        loop {
            let look_again = {
                let mut state = self.lock();
                if state.may_hold(id, bytes, self.limit) || state.go_beyond(id) {
                    return;
                }
                state.displace_slowest(bytes, self)
            };
            timeout(look_again, self.moved.notified()).await.ok();
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

    /// Displaces as many as it takes to hold `bytes` more, and tells after how long others can be.
    fn displace_slowest(&mut self, bytes: u64, memory: &FrameMemory) -> Duration {
        let now = Instant::now();
        let soon = self.holders.values().filter_map(|holder| holder.grace_left(now, memory.grace)).min();
        let leaving = self.holders.values().filter(|holder| holder.displaced).map(|holder| holder.bytes);
        let mut missing = (self.used + bytes).saturating_sub(memory.limit + leaving.sum::<u64>());
        while missing > 0 {
            let slow = self.holders.values_mut();
            let slow = slow.filter_map(|holder| Some((holder.pace(now, memory.grace)?, holder)));
            let Some((_, slowest)) = slow.min_by(|(a, _), (b, _)| a.total_cmp(b)) else { break };
            slowest.displaced = true;
            slowest.tell.notify_one();
            missing = missing.saturating_sub(slowest.bytes);
        }
        soon.unwrap_or(memory.grace)
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
    /// How long it cannot be displaced yet.
    fn grace_left(&self, now: Instant, grace: Duration) -> Option<Duration> {
        let left = (self.coming?.0 + grace).saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// Bytes a second, where it can be displaced.
    fn pace(&self, now: Instant, grace: Duration) -> Option<f64> {
        let (since, came) = self.coming.filter(|_| !self.displaced)?;
        let time = now.saturating_duration_since(since);
        (time >= grace).then(|| came as f64 / time.as_secs_f64())
    }
}

impl Account {
    /// Holds nothing.
    pub(super) fn new(memory: &Arc<FrameMemory>) -> Self {
        Self { memory: Arc::clone(memory), entry: None, bytes: 0, begun: None }
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
        let (id, waiting) = (self.enter(), Instant::now());
        tokio::select! {
            biased;
            () = self.displaced() => return Err(Displaced),
            () = self.memory.wait_for(id, counted(capacity)) => self.hold(capacity),
        }
        // What it has waited for is not its own slowness.
        self.begun = self.begun.map(|begun| begun + waiting.elapsed());
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
        self.begun = (has_come > 0).then(|| self.begun.unwrap_or_else(Instant::now));
        self.set_coming(self.begun.map(|begun| (begun, has_come as u64)));
    }

    /// It is read no more, for now.
    pub(super) fn came(&mut self) {
        self.set_coming(None);
    }

    /// A frame is whole.
    pub(super) fn frame_ended(&mut self) {
        self.begun = None;
    }

    fn set_coming(&self, coming: Option<(Instant, u64)>) {
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

    fn memory(limit: u64, grace: Duration) -> Arc<FrameMemory> {
        FrameMemory::new(ByteSize(limit), grace, Metrics::new(&mut Registry::default()))
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
    async fn the_slowest_give_way_to_one_that_waits_and_none_before_its_grace_is_over() {
        let memory = memory(100, Duration::from_millis(20));
        let (mut slow, mut quick) = (Account::new(&memory), Account::new(&memory));
        assert!(slow.try_hold(OWN + 50) && quick.try_hold(OWN + 50));
        slow.coming(10);
        quick.coming(40);
        // Takes what one may hold beyond the limit.
        let mut third = Account::new(&memory);
        hold(&mut third, 10).await.expect("beyond the limit");
        let asked = Instant::now();
        let mut fourth = Account::new(&memory);
        let leave = async {
            slow.displaced().await;
            let after = asked.elapsed();
            drop(slow);
            after
        };
        let (held, after) = tokio::join!(hold(&mut fourth, 20), async {
            timeout(LONG, leave).await.expect("displaced in time")
        });
        held.expect("memory");
        assert!(after >= Duration::from_millis(15), "{after:?}");
        let stays = timeout(Duration::from_millis(30), quick.displaced()).await;
        assert!(stays.is_err(), "nobody needs its memory");
    }
}
