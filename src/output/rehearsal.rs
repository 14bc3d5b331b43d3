//! Documents that go nowhere: what would become of them is counted, by index.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::dead_letters::destination;
use super::{TargetHealth, file};
use crate::buffer::Delivery;
use crate::metrics::Metrics;

/// Indices that are told apart; further ones are counted together.
const INDICES: usize = 1_000;

/// What one index would get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Documents.
    pub documents: u64,
    /// Their bytes, as they would be sent.
    pub bytes: u64,
    /// The first of them.
    pub sample: String,
}

/// See the module.
pub struct Rehearsal {
    metrics: Arc<Metrics>,
    indices: Mutex<BTreeMap<String, Expected>>,
}

impl Rehearsal {
    /// Counts in `metrics` too what it takes.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, indices: Mutex::default() }
    }

    /// What each index would get; those beyond what is told apart under an empty name.
    pub fn expected(&self) -> BTreeMap<String, Expected> {
        self.indices().clone()
    }

    pub(super) async fn run<N>(&self, mut next: impl FnMut() -> N, stop: CancellationToken)
    where
        N: Future<Output = Option<Delivery>>,
    {
        while let Some(Some(delivery)) = stop.run_until_cancelled(next()).await {
            self.take(&delivery);
            self.metrics.settle_all(delivery.tags().iter().map(|run| (&run.tag, run.documents)));
            delivery.delivered();
        }
    }

    pub(super) fn health(&self) -> TargetHealth {
        TargetHealth { ok: true, summary: "nothing is sent".to_owned(), nodes: Vec::new() }
    }

    /// Documents of one index come in runs, which are told by the beginning of their action lines.
    fn take(&self, delivery: &Delivery) {
        let mut indices = self.indices();
        let (mut action, mut seen) = (&[][..], None);
        for (lines, document) in file::actions_and_documents(delivery.bytes(), delivery.ends()) {
            let begin = lines.split(|byte| *byte == b',').next().unwrap_or_default();
            if seen.is_none() || begin != action {
                (action, seen) = (begin, Some(destination(lines).0.into_owned()));
            }
            let name = seen.as_deref().unwrap_or_default();
            let name = if indices.len() < INDICES || indices.contains_key(name) { name } else { "" };
            if !indices.contains_key(name) {
                let sample = String::from_utf8_lossy(document).trim_end().to_owned();
                indices.insert(name.to_owned(), Expected { sample, ..Expected::default() });
            }
            let Some(expected) = indices.get_mut(name) else { continue };
            expected.documents += 1;
            expected.bytes += document.len() as u64;
        }
    }

    fn indices(&self) -> MutexGuard<'_, BTreeMap<String, Expected>> {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
