//! From the queue to a [`Delivery`] and back: lending, reading spilled batches, and what follows from the outcome.
//!
//! A batch on loan stays known to the queue, so that age and stop can spill it; a read that is given up puts its
//! extent back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::disk::{ReadBack, ReadLimits, read_back};
use super::extent::Extent;
use super::held::Held;
use super::shared::Shared;
use super::{Delivery, Settled};
use crate::metrics::{kind, reason};

/// How long a segment that cannot be read is left alone.
const REST: Duration = Duration::from_secs(1);

/// Lends batches that are in memory: one as it is, several end to end.
pub(super) fn lend(shared: &Arc<Shared>, batches: Vec<Arc<Held>>) -> Delivery {
    match batches.as_slice() {
        [one] => {
            let (bytes, ends, tags) = (one.bytes.clone(), one.ends.clone(), one.tags.clone());
            Delivery::new(bytes, ends, tags, on_settled(shared, batches))
        }
        _ => join(shared, batches),
    }
}

fn join(shared: &Arc<Shared>, batches: Vec<Arc<Held>>) -> Delivery {
    let mut bytes = shared.queue().spare();
    bytes.clear();
    let (mut ends, mut tags) = (Vec::new(), Vec::new());
    for held in &batches {
        // why: several are joined only below the limit of a bulk request.
        let base = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&held.bytes);
        ends.extend(held.ends.iter().map(|end| base.saturating_add(*end)));
        tags.extend_from_slice(&held.tags);
    }
    let charge = shared.memory.charge(bytes.len());
    let settled = on_settled(shared, batches);
    Delivery::new(Bytes::from(bytes), ends, tags, move |outcome| {
        drop(charge);
        settled(outcome);
    })
}

fn on_settled(shared: &Arc<Shared>, batches: Vec<Arc<Held>>) -> impl FnOnce(Settled) + Send + use<> {
    let shared = Arc::clone(shared);
    move |outcome| match outcome {
        Settled::Delivered(bytes) => delivered(&shared, batches, bytes),
        Settled::Returned(bytes) => {
            drop(bytes);
            put_back(&shared, batches.iter().map(|held| held.sequence));
        }
    }
}

fn delivered(shared: &Shared, batches: Vec<Arc<Held>>, bytes: Bytes) {
    let (mut settled, mut obsolete) = (Vec::new(), Vec::new());
    let mut queue = shared.queue();
    batches.iter().for_each(|held| drop(queue.forget(held.sequence)));
    drop(queue);
    for held in batches {
        shared.settled(held.documents());
        settled.extend(held.deliver().map(|place| (place.segment, held.sequence)));
        obsolete.extend_from_slice(&held.parts);
    }
    shared.writes.settle(&settled, &obsolete);
    recycle(shared, bytes);
}

fn put_back(shared: &Shared, keys: impl Iterator<Item = u64>) {
    let mut queue = shared.queue();
    keys.for_each(|key| queue.put_back(key));
    drop(queue);
    shared.news.notify_waiters();
}

/// The allocation can be written to again if nobody else looks at it.
fn recycle(shared: &Shared, bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        // why: an empty one is turned into a vector without moving what it held.
        bytes.clear();
        shared.queue().recycle(Vec::from(bytes));
    }
}

/// Puts an extent back unless its read is over.
struct Reading {
    shared: Arc<Shared>,
    key: Option<u64>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        put_back(&self.shared, self.key.take().into_iter());
    }
}

/// Lends batches that are on disk; none if there was nothing to be had, so that the caller looks again.
pub(super) async fn lend_from_disk(shared: &Arc<Shared>, key: u64, extent: Extent) -> Option<Delivery> {
    let mut reading = Reading { shared: Arc::clone(shared), key: Some(key) };
    match read(shared, &extent).await {
        Ok(read) => {
            reading.key = None;
            lend_read(shared, key, &extent, read)
        }
        Err(fault) => {
            kind(&shared.metrics.disk_faults, "read").inc();
            let file = shared.files.segment(extent.place.segment);
            tracing::warn!(file = %file.display(), %fault, "cannot read spilled documents; trying again");
            tokio::time::sleep(REST).await;
            None
        }
    }
}

async fn read(shared: &Arc<Shared>, extent: &Extent) -> std::io::Result<ReadBack> {
    let limits = ReadLimits {
        bytes: shared.options.batch_bytes.as_usize(),
        documents: shared.options.batch_documents,
    };
    let (files, place, into) = (shared.files.clone(), extent.place, shared.queue().spare());
    let read = tokio::task::spawn_blocking(move || read_back(&files, place, into, limits)).await;
    read.unwrap_or_else(|fault| Err(std::io::Error::other(fault)))
}

fn lend_read(shared: &Arc<Shared>, key: u64, extent: &Extent, read: ReadBack) -> Option<Delivery> {
    let ReadBack { bytes, ends, tags, sequences, offset } = read;
    let documents = ends.len() as u64;
    let last = sequences.last().copied().unwrap_or(extent.first.saturating_sub(1));
    let missing = shared.queue().split_lent(key, offset, last, documents);
    shared.news.notify_waiters();
    if missing > 0 {
        reason(&shared.metrics.events_dropped, "corrupt").inc_by(missing);
        shared.settled(missing);
        let file = shared.files.segment(extent.place.segment);
        tracing::error!(file = %file.display(), documents = missing, "spilled documents are lost to damage on disk");
    }
    if documents == 0 {
        drop(shared.queue().forget(key));
        return None;
    }
    let charge = shared.memory.charge(bytes.len());
    let (shared, segment) = (Arc::clone(shared), extent.place.segment);
    Some(Delivery::new(Bytes::from(bytes), ends, tags, move |outcome| {
        drop(charge);
        match outcome {
            Settled::Delivered(bytes) => {
                drop(shared.queue().forget(key));
                shared.settled(documents);
                let settled: Vec<_> = sequences.iter().map(|sequence| (segment, *sequence)).collect();
                shared.writes.settle(&settled, &[]);
                recycle(&shared, bytes);
            }
            Settled::Returned(bytes) => {
                drop(bytes);
                put_back(&shared, std::iter::once(key));
            }
        }
    }))
}
