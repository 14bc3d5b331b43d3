//! Random instants that can be had again: the seed is told where a story fails, and taken from `STORY_SEED`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::show;

/// A generator of small numbers (splitmix64).
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// From the environment's seed, or the clock's.
    pub(crate) fn seeded() -> Self {
        let given = std::env::var("STORY_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()) ^ now.as_secs());
        Self { seed, state: seed }
    }

    /// A number from 0 up to `end`, which it is not.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            show(&format!("--- STORY_SEED={}", self.seed));
        }
    }
}
