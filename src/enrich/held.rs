//! What is remembered of the keys of events, for steps that look at more than one event.
//!
//! The steps of a pipeline serve all connections, so there is a lock: of one shard, for a few instructions, and only for events that
//! reach such a step. Invariants: no more keys are remembered than was said, in two generations; when the younger is full it becomes
//! the elder, and what the elder held is forgotten, the longest unseen first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

const SHARDS: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Held<S> {
    shards: [Mutex<Shard<S>>; SHARDS],
    /// Keys of one generation in one shard.
    generation: usize,
}

#[derive(Debug)]
struct Shard<S> {
    young: HashMap<u128, S>,
    old: HashMap<u128, S>,
}

impl<S> Held<S> {
    /// Remembers `most` keys, of 16 bytes and their slot.
    pub(super) fn new(most: usize) -> Self {
        let empty = |_| Mutex::new(Shard { young: HashMap::new(), old: HashMap::new() });
        Self { shards: std::array::from_fn(empty), generation: most / SHARDS / 2 }
    }

    /// Looks at the slot of `key`, which is `fresh` where there is none.
    pub(super) fn with<R>(
        &self,
        key: &[u8],
        fresh: impl FnOnce() -> S,
        look: impl FnOnce(&mut S) -> R,
    ) -> Option<R> {
        let hash = xxh3_128(key);
        let shard = self.shards.get(usize::try_from(hash % SHARDS as u128).ok()?)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.young.len() >= self.generation && !shard.young.contains_key(&hash) {
            shard.old = std::mem::take(&mut shard.young);
        }
        let before = shard.old.remove(&hash);
        Some(look(shard.young.entry(hash).or_insert_with(|| before.unwrap_or_else(fresh))))
    }
}

impl<T> Held<Option<Arc<T>>> {
    /// What is known of `key`, made where nothing is: outside of the lock, so that nobody waits for it, and twice where two ask at once.
    pub(super) fn remembered(&self, key: &[u8], make: impl FnOnce() -> T) -> Arc<T> {
        let known = self.with(key, || None, |known| known.clone());
        known.flatten().unwrap_or_else(|| {
            let made = Arc::new(make());
            self.with(key, || None, |known| *known = Some(Arc::clone(&made)));
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 16;

    fn remembered(held: &Held<u32>) -> usize {
        held.shards
            .iter()
            .map(|shard| shard.lock().expect("no panic"))
            .map(|shard| shard.young.len() + shard.old.len())
            .sum()
    }

    #[test]
    fn a_key_is_remembered_and_no_more_of_them_than_there_is_room_for() {
        let held = Held::new(MOST);
        let count = |key: &str| {
            held.with(
                key.as_bytes(),
                || 0,
                |count| {
                    *count += 1;
                    *count
                },
            )
        };
        assert_eq!((count("a"), count("a"), count("b")), (Some(1), Some(2), Some(1)));
        for n in 0..2 * MOST {
            count(&n.to_string());
            if n % 1_000 == 0 {
                count("a");
            }
        }
        assert!(remembered(&held) <= MOST, "{}", remembered(&held));
        assert!(count("a") > Some(100), "what is seen again and again stays");
        assert_eq!(count("b"), Some(1), "what was not seen for long is forgotten");
    }
}
