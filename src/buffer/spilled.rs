//! Batches that are on disk only, on their way to a [`Delivery`].
//!
//! A read that is dropped puts its extents back. What cannot be read is tried again; what damage or a failed disk has taken is
//! counted as dropped and settled, so that it holds up neither the queue nor its segment.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::disk::{Place, ReadBack, ReadLimits, Stretch, TRIES, is_lasting, read_back};
use super::extent::Extent;
use super::loan::{put_back, recycle};
use super::shared::Shared;
use super::slot::Slot;
use super::{Delivery, Settled};
use crate::metrics::{kind, reason};

/// How long a segment that cannot be read is left alone; in unit tests as good as not at all.
const REST: Duration = if cfg!(test) { Duration::from_millis(1) } else { Duration::from_secs(1) };

/// Puts extents back unless their read is over.
struct Reading {
    shared: Arc<Shared>,
    extents: Vec<(u64, Extent)>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.extents.is_empty() {
            put_back(&self.shared, self.extents.iter().map(|(key, _)| *key));
        }
    }
}

/// Lends batches of one segment; none if there was nothing to be had, so that the caller looks again.
pub(super) async fn lend_from_disk(shared: &Arc<Shared>, extents: Vec<(u64, Extent)>) -> Option<Delivery> {
    let segment = extents.first()?.1.segment();
    let mut reading = Reading { shared: Arc::clone(shared), extents };
    match read(shared, segment, &reading.extents).await {
        Ok(read) => {
            shared.tries.forget(segment);
            lend_read(shared, segment, &std::mem::take(&mut reading.extents), read)
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
    let is_of_it = |slot: &Slot| matches!(slot, Slot::Disk(extent) if extent.segment() == segment);
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

async fn read(shared: &Arc<Shared>, segment: u64, extents: &[(u64, Extent)]) -> std::io::Result<ReadBack> {
    let limits =
        ReadLimits { bytes: shared.options.batch_limit(), documents: shared.options.batch_documents };
    let places: Vec<Place> = extents.iter().map(|(_, extent)| extent.run.place).collect();
    let (files, into) = (shared.files.clone(), shared.queue().spare());
    let read = tokio::task::spawn_blocking(move || read_back(&files, segment, &places, into, limits)).await;
    read.unwrap_or_else(|fault| Err(std::io::Error::other(fault)))
}

fn lend_read(
    shared: &Arc<Shared>,
    segment: u64,
    extents: &[(u64, Extent)],
    read: ReadBack,
) -> Option<Delivery> {
    let ReadBack { bytes, ends, tags, stretches } = read;
    let missing = split(shared, extents, &stretches);
    shared.news.notify_waiters();
    for ((_, extent), stretch) in extents.iter().zip(&stretches) {
        let ended = stretch.offset >= extent.run.place.to;
        let through = if ended { extent.run.last } else { last(extent, stretch) };
        settle_damaged(shared, segment, extent.run.first, through, &stretch.sequences);
    }
    if missing > 0 {
        reason(&shared.metrics.events_dropped, "corrupt").inc_by(missing);
        shared.settled(missing);
        let file = shared.files.segment(segment);
        tracing::error!(file = %file.display(), documents = missing, "spilled documents are lost to damage on disk");
    }
    if ends.is_empty() {
        return None;
    }
    // why: of those that gave no document nothing is lent, and what was left of them may be lent to others by now.
    let lent = extents.iter().zip(&stretches).filter(|(_, stretch)| stretch.documents > 0);
    let keys: Vec<u64> = lent.map(|((key, _), _)| *key).collect();
    let recall = shared.loans.begin(keys.clone());
    let settled = on_settled(shared, segment, keys, stretches, ends.len() as u64);
    let [charge, lent] = [&shared.memory, &shared.lent].map(|memory| memory.charge(bytes.len()));
    let ended = Arc::clone(&recall);
    let delivery = Delivery::new(Bytes::from(bytes), ends, tags, move |outcome| {
        drop(charge);
        if ended.end() {
            settled(outcome);
        }
        drop(lent);
    });
    Some(delivery.recalled_by(recall))
}

fn on_settled(
    shared: &Arc<Shared>,
    segment: u64,
    keys: Vec<u64>,
    stretches: Vec<Stretch>,
    documents: u64,
) -> impl FnOnce(Settled) + Send + use<> {
    let shared = Arc::clone(shared);
    move |outcome| match outcome {
        Settled::Delivered(bytes) => {
            let mut queue = shared.queue();
            keys.iter().for_each(|key| drop(queue.forget(*key)));
            drop(queue);
            shared.settled(documents);
            let sequences = stretches.iter().flat_map(|stretch| &stretch.sequences);
            let settled: Vec<_> = sequences.map(|sequence| (segment, *sequence)).collect();
            shared.writes.settle(&settled, &[]);
            recycle(&shared, bytes);
        }
        Settled::Returned(bytes) => {
            drop(bytes);
            put_back(&shared, keys.into_iter());
        }
    }
}

/// What was read stays lent, the rest goes back. How many documents are known to be missing.
fn split(shared: &Shared, extents: &[(u64, Extent)], stretches: &[Stretch]) -> u64 {
    let mut queue = shared.queue();
    let mut missing = 0;
    for (at, (key, extent)) in extents.iter().enumerate() {
        match stretches.get(at) {
            Some(read) => {
                missing += queue.split_lent(*key, read.offset, last(extent, read), read.documents);
            }
            None => _ = queue.put_back(*key),
        }
    }
    missing
}

/// The sequence of the last record that was read of an extent; the one before it if there was none.
fn last(extent: &Extent, read: &Stretch) -> u64 {
    read.sequences.last().copied().unwrap_or(extent.run.first.saturating_sub(1))
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
