//! Connections over pipes, into a buffer on a directory of its own.

mod ack_order;
mod acks;
mod frames;
mod limits;
mod modes;
mod poison;
mod sockets;
mod stops;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::LimitOptions;
use super::connection::{Connection, Ended};
use crate::buffer::{Buffer, BufferOptions};
use crate::enrich::{Assembler, Defaults, Gatherer, Joiner, MultilineOptions, PartialOptions, Pipelines};
use crate::input::{Origin, Shared};
use crate::metrics::{ByReason, Metrics, reason};
use crate::output::{DeadLetterOptions, DeadLetters};
use crate::units::ByteSize;

/// Long enough for anything that should happen at all.
const LONG: Duration = Duration::from_secs(20);

/// Everything between a peer and the target.
struct Rig {
    shared: Arc<Shared>,
    limits: LimitOptions,
    stop: CancellationToken,
    kill: CancellationToken,
    directory: TempDir,
    dead_letters: TempDir,
}

/// A peer and the connection that serves it.
struct Peer {
    stream: DuplexStream,
    served: JoinHandle<Ended>,
}

/// A document as the target would get it.
#[derive(Clone, Debug, PartialEq)]
struct Document {
    id: Json,
    body: Json,
}

fn options() -> BufferOptions {
    BufferOptions {
        min_free: ByteSize(0),
        batch_age: Duration::from_millis(1),
        max_age: Duration::from_secs(3_600),
        ..BufferOptions::default()
    }
}

/// A buffer that holds next to nothing in memory, and nothing on disk.
fn tiny() -> BufferOptions {
    BufferOptions { memory: ByteSize::kib(8), disk: ByteSize(1), batch_bytes: ByteSize::kib(2), ..options() }
}

impl Rig {
    fn new() -> Self {
        Self::with(options(), LimitOptions::default())
    }

    fn with(options: BufferOptions, limits: LimitOptions) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let metrics = Metrics::new(&mut Registry::default());
        let opened = Buffer::open(options.clone(), directory.path(), Arc::clone(&metrics));
        let (buffer, _) = opened.expect("a buffer");
        let defaults = Defaults { index: "logs", fallback: "logs", host: "here" };
        let pipelines = Pipelines::compile(&[], defaults).expect("good options");
        let joiner = Joiner::new(PartialOptions::default(), Arc::clone(&metrics));
        let assembler = Assembler::new(joiner, Gatherer::new(MultilineOptions::default()));
        let dead_letters = tempfile::tempdir().expect("a directory");
        let letters = DeadLetters::open(DeadLetterOptions::default(), dead_letters.path()).expect("a folder");
        let shared = Shared::new(pipelines, assembler, buffer, letters, &options, metrics);
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        Self { shared, limits, stop, kill, directory, dead_letters }
    }

    fn connect(&self) -> Peer {
        self.connect_as(Origin::default())
    }

    fn connect_as(&self, origin: Origin) -> Peer {
        let (stream, ours) = tokio::io::duplex(256 << 10);
        let (from, to) = tokio::io::split(ours);
        let (shared, limits) = (Arc::clone(&self.shared), Arc::new(self.limits.clone()));
        let mut connection = Connection::new(from, to, shared, limits, self.kill.clone()).of(origin);
        let stop = self.stop.clone();
        Peer { stream, served: tokio::spawn(async move { connection.serve(&stop).await }) }
    }

    /// A peer that sends `bytes` and goes.
    async fn take(&self, bytes: &[u8]) -> Ended {
        let mut peer = self.connect();
        peer.send(bytes).await;
        peer.close().await
    }

    /// All that is in the buffer, delivered, in the order in which it came.
    async fn documents(&self) -> Vec<Document> {
        let mut found = Vec::new();
        while self.shared.buffer().stats().events > 0 {
            let delivery = timeout(LONG, self.shared.buffer().pop()).await.expect("in time").expect("a loan");
            let text = String::from_utf8(delivery.bytes().to_vec()).expect("UTF-8");
            let lines: Vec<Json> =
                text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            for pair in lines.chunks_exact(2) {
                let mut body = pair[1].clone();
                let sequence = body.as_object_mut().expect("an object").remove("event.sequence");
                let sequence = sequence.and_then(|sequence| sequence.as_u64()).expect("a number");
                found.push((sequence, Document { id: pair[0]["create"]["_id"].clone(), body }));
            }
            delivery.delivered();
        }
        found.sort_by_key(|(sequence, _)| *sequence);
        found.into_iter().map(|(_, document)| document).collect()
    }

    /// The dead letters, in the order in which they were written.
    fn letters(&self) -> Vec<Json> {
        let mut files: Vec<_> = std::fs::read_dir(self.dead_letters.path())
            .expect("a listing")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        let text: String = files.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The field `n` of all documents.
    async fn numbers(&self) -> Vec<u64> {
        let number = |document: &Document| document.body["n"].as_u64().expect("a number");
        self.documents().await.iter().map(number).collect()
    }

    fn metrics(&self) -> &Metrics {
        self.shared.metrics()
    }

    fn count(&self, family: impl Fn(&Metrics) -> &ByReason, word: &'static str) -> u64 {
        reason(family(self.metrics()), word).get()
    }

    async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !reached(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, waiting).await.unwrap_or_else(|_| panic!("{what}: {:?}", self.shared.buffer().stats()));
    }
}

impl Peer {
    async fn send(&mut self, bytes: &[u8]) {
        timeout(LONG, self.stream.write_all(bytes)).await.expect("read in time").expect("open");
    }

    /// Reads what must come as an ack.
    async fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        timeout(LONG, self.stream.read_exact(&mut read)).await.expect("an ack in time").expect("open");
        assert_eq!(read, bytes);
    }

    async fn close(mut self) -> Ended {
        // A connection that was closed on us is closed already.
        self.stream.shutdown().await.ok();
        let ended = timeout(LONG, self.served).await;
        ended.expect("an end in time").expect("no panic")
    }
}
