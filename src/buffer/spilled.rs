//! Batches that are on disk only, on their way to a [`Delivery`].
//!
//! A read that is dropped puts its extent back. What cannot be read is tried again; what damage or a failed disk has taken is
//! counted as dropped and settled, so that it holds up neither the queue nor its segment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::disk::{ReadBack, ReadLimits, TRIES, is_lasting, read_back};
use super::extent::Extent;
use super::loan::{put_back, recycle};
use super::queue::Slot;
use super::shared::Shared;
use super::{Delivery, Settled};
use crate::metrics::{kind, reason};

/// How long a segment that cannot be read is left alone; in unit tests as good as not at all.
const REST: Duration = if cfg!(test) { Duration::from_millis(1) } else { Duration::from_secs(1) };

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
    let segment = extent.place.segment;
    match read(shared, &extent).await {
        Ok(read) => {
            shared.tries.forget(segment);
            reading.key = None;
            lend_read(shared, key, &extent, read)
        }
        Err(fault) => {
            kind(&shared.metrics.disk_faults, "read").inc();
            let file = shared.files.segment(segment);
            if is_lasting(&fault) && shared.tries.failed(segment) >= TRIES {
                drop(reading);
                withdraw(shared, segment, &fault);
                return None;
            }
            tracing::warn!(file = %file.display(), %fault, "cannot read spilled documents; trying again");
            tokio::time::sleep(REST).await;
            None
        }
    }
}

/// Gives a segment up that cannot be read, and goes on with what is behind it.
fn withdraw(shared: &Shared, segment: u64, fault: &std::io::Error) {
    let is_of_it = |slot: &Slot| matches!(slot, Slot::Disk(extent) if extent.place.segment == segment);
    let documents: u64 = shared.queue().take_where(is_of_it).iter().map(Slot::documents).sum();
    reason(&shared.metrics.events_dropped, "unreadable").inc_by(documents);
    shared.settled(documents);
    shared.writes.withdraw(segment);
    shared.tries.forget(segment);
    let file = shared.files.segment(segment);
    tracing::error!(
        file = %file.display(), %fault, documents,
        "spilled documents cannot be read; their segment goes to quarantine"
    );
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
    let (documents, segment) = (ends.len() as u64, extent.place.segment);
    let last = sequences.last().copied().unwrap_or(extent.first.saturating_sub(1));
    let missing = shared.queue().split_lent(key, offset, last, documents);
    shared.news.notify_waiters();
    let through = if offset >= extent.place.to { extent.last } else { last };
    settle_damaged(shared, segment, extent.first, through, &sequences);
    if missing > 0 {
        reason(&shared.metrics.events_dropped, "corrupt").inc_by(missing);
        shared.settled(missing);
        let file = shared.files.segment(segment);
        tracing::error!(file = %file.display(), documents = missing, "spilled documents are lost to damage on disk");
    }
    if documents == 0 {
        drop(shared.queue().forget(key));
        return None;
    }
    let charge = shared.memory.charge(bytes.len());
    let shared = Arc::clone(shared);
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

/// Settles the records of `first..=through` that were not read: nothing will ever come of them.
fn settle_damaged(shared: &Shared, segment: u64, first: u64, through: u64, read: &[u64]) {
    if (first..=through).count() != read.len() {
        let is_damaged = |sequence: &u64| read.binary_search(sequence).is_err();
        let damaged: Vec<_> =
            (first..=through).filter(is_damaged).map(|sequence| (segment, sequence)).collect();
        shared.writes.settle(&damaged, &[]);
    }
}
