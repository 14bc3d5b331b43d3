//! What pipelines did since it was last counted, and how long it took them.
//!
//! An event costs a comparison and an addition here. One in [`SAMPLED`] is timed, step by step.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bumpalo::Bump;
use prometheus_client::metrics::counter::Counter;

use crate::enrich::Pipeline;
use crate::enrich::steps::Outcome;
use crate::event::Event;
use crate::metrics::{ByPipeline, ByStep, Ended, Metrics};

/// Of so many events one is timed; a power of two.
const SAMPLED: u64 = 1_024;

/// Whether the event of this number is one that is timed. The numbers run over all connections, so that the samples of those
/// with few events are not too many.
pub(super) fn is_sampled(sequence: u64) -> bool {
    sequence.is_multiple_of(SAMPLED)
}

/// See the module.
#[derive(Default)]
pub(super) struct ByPipelines {
    /// One pipeline after the other is what most senders make.
    last: Option<Tally>,
    others: Vec<Tally>,
}

/// What one pipeline did.
struct Tally {
    pipeline: Arc<Pipeline>,
    events: u64,
    /// Where they are counted, once it was looked up.
    counter: Option<Counter>,
    /// By reason, and by step, if one has ended them.
    dropped: Vec<(&'static str, Option<usize>, u64)>,
    /// By stage, reading the line and then each step: the events that are timed, and their time.
    took: Vec<(u64, Duration)>,
}

impl ByPipelines {
    /// Counts an event and takes it through the steps of its `pipeline`.
    pub(super) fn event<'a>(
        &mut self,
        pipeline: &'a Arc<Pipeline>,
        event: &mut Event<'a>,
        arena: &'a Bump,
        is_timed: bool,
    ) -> Outcome<'a> {
        self.of(pipeline).events += 1;
        let (outcome, last) = if is_timed {
            let mut moments = vec![Instant::now()];
            let outcome = pipeline.timed_steps(event, arena, &mut moments);
            self.timed(pipeline, 1, &moments);
            outcome
        } else {
            pipeline.steps(event, arena)
        };
        if let Outcome::Drop(why) = outcome {
            self.dropped(pipeline, why, Some(last));
        }
        outcome
    }

    /// Counts an event of `pipeline` that has ended, in a `step` or behind them.
    pub(super) fn dropped(&mut self, pipeline: &Arc<Pipeline>, why: &'static str, step: Option<usize>) {
        let dropped = &mut self.of(pipeline).dropped;
        match dropped.iter_mut().find(|(reason, at, _)| *reason == why && *at == step) {
            Some((.., count)) => *count += 1,
            None => dropped.push((why, step, 1)),
        }
    }

    /// Notes the moments between which an event that is timed was in the stages from `first` on: 0 reads the line, the
    /// others are the steps.
    pub(super) fn timed(&mut self, pipeline: &Arc<Pipeline>, first: usize, moments: &[Instant]) {
        let took = &mut self.of(pipeline).took;
        for (index, pair) in moments.windows(2).enumerate() {
            if let [from, to] = pair {
                let stage = first + index;
                took.resize(took.len().max(stage + 1), (0, Duration::ZERO));
                if let Some((events, took)) = took.get_mut(stage) {
                    *events += 1;
                    *took += to.duration_since(*from);
                }
            }
        }
    }

    fn of(&mut self, pipeline: &Arc<Pipeline>) -> &mut Tally {
        if !self.last.as_ref().is_some_and(|last| Arc::ptr_eq(&last.pipeline, pipeline)) {
            let known = self.others.iter().position(|other| Arc::ptr_eq(&other.pipeline, pipeline));
            let next = known.map(|known| self.others.swap_remove(known));
            self.others.extend(self.last.take());
            self.last = next;
        }
        self.last.get_or_insert_with(|| Tally {
            pipeline: Arc::clone(pipeline),
            events: 0,
            counter: None,
            dropped: Vec::new(),
            took: Vec::new(),
        })
    }

    /// Puts what was noted on the page, and forgets it, but for the pipeline that is likely to be the next.
    pub(super) fn count(&mut self, metrics: &Metrics) {
        self.others.drain(..).for_each(|mut tally| tally.count(metrics));
        self.last.iter_mut().for_each(|tally| tally.count(metrics));
    }
}

impl Tally {
    fn count(&mut self, metrics: &Metrics) {
        let (metrics, pipeline) = (&metrics.pipelines, self.pipeline.pattern());
        let look_up = || {
            let labels = ByPipeline { pipeline: pipeline.to_owned() };
            metrics.events.get_or_create_owned(&labels)
        };
        self.counter.get_or_insert_with(look_up).inc_by(mem::take(&mut self.events));
        for (reason, step, count) in self.dropped.drain(..) {
            let step = step.map_or_else(String::new, |step| step.to_string());
            let labels = Ended { pipeline: pipeline.to_owned(), step, reason };
            metrics.dropped.get_or_create_owned(&labels).inc_by(count);
        }
        for (stage, (events, took)) in self.took.drain(..).enumerate() {
            let step = stage.checked_sub(1).map_or_else(|| "parse".to_owned(), |step| step.to_string());
            let labels = ByStep { pipeline: pipeline.to_owned(), step };
            metrics.step_events.get_or_create_owned(&labels).inc_by(events * SAMPLED);
            let seconds = took.as_secs_f64() * SAMPLED as f64;
            metrics.step_seconds.get_or_create_owned(&labels).inc_by(seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::enrich::{Defaults, PipelineOptions, Pipelines};
    use crate::event::{Fields, Timestamp};

    #[test]
    fn each_pipeline_is_counted_once_with_what_it_ended_and_the_time_it_took() {
        let options = ["a.**", "b.**", "ended"].map(|pattern| {
            let all = ["set = { a = 1 }", "drop = true"];
            let steps = all.iter().filter(|_| pattern == "ended");
            let steps = steps.map(|step| crate::config::step(step).expect("a step")).collect();
            PipelineOptions { pattern: pattern.to_owned(), steps, ..PipelineOptions::default() }
        });
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        let pipelines = Pipelines::compile(&options, defaults).expect("good options");
        let of = |tag| pipelines.choose(tag).expect("one for every tag");
        let (mut tallies, mut registry) = (ByPipelines::default(), Registry::default());
        let metrics = Metrics::new(&mut registry);
        let arena = Bump::new();
        for tag in ["a", "b", "a", "c", "a"] {
            let time = Timestamp::new(1, 0).expect("in range");
            let mut event = Event { time, tag, fields: Fields::default() };
            let outcome = tallies.event(of(tag), &mut event, &arena, false);
            assert!(matches!(outcome, Outcome::Keep(None)), "there are no steps");
        }
        for is_timed in [false, true] {
            let time = Timestamp::new(1, 0).expect("in range");
            let mut event = Event { time, tag: "ended", fields: Fields::default() };
            let outcome = tallies.event(of("ended"), &mut event, &arena, is_timed);
            assert!(matches!(outcome, Outcome::Drop("filtered")));
        }
        assert_eq!(of("ended").endings().collect::<Vec<_>>(), [(1, "filtered")]);
        tallies.dropped(of("b"), "filtered", Some(2));
        tallies.dropped(of("b"), "filtered", Some(2));
        tallies.dropped(of("b"), "filtered", Some(0));
        let now = Instant::now();
        tallies.timed(of("a"), 0, &[0, 1, 3].map(|seconds| now + Duration::from_secs(seconds)));
        tallies.count(&metrics);
        tallies.count(&metrics);
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).expect("in memory");
        for line in [
            "forebay_pipeline_events_total{pipeline=\"a.**\"} 3",
            "forebay_pipeline_events_total{pipeline=\"b.**\"} 1",
            "forebay_pipeline_events_total{pipeline=\"**\"} 1",
            "forebay_pipeline_dropped_total{pipeline=\"b.**\",step=\"2\",reason=\"filtered\"} 2",
            "forebay_pipeline_dropped_total{pipeline=\"b.**\",step=\"0\",reason=\"filtered\"} 1",
            "forebay_pipeline_step_events_total{pipeline=\"a.**\",step=\"0\"} 1024",
            "forebay_pipeline_dropped_total{pipeline=\"ended\",step=\"1\",reason=\"filtered\"} 2",
            "forebay_pipeline_step_events_total{pipeline=\"ended\",step=\"1\"} 1024",
            "forebay_pipeline_step_seconds_total{pipeline=\"a.**\",step=\"parse\"} 1024.0",
            "forebay_pipeline_step_seconds_total{pipeline=\"a.**\",step=\"0\"} 2048.0",
        ] {
            assert!(page.lines().any(|other| other == line), "{line} is not in\n{page}");
        }
    }
}
