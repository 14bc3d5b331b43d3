//! An Elasticsearch output on fault-injecting targets, with counters and a folder of its own.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use forebay::metrics::Metrics;
use forebay::output::elasticsearch::Elasticsearch;
use forebay::output::{DeadLetterOptions, DeadLetters, ElasticsearchOptions, Output, TargetHealth};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use super::target::{Fault, Target};

/// An output on its targets, with counters of its own.
pub(crate) struct Bench {
    pub(crate) output: Output,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn quick(targets: &[&Target]) -> ElasticsearchOptions {
    ElasticsearchOptions {
        hosts: targets.iter().map(|target| target.url()).collect(),
        retry_min: Duration::from_millis(1),
        retry_max: Duration::from_millis(20),
        install_template: false,
        ..Default::default()
    }
}

impl Bench {
    pub(crate) fn new(options: ElasticsearchOptions) -> Self {
        Self::with_indices(options, Vec::new())
    }

    /// With pipelines that have these indices of their own.
    pub(crate) fn with_indices(options: ElasticsearchOptions, indices: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::new(&mut Registry::default());
        let letters = DeadLetters::open(DeadLetterOptions::default(), folder.path()).expect("a folder");
        let output =
            Elasticsearch::new(options, indices, letters, None, Arc::clone(&metrics)).expect("an output");
        Self { output: Output::Elasticsearch(output), metrics, folder }
    }

    pub(crate) async fn run(&self, feed: &Feed) {
        let feed = feed.clone();
        let next = move || {
            let feed = feed.clone();
            async move { feed.next().await }
        };
        sendable(self.output.run(next, CancellationToken::new())).await;
    }

    pub(crate) fn letters(&self) -> Vec<Value> {
        let files = fs::read_dir(self.folder.path()).expect("a listing");
        let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("text"));
        texts
            .flat_map(|text| {
                text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Indexed, duplicate, dead letters.
    pub(crate) fn books(&self) -> (u64, u64, u64) {
        let metrics = &self.metrics;
        (metrics.events_indexed.get(), metrics.events_duplicate.get(), metrics.events_dead_letter.get())
    }

    pub(crate) async fn until_health(&self, holds: impl Fn(&TargetHealth) -> bool) {
        while !holds(&self.output.health()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

pub(crate) fn whole(status: u16, kind: &'static str) -> Fault {
    Fault::Status { status, kind }
}

/// A daemon spawns the output, so its future has to be one that can move between threads.
fn sendable<T>(future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    future
}
