//! What keeps documents from leaving: for the health page while it lasts, for the log now and then.
//!
//! Invariant: an obstacle is counted exactly while some part of a delivery is held because of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::verdict::Obstacle;

/// The same matter is said at most this often.
const EVERY: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct Troubles(Mutex<State>);

#[derive(Default)]
struct State {
    held: HashMap<Obstacle, usize>,
    said: HashMap<&'static str, Instant>,
}

/// Some documents are held; over when dropped.
pub(super) struct Held {
    troubles: Arc<Troubles>,
    obstacle: Obstacle,
}

impl Troubles {
    /// Notes that documents are held, and says so. `told` is what was said of it, by the target or the disk.
    pub(super) fn hold(self: &Arc<Self>, obstacle: Obstacle, told: &str, documents: usize) -> Held {
        *self.lock().held.entry(obstacle).or_default() += 1;
        if self.is_time(obstacle.advice()) {
            tracing::error!(documents, told, "holding documents: {}", obstacle.advice());
        }
        Held { troubles: Arc::clone(self), obstacle }
    }

    /// Whether `matter` has not been said for a while; it counts as said from now on.
    pub(super) fn is_time(&self, matter: &'static str) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let due = state.said.get(matter).is_none_or(|said| now.duration_since(*said) >= EVERY);
        if due {
            state.said.insert(matter, now);
        }
        due
    }

    /// What holds documents at present, in a plain sentence.
    pub(super) fn summary(&self) -> Option<String> {
        let state = self.lock();
        let mut advice: Vec<_> = state.held.keys().map(|obstacle| obstacle.advice()).collect();
        advice.sort_unstable();
        (!advice.is_empty()).then(|| format!("holding documents: {}", advice.join("; ")))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.troubles.lock();
        if let Some(count) = state.held.get_mut(&self.obstacle) {
            *count -= 1;
            if *count == 0 {
                state.held.remove(&self.obstacle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_is_told_of_while_anything_is_held_by_it() {
        let troubles = Arc::new(Troubles::default());
        let one = troubles.hold(Obstacle::Blocked, "", 1);
        let two = troubles.hold(Obstacle::Blocked, "", 1);
        drop(one);
        assert!(troubles.summary().is_some_and(|text| text.contains("blocked")));
        drop(two);
        assert_eq!(troubles.summary(), None);
    }

    #[test]
    fn the_same_matter_is_not_said_twice_in_a_row() {
        let troubles = Troubles::default();
        assert!(troubles.is_time("a"));
        assert!(!troubles.is_time("a"));
        assert!(troubles.is_time("b"));
    }
}
