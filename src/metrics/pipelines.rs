//! What each pipeline does: events, what it ends, and where its time goes. A pipeline is known by its pattern.
//!
//! Time is measured for one event of many and counted for all of them, so that measuring costs nothing: over minutes the sum is
//! right, over a few events it is not.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// One label, `pipeline`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByPipeline {
    /// Its pattern.
    pub pipeline: String,
}

/// The labels of what a pipeline ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ended {
    /// The pipeline's pattern.
    pub pipeline: String,
    /// The step's place among the pipeline's, from 0; empty where none of them has ended it.
    pub step: String,
    /// Why.
    pub reason: &'static str,
}

/// The labels of a pipeline's time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByStep {
    /// The pipeline's pattern.
    pub pipeline: String,
    /// `parse`, or the step's place among the pipeline's, from 0.
    pub step: String,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct PipelineMetrics {
    /// Events that a pipeline took.
    pub events: Family<ByPipeline, Counter>,
    /// Events that a step ended, by reason; counted in `forebay_events_dropped` too.
    pub dropped: Family<Ended, Counter>,
    /// Events that came to reading lines, and to each step.
    pub step_events: Family<ByStep, Counter>,
    /// Seconds that reading lines, and each step, has taken.
    pub step_seconds: Family<ByStep, Counter<f64, AtomicU64>>,
}

impl PipelineMetrics {
    /// Makes every series of a pipeline, at 0: which of its steps end events, and why.
    pub fn begin(&self, pattern: &str, endings: impl Iterator<Item = (usize, &'static str)>) {
        let pipeline = || pattern.to_owned();
        drop(self.events.get_or_create_owned(&ByPipeline { pipeline: pipeline() }));
        let parse = ByStep { pipeline: pipeline(), step: "parse".into() };
        drop(self.step_events.get_or_create_owned(&parse));
        drop(self.step_seconds.get_or_create_owned(&parse));
        for (step, reason) in endings {
            let labels = Ended { pipeline: pipeline(), step: step.to_string(), reason };
            drop(self.dropped.get_or_create_owned(&labels));
        }
    }

    /// Registers them under the names that the metrics page shows.
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("forebay_pipeline_events", "Events that a pipeline took", self.events.clone());
        r.register("forebay_pipeline_dropped", "Events that a pipeline's step ended", self.dropped.clone());
        r.register(
            "forebay_pipeline_step_events",
            "Events that came to a pipeline's step, from samples",
            self.step_events.clone(),
        );
        r.register(
            "forebay_pipeline_step_seconds",
            "Time that a pipeline's step takes, from samples",
            self.step_seconds.clone(),
        );
    }
}
