//! Stories about the whole buffer, on directories of their own.

mod damage;
mod fixture;
mod fragments;
mod full;
mod index;
mod model;
mod parts;
mod patient;
mod pressure;
mod promise;
mod replay;
mod resumed;
mod stories;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tempfile::TempDir;

use super::{Buffer, BufferOptions, Delivery, KeptPart, Receipt};
use crate::metrics::Metrics;
use crate::units::ByteSize;

/// Long enough for anything that should happen at all.
const LONG: Duration = Duration::from_secs(20);

/// A batch at a time, no timers to wait for, nothing spilled for its age, and small segments.
fn options() -> BufferOptions {
    BufferOptions {
        memory: ByteSize::mib(1),
        min_free: ByteSize(0),
        batch_bytes: ByteSize(1_000),
        batch_documents: 4,
        batch_age: Duration::from_millis(1),
        max_age: Duration::from_secs(3_600),
        segment_bytes: ByteSize::kib(4),
        ..BufferOptions::default()
    }
}

fn metrics() -> Arc<Metrics> {
    Metrics::new(&mut Registry::default())
}

fn open(options: BufferOptions, dir: &Path) -> Buffer {
    open_with_parts(options, dir).0
}

fn open_with_parts(options: BufferOptions, dir: &Path) -> (Buffer, Vec<KeptPart>) {
    let (buffer, parts) = Buffer::open(options, dir, metrics()).expect("a buffer");
    (buffer, parts.waiting)
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// Gives a batch of the documents `{n}` one a line, sealed by its receipt or by its size.
fn give(buffer: &Buffer, documents: impl IntoIterator<Item = u32>, receipt: Option<&Receipt>) {
    let tag = Arc::from("test.tag");
    let mut batch = buffer.take_open();
    for document in documents {
        batch.bytes().extend_from_slice(format!("{document}\n").as_bytes());
        batch.end_document(&tag);
    }
    receipt.into_iter().for_each(|receipt| batch.attach(receipt));
    buffer.give_open(batch);
}

/// The documents of a loan; their ends and tags must fit.
fn documents(delivery: &Delivery) -> Vec<u32> {
    let mut from = 0;
    let mut documents = Vec::new();
    for end in delivery.ends() {
        let line = &delivery.bytes()[from..*end as usize];
        let line = std::str::from_utf8(line).expect("text").strip_suffix('\n').expect("a whole document");
        documents.push(line.parse().expect("a number"));
        from = *end as usize;
    }
    assert_eq!(from, delivery.bytes().len());
    let tagged: u32 = delivery.tags().iter().map(|run| run.documents).sum();
    assert_eq!(tagged as usize, documents.len());
    documents
}

async fn pop(buffer: &Buffer) -> Delivery {
    tokio::time::timeout(LONG, buffer.pop()).await.expect("a loan in time").expect("not stopping")
}

/// Delivers everything that is there.
async fn drain(buffer: &Buffer) -> Vec<u32> {
    let mut drained = Vec::new();
    while buffer.stats().events > 0 {
        let delivery = pop(buffer).await;
        drained.extend(documents(&delivery));
        delivery.delivered();
    }
    drained
}

/// Waits until the buffer looks as expected.
async fn until(buffer: &Buffer, what: &str, reached: impl Fn(&Buffer) -> bool) {
    let waiting = async {
        while !reached(buffer) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let stats = buffer.stats();
    tokio::time::timeout(LONG, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}: {stats:?} to {:?}", buffer.stats()));
}

fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir.join("segments")).expect("a directory of segments");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    paths.sort();
    paths
}

/// What a crash would leave: a copy of the directory as it is now.
fn crash(dir: &Path) -> TempDir {
    let copy = directory();
    copy_into(dir, copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a directory");
            copy_into(&entry.path(), &target);
        } else if entry.path().exists() {
            // why: the writer may delete a segment while the copy is made; a crash would not see it either.
            std::fs::copy(entry.path(), target).ok();
        }
    }
}
