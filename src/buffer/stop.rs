//! The end: all that is left goes to disk, within a deadline.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Buffer;
use super::held::Standing;
use super::shared::Shared;

/// How long a stop waits, beyond its deadline, for the writer to put its pen down.
const LAST_CALL: Duration = Duration::from_millis(100);

/// What a stop left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopReport {
    /// Documents that wait on disk for the next start.
    pub spilled_events: u64,
    /// Documents that did not get there; nobody was told that they were safe.
    pub lost_events: u64,
    /// Why.
    pub fault: Option<String>,
}

impl Buffer {
    /// Spills all that is left, what is on loan too, and syncs it; no more is lent. Repeating it only reports again.
    /// A loan that is delivered later than this goes out once more after the next start, under the ids it had.
    pub async fn stop(&self, deadline: Duration) -> StopReport {
        let shared = self.shared();
        let deadline = Instant::now() + deadline;
        shared.begin_stop();
        let drained = timeout_at(deadline, shared.writes.drained()).await;
        shared.writes.close();
        let ended = timeout_at(deadline.max(Instant::now() + LAST_CALL), shared.writes.ended()).await;
        let late = drained.is_err() || ended.is_err();
        let report = shared.report(late);
        if report.lost_events > 0 {
            let StopReport { lost_events, fault, .. } = &report;
            tracing::error!(
                documents = lost_events,
                ?fault,
                "could not spill everything before the deadline"
            );
        }
        report
    }
}

impl Shared {
    /// From here on nothing is lent, and whatever is in memory is on its way to disk.
    fn begin_stop(&self) {
        let mut queue = self.queue();
        queue.stopping = true;
        self.seal_aged(&mut queue, std::time::Instant::now(), Duration::ZERO);
        let mut held: Vec<_> = queue.held().cloned().collect();
        drop(queue);
        self.news.notify_waiters();
        held.sort_by_key(|held| held.sequence);
        held.into_iter().for_each(|held| self.spill(held, "stop", false));
    }

    fn report(&self, late: bool) -> StopReport {
        let unsafe_yet = |standing| matches!(standing, Standing::Memory | Standing::Waiting { .. });
        let queue = self.queue();
        let lost = queue.held().filter(|held| unsafe_yet(held.standing())).map(|held| held.documents()).sum();
        drop(queue);
        let fault =
            self.fault().or_else(|| late.then(|| "the deadline passed before the disk was done".to_owned()));
        StopReport { spilled_events: self.events().saturating_sub(lost), lost_events: lost, fault }
    }
}
