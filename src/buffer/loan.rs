//! From memory to a [`Delivery`] and back: lending, and what follows from the outcome.
//!
//! A batch on loan stays known to the queue, so that age and stop can spill it.

use std::sync::Arc;

use bytes::Bytes;

use super::held::Held;
use super::memory::Charge;
use super::shared::Shared;
use super::{Delivery, Recall, Settled};

/// Lends batches that are in memory: one as it is, several end to end.
pub(super) fn lend(shared: &Arc<Shared>, batches: Vec<Arc<Held>>) -> Delivery {
    match batches.as_slice() {
        [one] => {
            let (bytes, ends, tags) = (one.bytes.clone(), one.ends.clone(), one.tags.clone());
            let lent = shared.lent.charge(bytes.len());
            let recall = begin(shared, &batches);
            let settled = on_settled(shared, batches, lent, Arc::clone(&recall));
            Delivery::new(bytes, ends, tags, settled).recalled_by(recall)
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
    let recall = begin(shared, &batches);
    let settled = on_settled(shared, batches, shared.lent.charge(2 * bytes.len()), Arc::clone(&recall));
    let delivery = Delivery::new(Bytes::from(bytes), ends, tags, move |outcome| {
        drop(charge);
        settled(outcome);
    });
    delivery.recalled_by(recall)
}

fn begin(shared: &Shared, batches: &[Arc<Held>]) -> Arc<Recall> {
    shared.loans.begin(batches.iter().map(|held| held.sequence).collect())
}

fn on_settled(
    shared: &Arc<Shared>,
    batches: Vec<Arc<Held>>,
    lent: Charge,
    recall: Arc<Recall>,
) -> impl FnOnce(Settled) + Send + use<> {
    let shared = Arc::clone(shared);
    move |outcome| {
        match outcome {
            _ if !recall.end() => (),
            Settled::Delivered(bytes) => delivered(&shared, batches, bytes),
            Settled::Returned(bytes) => {
                drop(bytes);
                put_back(&shared, batches.iter().map(|held| held.sequence));
            }
        }
        drop(lent);
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

/// Loans are over and nothing came of them.
pub(super) fn put_back(shared: &Shared, keys: impl Iterator<Item = u64>) {
    let mut queue = shared.queue();
    keys.for_each(|key| _ = queue.put_back(key));
    drop(queue);
    shared.news.notify_waiters();
}

/// The allocation can be written to again if nobody else looks at it.
pub(super) fn recycle(shared: &Shared, bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        // why: an empty one is turned into a vector without moving what it held.
        bytes.clear();
        shared.queue().recycle(Vec::from(bytes));
    }
}
