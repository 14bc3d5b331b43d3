//! Warnings that could repeat without end: one is let through, then none for a while, and the next says how many
//! were held back. Nothing is forgotten but the repeats themselves.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a message through at most once in a span of time.
///
/// ```
/// use std::time::Duration;
/// use forebay::log::RateLimited;
///
/// static MALFORMED: RateLimited = RateLimited::every(Duration::from_secs(10));
///
/// if let Some(held_back) = MALFORMED.admit() {
///     tracing::warn!(held_back, "a peer sent a malformed frame");
/// }
/// ```
#[derive(Debug)]
pub struct RateLimited {
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last: Option<Instant>,
    held_back: u64,
}

impl RateLimited {
    /// At most once in `every`.
    pub const fn every(every: Duration) -> Self {
        Self { every, state: Mutex::new(State { last: None, held_back: 0 }) }
    }

    /// Whether the message may go out now; if so, how many were held back since the last that did.
    pub fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        // A thread that panicked in here left numbers that are still good.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < self.every) {
            state.held_back = state.held_back.saturating_add(1);
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_message_says_how_many_were_held_back() {
        let limited = RateLimited::every(Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| limited.admit_at(start + Duration::from_secs(seconds));
        assert_eq!(at(0), Some(0));
        assert_eq!(at(1), None);
        assert_eq!(at(9), None);
        assert_eq!(at(10), Some(2));
        assert_eq!(at(11), None);
        assert_eq!(at(20), Some(1));
        assert_eq!(at(40), Some(0));
    }
}
