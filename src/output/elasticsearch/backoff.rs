//! How long to wait before the next attempt.
//!
//! Exponential with jitter: many daemons that lost the same target must not come back in step.

use std::time::Duration;

/// Bounds of a pause, and the attempts between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub(super) min: Duration,
    pub(super) max: Duration,
}

impl Backoff {
    /// Full jitter: anything between nothing and `min · 2^attempt`, below `max`. For documents.
    pub(super) fn full(self, attempt: u32) -> Duration {
        self.ceiling(attempt).mul_f64(random())
    }

    /// Half fixed, half jitter: for a node that shall really be left alone.
    pub(super) fn rest(self, attempt: u32) -> Duration {
        self.ceiling(attempt).mul_f64(0.5 + random() / 2.0)
    }

    /// The longest, with jitter: for what only an operator can mend.
    pub(super) fn long(self) -> Duration {
        self.max.mul_f64(0.5 + random() / 2.0)
    }

    fn ceiling(self, attempt: u32) -> Duration {
        // why 20: a doubling more than that leaves every sensible `max` far below.
        self.min.saturating_mul(1 << attempt.min(20)).min(self.max)
    }
}

/// In [0, 1). Without a source of randomness there is no jitter, and everything else goes on.
fn random() -> f64 {
    const STEPS: u32 = 1 << 24;
    let bits = getrandom::u32().unwrap_or(u32::MAX) % STEPS;
    f64::from(bits) / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { min: Duration::from_millis(100), max: Duration::from_secs(30) };

    #[test]
    fn pauses_grow_and_stay_below_the_most() {
        for attempt in 0..200 {
            let most = Duration::from_millis(100 << attempt.min(20)).min(BACKOFF.max);
            assert!(BACKOFF.full(attempt) <= most);
            assert!(BACKOFF.rest(attempt) >= most / 2 && BACKOFF.rest(attempt) <= most);
        }
        assert!(BACKOFF.long() >= BACKOFF.max / 2);
    }

    #[test]
    fn pauses_differ_from_each_other() {
        let pauses: std::collections::HashSet<_> = (0..50).map(|_| BACKOFF.full(9)).collect();
        assert!(pauses.len() > 10, "{pauses:?}");
    }
}
