//! Elasticsearch and OpenSearch: deliveries out as bulk requests, a verdict for each document back.
//!
//! ```text
//!  delivery ──► courier ──► part ──► target ──► encoding ──► gate ──► nodes ──► client ──► _bulk
//!                 ▲   parts again,     │        gzip, zstd   how many  which one             │
//!                 │   held, split      └◄── answer ◄── verdict by position ◄─────────────────┘
//!                 │   healed,
//!                 └─► all settled: dead letters synced, counters bumped, delivered
//! ```
//!
//! Invariants: a delivery is `delivered` only when each of its documents was taken, taken before, or synced as a dead
//! letter; nothing else ends it but a stop, which returns it. At most `max_concurrency` deliveries are on loan.

mod access;
mod answer;
mod backoff;
mod client;
mod courier;
mod encoding;
mod fault;
mod gate;
mod heal;
mod nodes;
mod part;
mod pattern;
mod probe;
mod relay;
mod sniff;
mod target;
mod template;
mod trouble;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::access::{Access, node_url};
use self::backoff::Backoff;
use self::client::Client;
use self::encoding::Encoding;
use self::gate::Gate;
use self::heal::Healer;
use self::nodes::{Node, Nodes};
use self::pattern::Naming;
pub(super) use self::pattern::matches as is_like;
use self::target::{Stopped, Target};
use self::template::Standing;
use super::file::FileOutput;
use super::{DeadLetters, ElasticsearchOptions, Finding, OutputError, TargetHealth};
use crate::buffer::Delivery;
use crate::metrics::Metrics;

/// What a request that is under way at a stop is given to end in: an answer saves sending its documents again.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// What deliveries may wait for the template at a start.
const TEMPLATE_PATIENCE: Duration = Duration::from_secs(3);

/// The Elasticsearch output.
pub struct Elasticsearch {
    shared: Arc<Shared>,
}

struct Shared {
    target: Target,
    dead_letters: DeadLetters,
    /// Takes the documents that a pipeline sends to files.
    files: Option<FileOutput>,
    options: ElasticsearchOptions,
    /// The index of each pipeline that has its own.
    indices: Vec<String>,
    access: Access,
    seeds: Vec<Url>,
}

impl Elasticsearch {
    /// Reads the certificates and sets up a client for each node; sends nothing. `indices` are those that documents
    /// go to beside that of `options`; `files` takes those that are for files. Call it inside a tokio runtime.
    pub fn new(
        options: ElasticsearchOptions,
        indices: Vec<String>,
        dead_letters: DeadLetters,
        files: Option<FileOutput>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutputError> {
        let (access, seeds) = access(&options)?;
        let target = target(&options, &access, &seeds, metrics)?;
        Ok(Self { shared: Arc::new(Shared { target, dead_letters, files, options, indices, access, seeds }) })
    }

    /// Reaches each node that `options` name and says what it found, or what is wrong and what to do. Writes nothing,
    /// there or here. Call it inside a tokio runtime.
    pub async fn probe(
        options: &ElasticsearchOptions,
        indices: &[String],
    ) -> Result<Vec<Finding>, OutputError> {
        let (access, seeds) = access(options)?;
        let target = target(options, &access, &seeds, Metrics::new(&mut Registry::default()))?;
        Ok(probe::probe(&target, options, indices).await)
    }

    /// Whether documents leave, and what is known of each node.
    pub fn health(&self) -> TargetHealth {
        let nodes = self.shared.target.nodes.health();
        let up = nodes.iter().filter(|node| node.up).count();
        let last = nodes.iter().find_map(|node| node.last_error.as_deref().filter(|_| !node.up));
        let (ok, summary) = match (self.shared.target.troubles.summary(), last) {
            (Some(held), _) => (false, held),
            (None, Some(fault)) if up == 0 => (false, format!("no node answers: {fault}")),
            _ => (true, format!("{up} of {} nodes up", nodes.len())),
        };
        match self.shared.files.as_ref().map(FileOutput::health) {
            Some(files) if !files.ok && ok => TargetHealth { nodes, ..files },
            _ => TargetHealth { ok, summary, nodes },
        }
    }

    /// See [`super::Output::run`].
    pub(super) async fn run<N>(&self, mut next: impl FnMut() -> N, stop: CancellationToken)
    where
        N: Future<Output = Option<Delivery>>,
    {
        let mut beside = JoinSet::new();
        self.prepare(&mut beside, &stop).await;
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            self.make_room(&mut under_way, &stop).await;
            let delivery = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                delivery = next() => delivery,
            };
            let Some(delivery) = delivery else { break };
            let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
            under_way.spawn(async move {
                let Shared { target, dead_letters, files, .. } = &*shared;
                courier::deliver(target, dead_letters, files.as_ref(), delivery, &stop).await
            });
        }
        finish(under_way, &stop).await;
    }

    /// Waits until another delivery may be taken.
    async fn make_room(&self, under_way: &mut JoinSet<Result<(), Stopped>>, stop: &CancellationToken) {
        while let Some(done) = under_way.try_join_next() {
            note(done);
        }
        while under_way.len() >= self.shared.options.max_concurrency.max(1) {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(done) = under_way.join_next() => note(done),
            }
        }
    }

    /// Template and sniffing: a first attempt now, further ones beside the deliveries.
    async fn prepare(&self, beside: &mut JoinSet<()>, stop: &CancellationToken) {
        if self.shared.options.sniff {
            beside.spawn(sniff_on(Arc::clone(&self.shared)));
        }
        let options = &self.shared.options;
        if !options.install_template {
            return;
        }
        let indices =
            std::iter::once(&options.index).chain(&self.shared.indices).chain([&options.index_fallback]);
        let (namings, without) = Naming::all(indices.map(String::as_str));
        for index in without {
            tracing::warn!(
                index,
                "the index begins with a placeholder: no index template is installed for it"
            );
        }
        let first = tokio::time::timeout(TEMPLATE_PATIENCE, see_to_templates(&self.shared.target, &namings));
        if !matches!(target::unless(stop, first).await, Ok(Ok(true)) | Err(Stopped)) {
            beside.spawn(template_on(Arc::clone(&self.shared), namings));
        }
    }
}

/// How nodes want to be spoken to, and where the configured ones are.
fn access(options: &ElasticsearchOptions) -> Result<(Access, Vec<Url>), OutputError> {
    if options.hosts.is_empty() {
        return Err(OutputError::NoHosts);
    }
    let access = Access::new(options)?;
    Ok((access, options.hosts.iter().map(node_url).collect::<Result<_, _>>()?))
}

fn target(
    options: &ElasticsearchOptions,
    access: &Access,
    seeds: &[Url],
    metrics: Arc<Metrics>,
) -> Result<Target, OutputError> {
    let nodes = seeds.iter().map(|url| Ok(Node { url: url.clone(), client: Client::new(url, access)? }));
    let nodes = nodes.collect::<Result<Vec<_>, OutputError>>()?;
    let backoff = Backoff { min: options.retry_min, max: options.retry_max };
    Ok(Target {
        nodes: Nodes::new(nodes, backoff),
        gate: Gate::new(options.max_concurrency, metrics.bulk_concurrency.clone()),
        encoding: Encoding::new(options.compression),
        troubles: Arc::default(),
        healer: Healer::new(options.heal, options.heal_fields),
        backoff,
        timeout: options.request_timeout,
        body_most: AtomicUsize::new(usize::MAX),
        metrics,
    })
}

/// Ends what is under way: to the end where the queue is at its own, within the grace on a stop.
async fn finish(mut under_way: JoinSet<Result<(), Stopped>>, stop: &CancellationToken) {
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::pin!(grace);
    loop {
        tokio::select! {
            done = under_way.join_next() => match done {
                Some(done) => note(done),
                None => return,
            },
            () = &mut grace => {
                tracing::info!(deliveries = under_way.len(), "cutting short what the target has not answered");
                under_way.shutdown().await;
                return;
            }
        }
    }
}

/// A delivery whose task panicked has gone back to the queue; nothing is lost, but it is our fault and must be seen.
fn note(done: Result<Result<(), Stopped>, JoinError>) {
    if let Err(fault) = done {
        tracing::error!(%fault, "a delivery failed on the way and goes back to the queue");
    }
}

async fn sniff_on(shared: Arc<Shared>) {
    loop {
        sniff::sniff(&shared.target, &shared.access, &shared.seeds).await;
        tokio::time::sleep(sniff::EVERY).await;
    }
}

async fn template_on(shared: Arc<Shared>, namings: Vec<Naming>) {
    let mut attempt = 5;
    while !see_to_templates(&shared.target, &namings).await {
        tokio::time::sleep(shared.target.backoff.rest(attempt)).await;
        attempt += 1;
    }
}

/// True once a template matches each, ours or another.
async fn see_to_templates(target: &Target, namings: &[Naming]) -> bool {
    let mut done = true;
    for naming in namings {
        done &= see_to_template(target, naming).await;
    }
    done
}

/// True once a template matches, ours or another.
async fn see_to_template(target: &Target, naming: &Naming) -> bool {
    let done = match template::standing(target, naming).await {
        Ok(Standing::Matches) => Ok(()),
        Ok(Standing::Missing) => template::install(target, naming).await.inspect(|()| {
            tracing::info!(
                template = naming.template,
                pattern = naming.pattern,
                "installed an index template"
            );
        }),
        Err(fault) => Err(fault),
    };
    if let Err(fault) = &done
        && target.troubles.is_time("template")
    {
        tracing::warn!(%fault, "cannot see to an index template; documents are sent all the same");
    }
    done.is_ok()
}
