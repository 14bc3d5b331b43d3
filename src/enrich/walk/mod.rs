//! An event's way through a pipeline, told step by step: what `forebay try` shows, and what tests of pipelines look at.
//!
//! Promises: the way is that of a pass of the daemon, over the same parts: docker's parts are joined, lines that are one event
//! put together, the line is read, fields are added, the steps taken, the document is written. Here the event is looked at
//! between any two of these, at the cost of a copy of all its fields; that is why a pass, which has to be fast, does not go
//! through here. Nothing is kept on disk, and nothing waits for a time: what waits for more is written by [`Walk::finish`].

mod state;
#[cfg(test)]
mod tests;
mod told;

use std::time::Duration;

use bumpalo::Bump;
use prometheus_client::registry::Registry;
use rmp::encode;

use super::part::{Line, Part};
use super::steps::Outcome;
use super::{Assembler, Course, Gatherer, Joiner, MultilineOptions, PartialOptions, Pipeline, Pipelines};
use crate::decode::{DecodeError, read_record};
use crate::encode::{Destination, Encoder, IdBase};
use crate::event::{Event, Fields, Timestamp};
use crate::metrics::Metrics;
use crate::parse::Level;
use state::Stages;

pub use told::{Change, End, Reading, Stage, Walked, What};

/// An event as it comes in.
#[derive(Clone, Copy, Debug)]
pub struct Given<'r> {
    /// Its tag.
    pub tag: &'r str,
    /// Its time.
    pub time: Timestamp,
    /// Where its id comes from; none for a number of the walk's own.
    pub id: Option<IdBase>,
    /// Its record, a msgpack map.
    pub record: &'r [u8],
}

/// See the module.
pub struct Walk {
    pipelines: Pipelines,
    assembler: Assembler,
    course: Course,
    encoder: Encoder,
    ids: IdBase,
    /// Events that have come in.
    taken: u64,
    /// Documents that were written: `event.sequence` of the next.
    written: u64,
    walked: Vec<Walked>,
}

impl Walk {
    /// No event has come yet.
    pub fn new(pipelines: Pipelines, partial: PartialOptions, multiline: MultilineOptions) -> Self {
        // why: all that waits at the end is late, so that nobody waits for it.
        let partial = PartialOptions { timeout: Duration::ZERO, ..partial };
        let joiner = Joiner::new(partial, Metrics::new(&mut Registry::default()));
        Self {
            pipelines,
            assembler: Assembler::new(joiner, Gatherer::new(multiline)),
            course: Course::default(),
            encoder: Encoder::default(),
            ids: IdBase::random(),
            taken: 0,
            written: 0,
            walked: Vec::new(),
        }
    }

    /// Takes an event in, and tells of those that it made whole: of itself as a rule, of none where more of it may follow.
    pub fn take(&mut self, given: &Given<'_>) -> Result<Vec<Walked>, DecodeError> {
        let mut fields = Fields::default();
        read_record(given.record, &mut fields)?;
        Ok(self.take_read(given, fields))
    }

    /// As [`Walk::take`], with the fields as they were read: a frame's have a time beside them that is none.
    pub fn take_read(&mut self, given: &Given<'_>, fields: Fields<'_>) -> Vec<Walked> {
        let id = given.id.unwrap_or_else(|| self.ids.plus(self.taken));
        self.taken += 1;
        let Given { tag, time, record, .. } = *given;
        let part = Part { tag, time, id, source: &[], record };
        if let Some(pipeline) = self.pipelines.choose(tag).cloned() {
            self.event(&pipeline, &part, fields);
        }
        std::mem::take(&mut self.walked)
    }

    /// Tells of everything that waits for more: there is none.
    pub fn finish(&mut self) -> Vec<Walked> {
        let parts = self.assembler.parts().expire();
        let lines = self.assembler.take_lines();
        parts.iter().chain(&lines).for_each(|line| self.line(line));
        std::mem::take(&mut self.walked)
    }

    fn event(&mut self, pipeline: &Pipeline, part: &Part<'_>, fields: Fields<'_>) {
        if pipeline.join_partial && Joiner::is_part(&fields) {
            for line in self.assembler.parts().add(part, |_| None) {
                self.whole_line(pipeline, &line);
            }
            return;
        }
        let passes = self.assembler.passes(pipeline, part.tag, &fields, false);
        if passes || !self.waits(pipeline, part, &fields, None) {
            self.write(pipeline, part, fields, None);
        }
    }

    /// Whether the line waits for what may follow it; those that waited before it are written.
    fn waits(
        &mut self,
        pipeline: &Pipeline,
        part: &Part<'_>,
        fields: &Fields<'_>,
        level: Option<Level>,
    ) -> bool {
        let part = Part { ..*part };
        let gathered = self.assembler.add(pipeline, part, self.taken, fields, level, |_| None);
        gathered.lines.iter().for_each(|line| self.line(line));
        gathered.waits
    }

    fn whole_line(&mut self, pipeline: &Pipeline, line: &Line) {
        let gathered = self.assembler.add_line(pipeline, line, false, || None);
        gathered.lines.iter().for_each(|before| self.line(before));
        if !gathered.waits {
            self.line(line);
        }
    }

    /// A line that was put together.
    fn line(&mut self, line: &Line) {
        let mut fields = Fields::default();
        let pipeline = self.pipelines.choose(&line.tag).cloned();
        let Some(pipeline) = pipeline.filter(|_| read_record(&line.record, &mut fields).is_ok()) else {
            return;
        };
        line.put_into(&mut fields);
        let part = Part { tag: &line.tag, time: line.time, id: line.id, source: &[], record: &line.record };
        self.write(&pipeline, &part, fields, Some(line.lines()));
    }

    /// Takes an event through the pipeline. One whose level says that a trace may follow waits after all, unless it is of
    /// so many `lines` that have waited.
    fn write(&mut self, pipeline: &Pipeline, part: &Part<'_>, fields: Fields<'_>, lines: Option<usize>) {
        let arena = Bump::new();
        let mut event = Event { time: part.time, tag: part.tag, fields };
        let mut stages = Stages::begin(&event);
        self.course.seen.clear();
        pipeline.read(&mut event, &arena, &mut self.course);
        let reading = Reading::of(pipeline, &self.course.seen);
        stages.next(What::Read, &event);
        let is_grave = self.course.level.is_some_and(|level| level >= Level::Warn);
        if lines.is_none() && is_grave && self.waits_for_trace(pipeline, part) {
            return;
        }
        pipeline.apply(&mut event);
        stages.next(What::Added, &event);
        let own = pipeline.destination(part.tag);
        let end = match take_steps(pipeline, &own, &mut event, &arena, &mut stages) {
            Outcome::Drop(reason) => End::Dropped(reason),
            Outcome::Keep(other) => {
                let mut written = Vec::new();
                self.encoder.write(&mut written, other.unwrap_or(&own), &event, part.id, self.written);
                self.written += 1;
                End::written(&written)
            }
        };
        let number = self.pipelines.number(part.tag);
        let (tag, lines) = (part.tag.to_owned(), lines.unwrap_or(1));
        let (given, stages) = stages.end();
        self.walked.push(Walked { pipeline: number, tag, lines, given, reading, stages, end });
    }

    /// As [`Walk::waits`], for an event whose line was read, and which is read again when it has waited.
    fn waits_for_trace(&mut self, pipeline: &Pipeline, part: &Part<'_>) -> bool {
        let (mut fields, level) = (Fields::default(), self.course.level);
        read_record(part.record, &mut fields).is_ok() && self.waits(pipeline, part, &fields, level)
    }
}

fn take_steps<'a>(
    pipeline: &'a Pipeline,
    own: &Destination,
    event: &mut Event<'a>,
    arena: &'a Bump,
    stages: &mut Stages,
) -> Outcome<'a> {
    let mut destination = None;
    for (index, step) in pipeline.own_steps.iter().enumerate() {
        let holds = step.takes(event, arena);
        let (tag, target) = (event.tag, destination.unwrap_or(own).index(event));
        let outcome = step.apply(event, arena);
        let ends = matches!(outcome, Outcome::Drop(_));
        stages.next(What::Step { number: index, holds, ends }, event);
        match outcome {
            Outcome::Keep(Some(other)) => {
                destination = Some(other);
                stages.rerouted("{tag}", tag.to_owned(), event.tag.to_owned());
                stages.rerouted("_index", target, other.index(event));
            }
            Outcome::Keep(None) => (),
            Outcome::Drop(_) => return outcome,
        }
    }
    Outcome::Keep(destination)
}

/// The record that docker's driver makes of a line, as far as pipelines look at it: the line, and whether the container
/// wrote it to its `stdout` or its `stderr`.
pub fn line_record(line: &[u8], source: Option<&str>) -> Vec<u8> {
    let mut record = Vec::with_capacity(line.len() + 32);
    let pairs = [("log", Some(line)), ("source", source.map(str::as_bytes))];
    let given = || pairs.iter().filter_map(|(name, text)| Some((*name, (*text)?)));
    let mut written = encode::write_map_len(&mut record, given().count() as u32).map(drop);
    for (name, text) in given() {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        written = written
            .and_then(|()| encode::write_str(&mut record, name))
            .and_then(|()| encode::write_str_len(&mut record, length).map(drop));
        record.extend(text.iter().take(length as usize));
    }
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    record
}
