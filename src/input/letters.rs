//! What was refused, on its way to the dead letters.
//!
//! Promises: an event counts as received and as a dead letter at once, when its letter is on the disk, and only then is
//! its chunk acked; a disk that takes no letters holds up those who send garbage, not those who do not; what one
//! connection holds of letters is bounded by [`TOGETHER`] and one letter more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::log::RateLimited;
use crate::metrics::{Metrics, kind, reason};
use crate::output::DeadLetters;

/// Bytes of letters of one connection that are written together.
pub(super) const TOGETHER: usize = 64 << 10;

/// The pause after a write that failed, to begin with; it doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(100);

const LONGEST: Duration = Duration::from_secs(10);

static FAILED: RateLimited = RateLimited::every(Duration::from_secs(10));
static LOST: RateLimited = RateLimited::every(Duration::from_secs(10));

/// The way to the files, shared by all connections.
pub(super) struct Letters {
    files: DeadLetters,
    /// One write at a time: a flood of refused frames must not take up the threads that others block on.
    turn: Mutex<()>,
    metrics: Arc<Metrics>,
}

impl Letters {
    /// To `files`.
    pub(super) fn new(files: DeadLetters, metrics: Arc<Metrics>) -> Self {
        Self { files, turn: Mutex::new(()), metrics }
    }
}

/// The letters of one connection that are not on the disk yet.
#[derive(Default)]
pub(super) struct Unwritten {
    lines: Vec<u8>,
    events: u64,
}

impl Unwritten {
    /// Adds a letter about so many events; true if it is time to write.
    pub(super) fn add(&mut self, line: &[u8], events: u64) -> bool {
        self.lines.extend_from_slice(line);
        self.events += events;
        self.lines.len() >= TOGETHER
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Writes them, of which there are some, for as many attempts as it needs while there is time; true if they are on the disk. From when
    /// `hurry` is cancelled there is one attempt.
    pub(super) async fn write(&mut self, to: &Letters, hurry: &CancellationToken) -> bool {
        let _turn = to.turn.lock().await;
        let mut pause = SHORTEST;
        while let Err(fault) = to.files.write(self.lines.clone()).await {
            kind(&to.metrics.errors, "dead_letters").inc();
            if let Some(held_back) = FAILED.admit() {
                tracing::error!(%fault, held_back, "dead letters cannot be written: those who sent them wait");
            }
            if hurry.run_until_cancelled(sleep(pause)).await.is_none() {
                self.give_up(&to.metrics);
                return false;
            }
            pause = (2 * pause).min(LONGEST);
        }
        to.metrics.events_received.inc_by(self.events);
        to.metrics.events_dead_letter.inc_by(self.events);
        *self = Self::default();
        true
    }

    /// Counts those that will not be written any more as dropped.
    pub(super) fn give_up(&mut self, metrics: &Metrics) {
        if self.is_empty() {
            return;
        }
        metrics.events_received.inc_by(self.events);
        reason(&metrics.events_dropped, "letter").inc_by(self.events);
        if let Some(held_back) = LOST.admit() {
            let events = self.events;
            tracing::error!(
                events,
                held_back,
                "refused events are lost: their dead letters were not written"
            );
        }
        *self = Self::default();
    }
}
