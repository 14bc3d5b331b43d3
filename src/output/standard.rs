//! Documents on standard output, a line each.
//!
//! A reader that has gone ends it: nothing more is delivered, and health says why.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{TargetHealth, file};
use crate::buffer::Delivery;
use crate::metrics::Metrics;

/// See the module.
pub struct StandardOutput {
    metrics: Arc<Metrics>,
    fault: Mutex<Option<String>>,
}

impl StandardOutput {
    /// Counts in `metrics` what it writes.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, fault: Mutex::default() }
    }

    pub(super) async fn run<N>(&self, mut next: impl FnMut() -> N, stop: CancellationToken)
    where
        N: Future<Output = Option<Delivery>>,
    {
        while let Some(Some(delivery)) = stop.run_until_cancelled(next()).await {
            let (bytes, ends) = (delivery.bytes().clone(), delivery.ends().to_vec());
            let written = tokio::task::spawn_blocking(move || write(&bytes, &ends)).await;
            if let Err(fault) = written.map_err(io::Error::other).and_then(|written| written) {
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.to_string());
                return stop.cancelled().await;
            }
            self.metrics.settle_all(delivery.tags().iter().map(|run| (&run.tag, run.documents)));
            delivery.delivered();
        }
    }

    pub(super) fn health(&self) -> TargetHealth {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let told = |fault: String| format!("cannot write to standard output: {fault}");
        let summary = fault.clone().map_or_else(|| "writing to standard output".to_owned(), told);
        TargetHealth { ok: fault.is_none(), summary, nodes: Vec::new() }
    }
}

fn write(bytes: &[u8], ends: &[u32]) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    file::documents(bytes, ends).try_for_each(|document| out.write_all(document))?;
    out.flush()
}
