//! The time that a peer has before its first frame, for everything that stands in front of the frames together.
//!
//! Invariant: each step runs under the one deadline, so that no number of steps, and no peer that answers each of them
//! a byte at a time, takes longer than `handshake_timeout`. A listener with nothing in front of its frames has none.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::connection::Ended;

/// When a peer has to be at its first frame.
pub(super) struct Deadline<'a> {
    until: Instant,
    limit: Duration,
    stop: &'a CancellationToken,
}

impl<'a> Deadline<'a> {
    /// `limit` from now. A `stop` ends every step: nothing has been taken yet that could be lost.
    pub(super) fn start(limit: Duration, stop: &'a CancellationToken) -> Self {
        Self { until: Instant::now() + limit, limit, stop }
    }

    /// Does one step, as long as there is time.
    pub(super) async fn within<T>(&self, step: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Ended::Stopping),
            done = timeout_at(self.until, step) => done.unwrap_or(Err(Ended::TooSlow(self.limit))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_ends_in_time_at_the_deadline_or_with_the_stop() {
        let stop = CancellationToken::new();
        let never = std::future::pending::<Result<(), Ended>>;
        let far = Deadline::start(Duration::from_secs(3_600), &stop);
        assert!(far.within(async { Ok(()) }).await.is_ok());
        let over = Deadline::start(Duration::from_millis(1), &stop);
        let ended = over.within(never()).await.expect_err("no time is left");
        assert_eq!(ended.reason(), Some("handshake_timeout"), "{ended}");
        stop.cancel();
        let ended = far.within(never()).await.expect_err("stopped");
        assert!(matches!(ended, Ended::Stopping), "{ended}");
    }
}
