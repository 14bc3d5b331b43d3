//! A whole way from a connection to the target, over one buffer for all inputs: it is empty again after each.

use std::sync::Arc;
use std::time::Duration;

use forebay::buffer::{Buffer, BufferOptions};
use forebay::enrich::{
    Assembler, Defaults, Gatherer, Joiner, Multiline, MultilineOptions, PartialOptions, PipelineOptions,
    Pipelines,
};
use forebay::input::forward::{LimitOptions, fuzzing};
use forebay::input::{Pass, Shared};
use forebay::metrics::Metrics;
use forebay::output::{DeadLetterOptions, DeadLetters};
use forebay::units::ByteSize;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::streams::{Pieces, Sink};

/// See the module.
pub struct Rig {
    runtime: Runtime,
    buffer: Buffer,
    letters: DeadLetters,
    _directory: TempDir,
}

/// What became of a connection.
#[derive(Debug, PartialEq)]
pub struct Served {
    /// What it brought, in the order in which it came, less what differs from run to run.
    pub documents: Vec<Json>,
    /// Its acks.
    pub acks: Vec<u8>,
    /// Why it was closed, where it was not by its peer.
    pub ended: Option<&'static str>,
    /// Events that are dead letters.
    pub letters: u64,
    /// Events that were dropped.
    pub dropped: u64,
}

/// A directory where `TMPDIR` says: `fuzz/run` has it in memory, where syncs cost nothing, and removes what a target that
/// ends at once leaves behind.
pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// Nothing waits for anything but its turn.
pub fn options() -> BufferOptions {
    BufferOptions { min_free: ByteSize(0), batch_age: Duration::ZERO, ..BufferOptions::default() }
}

/// What a bomb of a few kilobytes can reach in no time.
pub fn limits() -> LimitOptions {
    LimitOptions {
        frame_bytes: ByteSize::kib(2),
        decompressed_bytes: ByteSize::kib(256),
        skip_bytes: ByteSize::kib(256),
        depth: 20,
        fields: 200,
        string_bytes: ByteSize::kib(1),
        tag_bytes: ByteSize(64),
        ..LimitOptions::default()
    }
}

/// A runtime of one thread.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

impl Rig {
    /// With an empty buffer.
    pub fn new() -> Self {
        let directory = directory();
        let metrics = Metrics::new(&mut Registry::default());
        let (buffer, _) = Buffer::open(options(), directory.path(), metrics).expect("a buffer");
        let letters = DeadLetterOptions {
            rotate_bytes: ByteSize::mib(1),
            keep: ByteSize::mib(2),
            ..DeadLetterOptions::default()
        };
        let letters = DeadLetters::open(letters, &directory.path().join("letters")).expect("a folder");
        Self { runtime: runtime(), buffer, letters, _directory: directory }
    }

    /// Serves `bytes`, cut at `cuts`, to their end, and delivers what they brought. The books have to balance.
    pub fn serve(&self, bytes: &[u8], cuts: &[usize]) -> Served {
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let shared = self.shared(&metrics);
        let acks = Sink::default();
        let (from, to) = (Pieces::cut(bytes, cuts), acks.clone());
        let served = self.runtime.block_on(async {
            let ended = fuzzing::serve(from, to, Arc::clone(&shared), limits()).await;
            end_lines(&shared);
            (ended, self.deliver().await)
        });
        let (ended, documents) = served;
        let dropped = counted(&registry, "forebay_events_dropped_total");
        let (received, letters) = (metrics.events_received.get(), metrics.events_dead_letter.get());
        assert_eq!(received, documents.len() as u64 + letters + dropped, "the books: {documents:?}");
        Served { documents, acks: acks.written(), ended, letters, dropped }
    }

    fn shared(&self, metrics: &Arc<Metrics>) -> Arc<Shared> {
        let defaults = Defaults { index: "logs", fallback: "logs", host: "here" };
        // What is looked at are frames: each line is an event.
        let options = PipelineOptions { multiline: Multiline::None, ..PipelineOptions::default() };
        let pipelines = Pipelines::compile(&[options], defaults).expect("good options");
        let partial =
            PartialOptions { memory: ByteSize::kib(16), line_bytes: ByteSize(512), timeout: Duration::ZERO };
        let joiner = Joiner::new(partial, Arc::clone(metrics));
        let assembler = Assembler::new(joiner, Gatherer::new(MultilineOptions::default()));
        let (buffer, letters) = (self.buffer.clone(), self.letters.clone());
        Shared::new(pipelines, assembler, buffer, letters, &self::options(), Arc::clone(metrics))
    }

    /// All that is in the buffer, delivered.
    async fn deliver(&self) -> Vec<Json> {
        let mut found = Vec::new();
        while self.buffer.stats().events > 0 {
            let delivery = self.buffer.pop().await.expect("a loan");
            let text = std::str::from_utf8(delivery.bytes()).expect("UTF-8");
            let lines: Vec<&str> = text.split_terminator('\n').collect();
            assert_eq!(
                lines.len(),
                2 * delivery.ends().len(),
                "a line for the action and one for the document"
            );
            found.extend(lines.chunks_exact(2).map(|pair| document(pair[0], pair[1])));
            delivery.delivered();
        }
        found.sort_by_key(|(sequence, _)| *sequence);
        found.into_iter().map(|(_, document)| document).collect()
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

/// Lines that would have to wait for the rest of their parts leave as they are.
fn end_lines(shared: &Arc<Shared>) {
    let mut pass = Pass::new(Arc::clone(shared), CancellationToken::new());
    shared.assembler().expire().iter().for_each(|line| pass.line(line));
    pass.flush();
}

/// A document and its place; without its time, which may be that of its coming.
fn document(action: &str, document: &str) -> (u64, Json) {
    let action: Json = serde_json::from_str(action).expect("an action in JSON");
    assert!(action["create"]["_id"].is_string(), "{action}");
    let mut document: Json = serde_json::from_str(document).expect("a document in JSON");
    let members = document.as_object_mut().expect("an object");
    members.remove("@timestamp").expect("a time");
    let sequence = members.remove("event.sequence").and_then(|sequence| sequence.as_u64());
    (sequence.expect("a number"), document)
}

/// The sum of a family's series.
fn counted(registry: &Registry, family: &str) -> u64 {
    let mut page = String::new();
    text::encode(&mut page, registry).expect("a page");
    let of_family = |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{'));
    let value = |line: &str| line.rsplit(' ').next()?.parse::<u64>().ok();
    page.lines().filter(of_family).filter_map(value).sum()
}
