//! Documents that go nowhere: what would become of them is counted, by index, on the thread that has made them.
//!
//! Of many to one index not all are written, see [`crate::input`]: one of no length counts as one more to the index of the one
//! before it, as long as those are on the average that were written. How many there are is exact.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::dead_letters::destination;
use super::{TargetHealth, file};
use crate::buffer::{Batch, Buffer};
use crate::metrics::Metrics;

/// Indices that are told apart; further ones are counted together.
const INDICES: usize = 1_000;

/// Indices that are looked for among those that came last in a batch.
const LOOKED_AT: usize = 4;

/// Behind the index, in the action lines that an encoder writes; no text has it unescaped.
const BEHIND_INDEX: &[u8] = b"\",\"_id\":";

/// What one index would get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Documents.
    pub documents: u64,
    /// Their bytes, about, as they would be sent.
    pub bytes: u64,
    /// The first of them.
    pub sample: String,
}

/// What one index gets of a batch.
struct Share<'b> {
    /// The beginning of its action lines, up to behind the index.
    action: &'b [u8],
    index: String,
    first: &'b [u8],
    documents: u64,
    /// Those that were written…
    written: u64,
    /// …and their bytes.
    bytes: u64,
}

/// See the module.
pub struct Rehearsal {
    indices: Arc<Mutex<Indices>>,
}

type Indices = BTreeMap<String, Expected>;

impl Rehearsal {
    /// Takes all that is given to `buffer`, and counts it in `metrics` too.
    pub fn of(buffer: &Buffer, metrics: Arc<Metrics>) -> Self {
        let indices: Arc<Mutex<Indices>> = Arc::default();
        let counted = Arc::clone(&indices);
        buffer.take_at_once(move |batch| {
            let shares = shares(batch);
            add(shares, &mut lock(&counted));
            metrics.settle_all(batch.tags.iter().map(|run| (&run.tag, run.documents)));
        });
        Self { indices }
    }

    /// What each index would get; those beyond what is told apart under an empty name.
    pub fn expected(&self) -> BTreeMap<String, Expected> {
        lock(&self.indices).clone()
    }

    /// Nothing ever comes to where others wait for documents.
    pub(super) async fn run(&self, stop: CancellationToken) {
        stop.cancelled().await;
    }

    pub(super) fn health(&self) -> TargetHealth {
        TargetHealth { ok: true, summary: "nothing is sent".to_owned(), nodes: Vec::new() }
    }
}

/// Documents of one index follow one another as a rule, and are told by the beginning of their action lines.
fn shares(batch: &Batch) -> Vec<Share<'_>> {
    let mut shares: Vec<Share<'_>> = Vec::new();
    let mut last = 0;
    for (action, document) in file::actions_and_documents(&batch.bytes, &batch.ends) {
        if action.is_empty()
            && let Some(share) = shares.get_mut(last)
        {
            share.documents += 1;
            continue;
        }
        let latest = shares.len().saturating_sub(LOOKED_AT);
        let known = shares.iter().skip(latest).position(|share| action.starts_with(share.action));
        last = known.map_or(shares.len(), |place| latest + place);
        let share = match shares.get_mut(last) {
            Some(share) => share,
            None => shares.push_mut(Share::new(action, document)),
        };
        share.documents += 1;
        share.written += 1;
        share.bytes += document.len() as u64;
    }
    shares
}

impl<'b> Share<'b> {
    fn new(action: &'b [u8], first: &'b [u8]) -> Self {
        let end = memchr::memmem::find(action, BEHIND_INDEX).map_or(action.len(), |at| at + 1);
        let index = destination(action).0.into_owned();
        Self { action: action.get(..end).unwrap_or(action), index, first, documents: 0, written: 0, bytes: 0 }
    }
}

fn add(shares: Vec<Share<'_>>, indices: &mut Indices) {
    for Share { index, first, documents, written, bytes, .. } in shares {
        let index =
            if indices.len() < INDICES || indices.contains_key(&index) { index } else { String::new() };
        let expected = indices.entry(index).or_insert_with(|| {
            let sample = String::from_utf8_lossy(first).trim_end().to_owned();
            Expected { sample, ..Expected::default() }
        });
        expected.documents += documents;
        expected.bytes += bytes * documents / written.max(1);
    }
}

fn lock(indices: &Mutex<Indices>) -> MutexGuard<'_, Indices> {
    indices.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn batch(documents: &[(String, String)]) -> Batch {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for (index, document) in documents {
            let action = serde_json::json!({ "create": { "_index": index, "_id": "an \"id" } });
            bytes.extend_from_slice(format!("{action}\n{document}\n").as_bytes());
            ends.push(u32::try_from(bytes.len()).expect("short"));
        }
        let (tags, receipts, parts) = Default::default();
        Batch { bytes: bytes.into(), ends, tags, receipts, parts, opened: Instant::now() }
    }

    fn expected(batches: &[Batch]) -> Indices {
        let mut indices = Indices::new();
        batches.iter().for_each(|batch| add(shares(batch), &mut indices));
        indices
    }

    #[test]
    fn documents_are_counted_by_index_whatever_order_they_come_in() {
        let names = ["a", "a,b", "ab", "a\"", "c", "d"];
        let one = |number: usize| (names[number % names.len()].to_owned(), format!("{{\"n\":{number}}}"));
        let documents: Vec<_> = (0..60).map(one).collect();
        let (whole, halves) = (expected(&[batch(&documents)]), documents.split_at(31));
        assert_eq!(whole, expected(&[batch(halves.0), batch(halves.1)]));
        assert_eq!(whole.len(), names.len());
        let first = Expected { documents: 10, bytes: 2 * 8 + 8 * 9, sample: "{\"n\":0}".to_owned() };
        assert_eq!(whole["a"], first);
        assert_eq!(whole["a,b"].sample, "{\"n\":1}");
    }

    #[test]
    fn one_that_was_not_written_is_as_long_as_those_that_were_to_its_index() {
        let one = |index: &str, length: usize| (index.to_owned(), "x".repeat(length));
        let mut batch = batch(&[one("a", 9), one("b", 4), one("a", 19)]);
        let end = batch.ends.last().copied().expect("three");
        batch.ends.extend([end, end]);
        let whole = expected(&[batch]);
        assert_eq!((whole["a"].documents, whole["a"].bytes), (4, 2 * (10 + 20)));
        assert_eq!((whole["b"].documents, whole["b"].bytes), (1, 5));
    }

    #[test]
    fn indices_beyond_those_that_are_told_apart_are_counted_together() {
        let documents: Vec<_> =
            (0..INDICES + 5).map(|number| (format!("i-{number}"), "{}".to_owned())).collect();
        let all = expected(&[batch(&documents), batch(&documents[..1])]);
        assert_eq!((all.len(), all[""].documents, all["i-0"].documents), (INDICES + 1, 5, 2));
    }
}
