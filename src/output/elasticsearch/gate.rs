//! How many bulk requests may be under way at once, as the target's answers have it.
//!
//! Additive increase, multiplicative decrease: one more after a window of good answers (as many as the limit),
//! half after a 429, 503 or time-out — once a round trip: a slot that was taken before the last halving halves
//! nothing, for it tells of a load that has been answered already. Invariant: 1 ≤ limit ≤ max.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;

pub(super) struct Gate {
    state: Mutex<State>,
    changed: Notify,
    max: usize,
    gauge: Gauge,
}

struct State {
    limit: usize,
    in_flight: usize,
    good: usize,
    halvings: u64,
}

/// Leave for one request; given back when dropped.
pub(super) struct Slot<'a> {
    gate: &'a Gate,
    halvings: u64,
}

impl Gate {
    /// Starts at one and finds its way up: at a start everybody comes at once.
    pub(super) fn new(max: usize, gauge: Gauge) -> Self {
        gauge.set(1);
        let state = State { limit: 1, in_flight: 0, good: 0, halvings: 0 };
        Self { state: Mutex::new(state), changed: Notify::new(), max: max.max(1), gauge }
    }

    /// Waits for leave to send.
    pub(super) async fn enter(&self) -> Slot<'_> {
        loop {
            let changed = self.changed.notified();
            if let Some(slot) = self.try_enter() {
                return slot;
            }
            changed.await;
        }
    }

    fn try_enter(&self) -> Option<Slot<'_>> {
        let mut state = self.lock();
        (state.in_flight < state.limit).then(|| {
            state.in_flight += 1;
            Slot { gate: self, halvings: state.halvings }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: &mut State, limit: usize) {
        state.limit = limit.clamp(1, self.max);
        state.good = 0;
        self.gauge.set(i64::try_from(state.limit).unwrap_or(i64::MAX));
    }
}

impl Slot<'_> {
    /// The target took the request without complaint.
    pub(super) fn good(self) {
        let mut state = self.gate.lock();
        state.good += 1;
        if state.good >= state.limit {
            let more = state.limit + 1;
            self.gate.set(&mut state, more);
        }
    }

    /// The target has too much to do.
    pub(super) fn overloaded(self) {
        let mut state = self.gate.lock();
        if state.halvings == self.halvings {
            state.halvings += 1;
            let half = state.limit / 2;
            self.gate.set(&mut state, half);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.gate.lock().in_flight -= 1;
        // why all: a limit that has grown may let in more than one, and those that wait are few.
        self.gate.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown_to(limit: usize, max: usize) -> Gate {
        let gate = Gate::new(max, Gauge::default());
        while gate.lock().limit < limit {
            gate.try_enter().expect("room").good();
        }
        gate
    }

    #[test]
    fn one_more_after_a_window_of_good_answers_and_never_above_the_most() {
        let gate = Gate::new(3, Gauge::default());
        let mut limits = Vec::new();
        for _ in 0..8 {
            gate.try_enter().expect("room").good();
            limits.push(gate.lock().limit);
        }
        assert_eq!(limits, [2, 2, 3, 3, 3, 3, 3, 3]);
    }

    #[test]
    fn a_load_that_four_requests_complain_of_is_halved_once() {
        let gate = grown_to(8, 8);
        let slots: Vec<_> = (0..4).map(|_| gate.try_enter().expect("room")).collect();
        slots.into_iter().for_each(Slot::overloaded);
        assert_eq!(gate.lock().limit, 4);
        gate.try_enter().expect("room").overloaded();
        assert_eq!(gate.lock().limit, 2);
        assert_eq!(gate.gauge.get(), 2);
    }

    #[tokio::test]
    async fn who_finds_no_room_waits_until_a_slot_is_given_back() {
        let gate = Gate::new(4, Gauge::default());
        let held = gate.enter().await;
        assert!(gate.try_enter().is_none());
        tokio::join!(
            async {
                gate.enter().await;
            },
            async { drop(held) }
        );
    }
}
