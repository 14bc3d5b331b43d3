//! What is in the buffer to the target, without listening: the daemon's own wiring, from the buffer on.
//!
//! Parts of docker lines go last, as lines that miss the rest, and only when all else is delivered: while the target is
//! away they stay parts, so that a daemon which is started after all can still join them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Error, Signals, compile, deliver, open_output};
use crate::buffer::{Buffer, KeptPart};
use crate::config::Config;
use crate::enrich::{Assembler, Gatherer, Joiner, MultilineOptions, PartialOptions};
use crate::input::{Pass, Shared};
use crate::metrics::{Metrics, reason};
use crate::output::{DeadLetters, Output, TargetHealth};

/// How often it is looked at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How a drain stands.
#[derive(Debug)]
pub struct Progress {
    /// Documents that wait, parts apart.
    pub left: u64,
    /// Documents that waited at the start.
    pub total: u64,
    /// Whether documents leave, and why not.
    pub target: TargetHealth,
}

/// How a drain ended.
#[derive(Debug)]
pub struct Drained {
    /// Documents that the target took.
    pub indexed: u64,
    /// Documents that it had already.
    pub duplicate: u64,
    /// Documents that it will never take, kept as dead letters.
    pub dead_letters: u64,
    /// Documents that were lost to damage on disk, as far as they can be counted.
    pub corrupt: u64,
    /// Stretches of segments that the start found damaged and moved to quarantine.
    pub damaged: u64,
    /// Documents and parts that wait still.
    pub left: u64,
    /// Why, where something is left.
    pub why: Option<String>,
}

/// Delivers what is in the buffer until nothing is left, `within` has passed, or a signal comes. A second signal ends
/// the process at once, which costs nothing: all that waits is on disk.
pub async fn drain(
    config: Config,
    within: Option<Duration>,
    mut tell: impl FnMut(&Progress),
) -> Result<Drained, Error> {
    let mut signals = Signals::new()?;
    let limit = config.stop_timeout;
    let mut drain = Drain::start(config)?;
    let late = async {
        match within {
            Some(within) => sleep(within).await,
            None => std::future::pending().await,
        }
    };
    let why = tokio::select! {
        () = drain.deliver_all(&mut tell) => None,
        () = late => Some("the time is over".to_owned()),
        () = signals.next() => Some("a signal came".to_owned()),
    };
    tokio::select! {
        drained = drain.stop(limit, why) => drained,
        () = signals.next() => std::process::exit(1),
    }
}

/// A drain under way.
struct Drain {
    shared: Arc<Shared>,
    output: Arc<Output>,
    parts: Vec<KeptPart>,
    stop_output: CancellationToken,
    delivering: JoinHandle<()>,
}

impl Drain {
    fn start(config: Config) -> Result<Self, Error> {
        let metrics = Metrics::new(&mut Registry::default());
        let pipelines = compile(&config)?;
        let letters = DeadLetters::open(config.dead_letters.clone(), &config.dead_letters_dir())?;
        let output = Arc::new(open_output(&config, &letters, &metrics)?);
        let (buffer, kept) = Buffer::open(config.buffer.clone(), &config.buffer_dir(), Arc::clone(&metrics))?;
        // why: no rest of a line comes any more, so that none is waited for.
        let partial = PartialOptions { timeout: Duration::ZERO, ..config.partial };
        let multiline = MultilineOptions { timeout: Duration::ZERO, ..config.multiline.clone() };
        let joiner = Joiner::new(partial, Arc::clone(&metrics));
        let assembler = Assembler::new(joiner, Gatherer::new(multiline)).with_paths(config.path_fields());
        let shared = Shared::new(pipelines, assembler, buffer, letters, &config.buffer, metrics);
        let (delivering, stop_output) = deliver(Arc::clone(&output), shared.buffer().clone());
        Ok(Self { shared, output, parts: kept.waiting, stop_output, delivering })
    }

    async fn deliver_all(&mut self, tell: &mut impl FnMut(&Progress)) {
        let total = self.shared.buffer().stats().events + self.parts.len() as u64;
        self.until_empty(total, tell).await;
        if !self.parts.is_empty() {
            self.emit_parts().await;
            self.until_empty(total, tell).await;
        }
    }

    async fn until_empty(&self, total: u64, tell: &mut impl FnMut(&Progress)) {
        loop {
            let left = self.shared.buffer().stats().events;
            tell(&Progress { left, total, target: self.output.health() });
            if left == 0 {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn emit_parts(&mut self) {
        let mut pass = Pass::new(Arc::clone(&self.shared), CancellationToken::new());
        for part in std::mem::take(&mut self.parts) {
            pass.room().await;
            pass.recover(&part.bytes, part.id);
        }
        for line in self.shared.assembler().expire() {
            pass.room().await;
            pass.line(&line);
        }
        pass.flush();
    }

    async fn stop(self, limit: Duration, why: Option<String>) -> Result<Drained, Error> {
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        let why = why.map(|why| format!("{why}; {}", self.output.health().summary));
        self.stop_output.cancel();
        let mut delivering = self.delivering;
        if timeout(left() / 2, &mut delivering).await.is_err() {
            delivering.abort();
        }
        let buffer = self.shared.buffer();
        let report = buffer.stop(left()).await;
        if report.lost_events > 0 {
            return Err(Error::Lost { events: report.lost_events, why: report.fault.unwrap_or_default() });
        }
        let metrics = self.shared.metrics();
        Ok(Drained {
            indexed: metrics.events_indexed.get(),
            duplicate: metrics.events_duplicate.get(),
            dead_letters: metrics.events_dead_letter.get(),
            corrupt: reason(&metrics.events_dropped, "corrupt").get(),
            damaged: ["checksum", "malformed", "header"]
                .map(|word| reason(&metrics.recovery_skipped, word).get())
                .iter()
                .sum(),
            left: buffer.stats().events + self.parts.len() as u64,
            why,
        })
    }
}
