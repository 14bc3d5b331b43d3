//! The memory that the frames on their way into one listener take, all connections together.
//!
//! Invariants: what connections hold beyond a little of their own each stays within `frames_memory`, but for one of them
//! at a time, which may go beyond it with its frame; so there is always one that can go on, and no circle of waiters.
//! Of those that wait, the one whose frame has begun last is next, and while it waits those are displaced whose frame
//! comes more slowly than `frame_timeout` allows the largest one, and then those that have waited long themselves, the
//! oldest first. So what the memory holds belongs to those who use it, and a thousand that fill it and wait for more do
//! not keep out one that needs a little for a moment.
//!
//! why not the first come first: with a thousand that fill it before it, an honest sender would wait for all of them.

mod pace;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use pace::Coming;
pub(super) use pace::Pace;

use crate::metrics::Metrics;
use crate::units::ByteSize;

/// What a connection may hold without being counted: what every one of them needs.
pub(super) const OWN: usize = 8 << 10;

/// All of it.
pub(super) struct FrameMemory {
    limit: u64,
    pace: Pace,
    state: Mutex<State>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    used: u64,
    next: u64,
    /// Who may go beyond the limit.
    beyond: Option<u64>,
    holders: HashMap<u64, Holder>,
    /// By when their frame has begun.
    waiting: BTreeSet<(Instant, u64)>,
}

struct Holder {
    bytes: u64,
    /// While it is read.
    coming: Option<Coming>,
    /// While it waits: since when its frame has been there in part.
    waiting: Option<Instant>,
    displaced: bool,
    /// That it is displaced, or may be the next.
    tell: Arc<Notify>,
}

/// A place among those that wait, until it is dropped.
struct Place<'a> {
    memory: &'a FrameMemory,
    since: Instant,
    id: u64,
}

/// What one connection holds.
pub(super) struct Account {
    memory: Arc<FrameMemory>,
    /// None while it holds nothing that is counted.
    entry: Option<(u64, Arc<Notify>)>,
    bytes: u64,
    coming: Option<Coming>,
    begun: Option<Instant>,
}

/// The connection's frame came so slowly that others get its memory.
#[derive(Debug)]
pub(super) struct Displaced;

impl FrameMemory {
    /// `limit` bytes in all, for frames that come at this `pace`.
    pub(super) fn new(limit: ByteSize, pace: Pace, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { limit: limit.0, pace, state: Mutex::default(), metrics })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers, changed together without anything that could panic in between.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `id`, whose frame has begun at `since`, can hold `bytes`.
    async fn wait_for(&self, id: u64, since: Instant, bytes: u64, tell: &Notify) -> Result<(), Displaced> {
        let _place = Place::take(self, since, id);
        loop {
            if let Some(answer) = self.lock().answer(id, bytes, self) {
                return answer;
            }
            timeout(self.pace.window, tell.notified()).await.ok();
        }
    }
}

impl<'a> Place<'a> {
    fn take(memory: &'a FrameMemory, since: Instant, id: u64) -> Self {
        let mut state = memory.lock();
        state.waiting.insert((since, id));
        if let Some(holder) = state.holders.get_mut(&id) {
            holder.waiting = Some(since);
        }
        Self { memory, since, id }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        state.waiting.remove(&(self.since, self.id));
        if let Some(holder) = state.holders.get_mut(&self.id) {
            holder.waiting = None;
        }
        state.tell_next();
    }
}

impl State {
    fn may_hold(&self, id: u64, bytes: u64, limit: u64) -> bool {
        let others = self.used - self.holders.get(&id).map_or(0, |holder| holder.bytes);
        self.beyond == Some(id) || others == 0 || others.saturating_add(bytes) <= limit
    }

    /// Whether one that waits can go on, or has to go; none where it has to wait still.
    fn answer(&mut self, id: u64, bytes: u64, memory: &FrameMemory) -> Option<Result<(), Displaced>> {
        if self.holders.get(&id).is_none_or(|holder| holder.displaced) {
            return Some(Err(Displaced));
        }
        let is_next = self.waiting.last().is_some_and(|(_, last)| *last == id);
        if self.beyond != Some(id) && !is_next {
            return None;
        }
        if self.may_hold(id, bytes, memory.limit) || self.go_beyond(id) {
            return Some(Ok(()));
        }
        self.displace(id, bytes, memory);
        None
    }

    fn tell_next(&self) {
        if let Some(next) = self.waiting.last().and_then(|(_, id)| self.holders.get(id)) {
            next.tell.notify_one();
        }
    }

    fn go_beyond(&mut self, id: u64) -> bool {
        let is_free = self.beyond.is_none();
        if is_free {
            self.beyond = Some(id);
        }
        is_free
    }

    /// Displaces as many as it takes to hold `bytes` more.
    fn displace(&mut self, id: u64, bytes: u64, memory: &FrameMemory) {
        let now = Instant::now();
        let leaving = self.holders.values().filter(|holder| holder.displaced).map(|holder| holder.bytes);
        let mut missing = (self.used + bytes).saturating_sub(memory.limit + leaving.sum::<u64>());
        while missing > 0 {
            let Some(next) = self.next_to_go(id, now, memory.pace) else { return };
            next.displaced = true;
            next.tell.notify_one();
            missing = missing.saturating_sub(next.bytes);
        }
    }

    /// The slow one that holds most, else the oldest of those that have waited long.
    fn next_to_go(&mut self, id: u64, now: Instant, pace: Pace) -> Option<&mut Holder> {
        let slow = self.holders.iter().filter(|(_, holder)| holder.is_slow(now, pace));
        let slow = slow.max_by_key(|(_, holder)| holder.bytes).map(|(other, _)| *other);
        let stuck = self.holders.iter().filter(|(other, _)| **other != id && Some(**other) != self.beyond);
        let stuck = stuck.filter_map(|(other, holder)| Some((holder.stuck_since(now, pace)?, *other)));
        let next = slow.or_else(|| stuck.min().map(|(_, other)| other))?;
        self.holders.get_mut(&next)
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

    fn stuck_since(&self, now: Instant, pace: Pace) -> Option<Instant> {
        let since = self.waiting.filter(|_| !self.displaced && self.bytes > 0)?;
        (now.saturating_duration_since(since) >= pace.grace).then_some(since)
    }
}

impl Account {
    /// Holds nothing.
    pub(super) fn new(memory: &Arc<FrameMemory>) -> Self {
        Self { memory: Arc::clone(memory), entry: None, bytes: 0, coming: None, begun: None }
    }

    /// Counts an allocation of `capacity` bytes, if there is room for it.
    pub(super) fn try_hold(&mut self, capacity: usize) -> bool {
        let bytes = counted(capacity);
        if bytes > self.bytes {
            let id = self.enter();
            let state = self.memory.lock();
            // why: what is given back is for those who wait, or a large frame would wait for ever behind small ones.
            if !(state.waiting.is_empty() || state.beyond == Some(id))
                || !state.may_hold(id, bytes, self.memory.limit)
            {
                return false;
            }
        }
        self.hold(capacity);
        true
    }

    /// The same, as soon as there is room.
    pub(super) async fn wait_to_hold(&mut self, capacity: usize) -> Result<(), Displaced> {
        let id = self.enter();
        let since = *self.begun.get_or_insert_with(Instant::now);
        let (memory, tell) = (Arc::clone(&self.memory), self.tell());
        memory.wait_for(id, since, counted(capacity), &tell).await?;
        self.hold(capacity);
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
        let mut state = self.memory.lock();
        state.set(id, bytes);
        if bytes < self.bytes {
            state.tell_next();
        }
        drop(state);
        self.memory.metrics.frames_bytes.inc_by(bytes.cast_signed() - self.bytes.cast_signed());
        self.bytes = bytes;
        if bytes == 0 {
            self.entry = None;
        }
    }

    /// It is read; `has_come` bytes of a frame are there.
    pub(super) fn coming(&mut self, has_come: usize) {
        let pace = self.memory.pace;
        let go_on = |coming: Coming| coming.go_on(has_come, pace);
        self.coming = (has_come > 0).then(|| self.coming.map_or_else(|| Coming::first(has_come), go_on));
        self.begun = self.coming.map(|coming| self.begun.unwrap_or(coming.since));
        self.change(|holder| holder.coming = self.coming);
    }

    /// It is read no more, for now.
    pub(super) fn came(&mut self) {
        self.change(|holder| holder.coming = None);
    }

    /// A frame is whole.
    pub(super) fn frame_ended(&mut self) {
        (self.coming, self.begun) = (None, None);
    }

    fn change(&self, change: impl FnOnce(&mut Holder)) {
        let Some((id, _)) = &self.entry else { return };
        if let Some(holder) = self.memory.lock().holders.get_mut(id) {
            change(holder);
        }
    }

    /// Resolves when it has to give way.
    pub(super) fn displaced(&self) -> impl Future<Output = ()> + use<> {
        let told = self.entry.as_ref().map(|(id, tell)| (Arc::clone(&self.memory), *id, Arc::clone(tell)));
        async move {
            let Some((memory, id, tell)) = told else { return pending().await };
            loop {
                tell.notified().await;
                if memory.lock().holders.get(&id).is_none_or(|holder| holder.displaced) {
                    return;
                }
            }
        }
    }

    fn tell(&self) -> Arc<Notify> {
        self.entry.as_ref().map_or_else(Arc::default, |(_, tell)| Arc::clone(tell))
    }

    fn enter(&mut self) -> u64 {
        if let Some((id, _)) = &self.entry {
            return *id;
        }
        let mut state = self.memory.lock();
        let (id, tell) = (state.next, Arc::new(Notify::new()));
        state.next += 1;
        let holder =
            Holder { bytes: 0, coming: None, waiting: None, displaced: false, tell: Arc::clone(&tell) };
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
