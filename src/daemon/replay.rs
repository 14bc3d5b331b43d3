//! A replay: files instead of listeners, then the daemon's own path to the target. It may run beside a daemon.
//!
//! Nothing is spilled: what was not delivered lies on disk already, where it was read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Error, Signals, compile, deliver, engines, open_output};
use crate::buffer::{Buffer, BufferOptions};
use crate::config::Config;
use crate::enrich::{Assembler, Gatherer, Joiner, PipelineOptions};
use crate::input::Shared;
use crate::input::file::Progress;
use crate::input::replay::{self, FoundFiles, Job, ReplayOptions};
use crate::metrics::Metrics;
use crate::output::{DeadLetterOptions, DeadLetters, Output, Rehearsal, StandardOutput, TargetHealth};
use crate::units::ByteSize;

/// Documents in memory: enough for a bulk request on each of a few connections.
const MEMORY: ByteSize = ByteSize::mib(16);

/// Documents that are counted at once where none is sent: as many as stay where the processor has them at hand.
const REHEARSED_AT_ONCE: ByteSize = ByteSize::kib(128);

/// How often it is looked at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a stop waits for what was read to be delivered, which spares reading it again.
const DRAIN: Duration = Duration::from_secs(5);

/// Where documents go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayTo {
    /// The configured target.
    Target,
    /// Standard output.
    StandardOutput,
    /// Nowhere: it is only tried.
    Nowhere,
}

/// How a replay stands.
#[derive(Debug)]
pub struct ReplayProgress {
    /// Bytes of files that have been read, as they lie on disk.
    pub bytes: u64,
    /// Events that have been read.
    pub events: u64,
    /// Documents on their way.
    pub under_way: u64,
    /// Whether documents leave, and why not.
    pub target: TargetHealth,
}

/// How a replay ended.
pub struct Replayed {
    /// What was read and what became of it.
    pub job: Arc<Job>,
    /// Where documents went.
    pub output: Arc<Output>,
    /// Why it ended early, if it did.
    pub why: Option<String>,
}

/// Reads what was `found` until all of it is settled or a signal comes. A second signal ends the process at once, which costs
/// nothing but reading again.
pub async fn replay(
    config: Config,
    options: ReplayOptions,
    found: FoundFiles,
    to: ReplayTo,
    mut tell: impl FnMut(&Job, &ReplayProgress),
) -> Result<Replayed, Error> {
    let mut signals = Signals::new()?;
    let replay = Replay::start(config, options, found, to).await?;
    let why = tokio::select! {
        () = replay.finish(&mut tell) => None,
        () = signals.next() => Some("a signal came".to_owned()),
    };
    tokio::select! {
        replayed = replay.stop(why) => Ok(replayed),
        () = signals.next() => std::process::exit(1),
    }
}

/// A replay under way.
struct Replay {
    job: Arc<Job>,
    shared: Arc<Shared>,
    output: Arc<Output>,
    delivering: (tokio::task::JoinHandle<()>, tokio_util::sync::CancellationToken),
}

impl Replay {
    async fn start(
        mut config: Config,
        options: ReplayOptions,
        found: FoundFiles,
        to: ReplayTo,
    ) -> Result<Self, Error> {
        let folder = config.data_dir.join("replay");
        config.buffer =
            BufferOptions { memory: MEMORY.min(config.buffer.memory), spill: false, ..config.buffer };
        // why: a daemon that writes to files beside this one must not find another's half in its own.
        config.file.directory.get_or_insert_with(|| folder.join("documents"));
        let metrics = Metrics::new(&mut Registry::default());
        let pipelines = compile(&config)?;
        if let Err(fault) = engines::warm(&pipelines).await {
            tracing::warn!(fault, "events go without what docker_metadata adds");
        }
        let letters = letters(&config, to)?;
        if to == ReplayTo::Nowhere {
            config.buffer.batch_bytes = config.buffer.batch_bytes.min(REHEARSED_AT_ONCE);
        }
        let buffer = buffer(config.buffer.clone(), &folder.join("buffer"), Arc::clone(&metrics), to)?;
        let output = Arc::new(match to {
            ReplayTo::Target => open_output(&config, &letters, &metrics)?,
            ReplayTo::StandardOutput => Output::Standard(StandardOutput::new(Arc::clone(&metrics))),
            ReplayTo::Nowhere => Output::Rehearsal(Rehearsal::of(&buffer, Arc::clone(&metrics))),
        });
        let joiner = Joiner::new(config.partial.clone(), Arc::clone(&metrics));
        let assembler = Assembler::new(joiner, Gatherer::new(config.multiline.clone()));
        let shared = Shared::new(pipelines, assembler, buffer, letters, &config.buffer, metrics);
        let progress = match to {
            ReplayTo::Target => {
                let place = place(&config, options.tag.as_deref());
                open_progress(folder.join(format!("progress-{place:016x}.ndjson")))?
            }
            ReplayTo::StandardOutput | ReplayTo::Nowhere => Progress::in_memory(),
        };
        let waiting = (config.partial, config.multiline);
        let job = Arc::new(Job::new(Arc::clone(&shared), options, waiting, progress, found.groups));
        let delivering = deliver(Arc::clone(&output), shared.buffer().clone());
        let started = replay::start(&job, found.standard_input, &Handle::current());
        started.map_err(|fault| Error::Reader { fault })?;
        Ok(Self { job, shared, output, delivering })
    }

    /// Resolves when all files are read and all that was read is settled.
    async fn finish(&self, tell: &mut impl FnMut(&Job, &ReplayProgress)) {
        loop {
            let (bytes, events) = self.job.so_far();
            let under_way = self.shared.buffer().stats().events;
            tell(&self.job, &ReplayProgress { bytes, events, under_way, target: self.output.health() });
            if timeout(LOOK_EVERY, self.job.ended()).await.is_ok() {
                return;
            }
        }
    }

    async fn stop(self, why: Option<String>) -> Replayed {
        self.job.stop();
        if timeout(DRAIN, self.finish(&mut |_, _| ())).await.is_err() {
            self.job.give_up();
            if timeout(DRAIN, self.finish(&mut |_, _| ())).await.is_err() {
                tracing::warn!("a reader still waits for its file and is left alone");
            }
        }
        self.delivering.1.cancel();
        if timeout(DRAIN, self.delivering.0).await.is_err() {
            tracing::warn!("the output was still busy and is cut off; what it held will be read again");
        }
        let why = why.or_else(|| self.job.why());
        let why = why.map(|why| format!("{why}; {}", self.output.health().summary));
        Replayed { job: self.job, output: self.output, why }
    }
}

/// What only looks keeps no letters.
fn letters(config: &Config, to: ReplayTo) -> Result<DeadLetters, Error> {
    let unbounded = DeadLetterOptions { keep: ByteSize(0), ..config.dead_letters.clone() };
    Ok(match to {
        ReplayTo::Target => DeadLetters::open(unbounded, &config.dead_letters_dir())?,
        ReplayTo::StandardOutput => DeadLetters::when_needed(unbounded, &config.dead_letters_dir()),
        ReplayTo::Nowhere => DeadLetters::nowhere(),
    })
}

/// What notes nowhere how far it is works beside another replay, and where nothing can be written.
fn buffer(
    options: BufferOptions,
    folder: &Path,
    metrics: Arc<Metrics>,
    to: ReplayTo,
) -> Result<Buffer, Error> {
    Ok(match to {
        ReplayTo::Target => Buffer::open(options, folder, metrics)?.0,
        ReplayTo::StandardOutput | ReplayTo::Nowhere => Buffer::in_memory(options, metrics)?,
    })
}

/// Where documents go, as a number: what was read for one target, or one index, is not done for another.
fn place(config: &Config, tag: Option<&str>) -> u64 {
    let mut hosts: Vec<_> = config.elasticsearch.hosts.iter().map(url::Url::as_str).collect();
    hosts.sort_unstable();
    let files = config.file.directory.as_deref().filter(|_| hosts.is_empty());
    let index =
        |pipeline: &PipelineOptions| pipeline.index.clone().map(|index| (pipeline.pattern.clone(), index));
    let indices: Vec<_> = config.pipelines.iter().filter_map(index).collect();
    let place = format!("{:?}", (hosts, files, &config.elasticsearch.index, indices, tag));
    xxhash_rust::xxh3::xxh3_64(place.as_bytes())
}

fn open_progress(path: PathBuf) -> Result<Progress, Error> {
    Progress::open(&path).map_err(|fault| Error::Progress { path, fault })
}
