//! Warnings that could repeat without end: one is let through, then none for a while, and the next says how many
//! were held back. Nothing is forgotten but the repeats themselves.

use std::collections::BTreeMap;
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

/// Keys that are told apart at once; beyond, a message of another key has to wait. It bounds memory and the log.
const KEYS: usize = 16;

/// The same for each key, as for each address of peers, so that one that repeats without end does not hide another.
#[derive(Debug)]
pub struct RateLimitedEach<K> {
    every: Duration,
    state: Mutex<Each<K>>,
}

#[derive(Debug)]
struct Each<K> {
    of_keys: BTreeMap<K, State>,
    /// Held back, of keys that are not told apart any more, or not yet.
    of_others: u64,
}

impl<K: Ord> RateLimitedEach<K> {
    /// At most once in `every` for each key.
    pub const fn every(every: Duration) -> Self {
        Self { every, state: Mutex::new(Each { of_keys: BTreeMap::new(), of_others: 0 }) }
    }

    /// Whether a message about `key` may go out now; if so, how many were held back that no message has told of.
    pub fn admit(&self, key: K) -> Option<u64> {
        self.admit_at(key, Instant::now())
    }

    fn admit_at(&self, key: K, now: Instant) -> Option<u64> {
        let is_recent =
            |state: &State| state.last.is_some_and(|last| now.saturating_duration_since(last) < self.every);
        // A thread that panicked in here left numbers that are still good.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Each { of_keys, of_others } = &mut *state;
        if let Some(known) = of_keys.get_mut(&key).filter(|known| is_recent(known)) {
            known.held_back = known.held_back.saturating_add(1);
            return None;
        }
        of_keys.retain(|_, known| {
            let recent = is_recent(known);
            *of_others = of_others.saturating_add(if recent { 0 } else { known.held_back });
            recent
        });
        if of_keys.len() >= KEYS {
            *of_others = of_others.saturating_add(1);
            return None;
        }
        of_keys.insert(key, State { last: Some(now), held_back: 0 });
        Some(std::mem::take(of_others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_messages_as_many_keys_as_are_bounded_and_every_repeat_is_counted() {
        let limited = RateLimitedEach::every(Duration::from_secs(10));
        let start = Instant::now();
        let at = |key, seconds| limited.admit_at(key, start + Duration::from_secs(seconds));
        assert_eq!(at(0, 0), Some(0));
        assert_eq!(at(0, 1), None);
        assert_eq!(at(1, 2), Some(0), "another is not hidden by it");
        assert_eq!(at(1, 3), None);
        assert_eq!(at(0, 10), Some(1));
        let admitted = (2..1_000).filter(|key| at(*key, 11).is_some()).count();
        assert_eq!(admitted, KEYS - 2);
        assert_eq!(limited.state.lock().expect("no panic").of_keys.len(), KEYS);
        assert_eq!(at(5_000, 40), Some(1 + 998 - (KEYS as u64 - 2)), "what had to wait is told of");
        assert_eq!(limited.state.lock().expect("no panic").of_keys.len(), 1);
    }

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
