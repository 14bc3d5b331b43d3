//! The wiring, start to stop: the only file that names every stage.
//!
//! It starts whole or not at all: every address is bound, every file opened and what the last run left taken back before
//! the first connection is accepted. It stops in the order of the data: listeners, connections, waiting parts, output,
//! buffer; within the deadline, naming who was still busy. A second signal ends it at once.

mod drain;
mod engines;
mod error;
mod handles;
mod replay;
mod resend;
mod tables;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::buffer::{Buffer, KeptParts};
use crate::config::Config;
use crate::enrich::{Assembler, Defaults, Gatherer, Joiner, PipelineError, Pipelines};
use crate::http::{self, BufferReading, DiskReading, Gauges, Reading, TailReading, TargetReading};
use crate::input::forward::Listener;
use crate::input::tail::Tails;
use crate::input::{Pass, Shared};
use crate::metrics::{Audit, Books, LineFormat, Metrics, TailMetrics};
use crate::output::elasticsearch::Elasticsearch;
use crate::output::file::FileOutput;
use crate::output::{DeadLetters, Output, OutputError};
use crate::parse::Format;

pub(crate) use engines::ask as ask_engines;

pub use drain::{Drained, Progress, drain};
pub use error::Error;
pub use replay::{ReplayProgress, ReplayTo, Replayed, replay};
pub use resend::{Resent, resend};

/// How often parts of docker lines are looked at for having waited too long.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// How often the books are looked at.
const AUDIT_EVERY: Duration = Duration::from_secs(5);

/// How long a stop waits for a healthy target to take what is in memory, before it is spilled.
const DRAIN: Duration = Duration::from_secs(2);

/// What a stop keeps of its deadline for what comes after the input: draining, and spilling what is left.
const SPILL_SHARE: u32 = 3;

/// Runs until a signal.
pub async fn run(config: Config) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let daemon = Daemon::start(config).await?;
    signals.next().await;
    tracing::info!("stopping");
    tokio::select! {
        stopped = daemon.stop() => stopped,
        () = signals.next() => {
            tracing::error!("stopped at once by a second signal: what was in memory without an ack is lost");
            std::process::exit(1)
        }
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let hear = |kind| signal(kind).map_err(Error::Signals);
        Ok(Self { terminate: hear(SignalKind::terminate())?, interrupt: hear(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

/// A daemon that runs.
struct Daemon {
    stop_timeout: Duration,
    shared: Arc<Shared>,
    output: Arc<Output>,
    listeners: TaskTracker,
    tails: Tails,
    /// Ends listening; connections finish what has come.
    stop_input: CancellationToken,
    /// Ends connections as soon as what they have read is written, room or not.
    kill_input: CancellationToken,
    stop_output: CancellationToken,
    delivering: JoinHandle<()>,
    /// Ends the pages, last of all: they show how the stop goes.
    stop_http: CancellationToken,
}

impl Daemon {
    async fn start(mut config: Config) -> Result<Self, Error> {
        handles::make_room(&mut config.forward, !config.tail.is_empty());
        let mut listeners = Vec::new();
        for options in &config.forward {
            listeners.push(Listener::bind(options.clone()).await?);
        }
        let http = bind_http(&config.http.listen).await?;
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let pipelines = compile(&config)?;
        let dead_letters = DeadLetters::open(config.dead_letters.clone(), &config.dead_letters_dir())?
            .counting(&metrics.letters_deleted);
        let output = Arc::new(open_output(&config, &dead_letters, &metrics)?);
        let (buffer, parts) =
            Buffer::open(config.buffer.clone(), &config.buffer_dir(), Arc::clone(&metrics))?;
        let joiner = Joiner::new(config.partial.clone(), Arc::clone(&metrics));
        let lines = Gatherer::new(config.multiline.clone());
        let assembler = Assembler::new(joiner, lines).with_paths(config.path_fields());
        let shared =
            Shared::new(pipelines, assembler, buffer, dead_letters, &config.buffer, Arc::clone(&metrics));
        let source =
            pages_source(Instant::now(), shared.buffer().clone(), Arc::clone(&output), Arc::clone(&metrics));
        Gauges::register(&mut registry, Arc::clone(&source), Arc::clone(&metrics));

        let delivering = deliver(Arc::clone(&output), shared.buffer().clone());
        let stop_input = CancellationToken::new();
        let tails = Tails::open(&config.tail, &config.tail_dir(), &shared, &stop_input)?;
        let mut daemon = Self {
            stop_timeout: config.stop_timeout,
            stop_input,
            tails,
            kill_input: CancellationToken::new(),
            stop_output: delivering.1,
            delivering: delivering.0,
            stop_http: CancellationToken::new(),
            listeners: TaskTracker::new(),
            shared,
            output,
        };
        engines::follow(&daemon.shared, &daemon.stop_http).await;
        daemon.take_back(parts);
        tokio::spawn(tables::keep(Arc::clone(&daemon.shared), daemon.stop_http.clone()));
        tokio::spawn(audit(daemon.shared.buffer().clone(), metrics, daemon.stop_http.clone()));
        if let Some(socket) = http {
            let (registry, stop) = (Arc::new(registry), daemon.stop_http.clone());
            tokio::spawn(http::serve(socket, source, registry, stop));
        }
        daemon.tails.start(&daemon.listeners)?;
        daemon.listen(listeners);
        say_target(&config);
        Ok(daemon)
    }

    /// Parts that the last run kept go on waiting for the rest of their lines.
    fn take_back(&self, parts: KeptParts) {
        let mut pass = Pass::new(Arc::clone(&self.shared), self.kill_input.clone());
        parts.settled.iter().for_each(|part| self.shared.assembler().recover_settled(part));
        for part in parts.waiting {
            pass.recover(&part.bytes, part.id);
            pass.flush();
        }
    }

    fn listen(&self, listeners: Vec<Listener>) {
        for listener in listeners {
            tracing::info!(listener = "forward", address = %listener.address(), "listening");
            let (stop, kill) = (self.stop_input.clone(), self.kill_input.clone());
            self.listeners.spawn(listener.serve(Arc::clone(&self.shared), stop, kill));
        }
        let (stop, kill) = (self.stop_input.clone(), self.kill_input.clone());
        self.listeners.spawn(expire(Arc::clone(&self.shared), stop, kill));
        self.listeners.close();
    }

    /// Nobody comes to go on with them now.
    fn write_waiting_lines(&self) {
        let mut pass = Pass::new(Arc::clone(&self.shared), self.kill_input.clone());
        self.shared.assembler().take_lines().iter().for_each(|line| pass.line(line));
    }

    async fn stop(self) -> Result<(), Error> {
        let deadline = Instant::now() + self.stop_timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.stop_input.cancel();
        let for_input = self.stop_timeout - self.stop_timeout / SPILL_SHARE;
        if timeout(for_input, self.listeners.wait()).await.is_err() {
            let connections = self.shared.metrics().connections.get();
            tracing::warn!(connections, "connections were still busy and are cut off");
            self.kill_input.cancel();
            if timeout(left() / 2, self.listeners.wait()).await.is_err() {
                tracing::error!("connections did not end, and what they had read is lost");
            }
        }
        self.write_waiting_lines();
        let buffer = self.shared.buffer();
        self.shared.assembler().parts().keep_all(|part| {
            buffer.keep_part(part.to_vec(), None);
        });
        self.drain(left() / 3).await;
        self.stop_output.cancel();
        let mut delivering = self.delivering;
        if timeout(left() / 2, &mut delivering).await.is_err() {
            tracing::warn!("the output was still busy and is cut off; what it held is spilled");
            delivering.abort();
        }
        let report = buffer.stop(left()).await;
        self.tails.finish();
        self.stop_http.cancel();
        if report.lost_events > 0 {
            return Err(Error::Lost { events: report.lost_events, why: report.fault.unwrap_or_default() });
        }
        tracing::info!(spilled_events = report.spilled_events, "stopped");
        Ok(())
    }

    /// A target that takes documents gets those that are in memory, which saves them the way over the disk.
    async fn drain(&self, within: Duration) {
        let drained = async {
            while self.output.health().ok && self.shared.buffer().stats().events > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        // What is not taken in time is spilled.
        timeout(DRAIN.min(within), drained).await.ok();
    }
}

async fn bind_http(address: &str) -> Result<Option<TcpListener>, Error> {
    if address.is_empty() {
        return Ok(None);
    }
    let fault = |error| Error::HttpListen { address: address.to_owned(), error };
    let socket = TcpListener::bind(address).await.map_err(fault)?;
    let address = socket.local_addr().map_err(fault)?;
    tracing::info!(listener = "http", %address, "listening");
    Ok(Some(socket))
}

/// The pipelines of `config`.
pub(crate) fn compile(config: &Config) -> Result<Pipelines, PipelineError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let target = &config.elasticsearch;
    let defaults = Defaults { index: &target.index, fallback: &target.index_fallback, host: &host };
    Pipelines::compile(&config.pipelines, defaults)
}

fn open_output(
    config: &Config,
    dead_letters: &DeadLetters,
    metrics: &Arc<Metrics>,
) -> Result<Output, OutputError> {
    let default = config.documents_dir();
    let files = || FileOutput::open(config.file.clone(), &default, Arc::clone(metrics));
    if config.elasticsearch.hosts.is_empty() {
        return files().map(Output::File);
    }
    let patterns = config.pipelines.iter().map(|pipeline| pipeline.pattern.as_str());
    let letters = dead_letters.clone().naming_pipelines(patterns);
    let files = config.routes_to_files().then(files).transpose()?;
    let options = config.elasticsearch.clone();
    Elasticsearch::new(options, config.own_indices(), letters, files, Arc::clone(metrics))
        .map(Output::Elasticsearch)
}

fn deliver(output: Arc<Output>, buffer: Buffer) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let next = move || {
        let buffer = buffer.clone();
        async move { buffer.pop().await }
    };
    (tokio::spawn(async move { output.run(next, token).await }), stop)
}

/// How many lines were read in a format; none where nobody uses it.
fn counted(format: Format, metrics: &Metrics) -> Option<(&'static str, u64)> {
    let counter = metrics.lines_parsed.get(&LineFormat { format: format.name() })?;
    Some((format.name(), counter.get())).filter(|(_, count)| *count > 0)
}

fn tail((paths, metrics): (String, TailMetrics)) -> TailReading {
    let (files, passed_over_files) = (metrics.files.get(), metrics.passed_over.get());
    TailReading { paths, files, passed_over_files, behind_bytes: metrics.behind.get() }
}

fn pages_source(
    started: Instant,
    buffer: Buffer,
    output: Arc<Output>,
    metrics: Arc<Metrics>,
) -> http::Source {
    Arc::new(move || {
        let (stats, health) = (buffer.stats(), output.health());
        Reading {
            uptime: started.elapsed(),
            target: TargetReading { ok: health.ok, detail: health.summary },
            buffer: BufferReading {
                events: stats.events,
                memory_bytes: stats.memory_bytes,
                memory_limit: stats.memory_limit,
                disk_bytes: stats.disk_bytes,
                disk_limit: stats.disk_limit,
                oldest: stats.oldest,
            },
            disk: stats.free_bytes.zip(stats.total_bytes).map(|(free, total)| DiskReading {
                free,
                total,
                must_stay_free: stats.must_stay_free,
            }),
            disk_fault: stats.disk_fault,
            books_off: metrics.books_off.get(),
            tails: metrics.tails.tables().into_iter().map(tail).collect(),
            formats: Format::ALL.iter().filter_map(|format| counted(*format, &metrics)).collect(),
        }
    })
}

/// Looks at the books again and again, and says so when they do not balance although nothing moves.
async fn audit(buffer: Buffer, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut audit = Audit::default();
    while stop.run_until_cancelled(sleep(AUDIT_EVERY)).await.is_some() {
        let books = Books::read(&metrics, buffer.stats().events);
        let Some(difference) = audit.look(books) else { continue };
        metrics.books_off.set(difference);
        if audit.is_news(difference) {
            tracing::error!(
                ?books,
                difference,
                "the books do not balance: events were lost or counted twice"
            );
        }
    }
}

/// Emits lines of which a part never came.
async fn expire(shared: Arc<Shared>, stop: CancellationToken, kill: CancellationToken) {
    let mut pass = Pass::new(Arc::clone(&shared), kill);
    while stop.run_until_cancelled(sleep(EXPIRE_EVERY)).await.is_some() {
        for line in shared.assembler().expire() {
            pass.room().await;
            pass.line(&line);
        }
        pass.flush();
    }
}

fn say_target(config: &Config) {
    if config.elasticsearch.hosts.is_empty() {
        tracing::info!(
            folder = %config.documents_dir().display(),
            "writing documents to files; --elasticsearch URL, the key `hosts` in [elasticsearch] or \
             FOREBAY_ELASTICSEARCH__HOSTS sends them to Elasticsearch"
        );
    }
}
