//! From one event to a document: what waits for more of its line, and what is written.

use std::sync::Arc;
use std::time::Instant;

use super::pass::Pass;
use super::pipelines::is_sampled;
use super::route::Route;
use super::source::Source;
use super::watch::NOT_SELECTED;
use crate::buffer::{OpenBatch, PartId, Receipt};
use crate::decode::read_record;
use crate::encode::IdBase;
use crate::enrich::steps::Outcome;
use crate::enrich::{Line, Part};
use crate::event::{Event, Fields, Timestamp};
use crate::parse::Level;

/// What an event is beside its fields.
#[derive(Clone, Copy)]
pub(super) struct Raw<'r> {
    pub(super) time: Timestamp,
    pub(super) id: IdBase,
    pub(super) sequence: u64,
    /// Its record, as it came; none where the event is written whatever it says.
    pub(super) record: Option<&'r [u8]>,
    /// What is said of its sender, where that is not whom the pass reads from.
    pub(super) source: Option<&'r Source>,
    /// Where its sender waits for an ack.
    pub(super) receipt: Option<&'r Receipt>,
    /// Whether it may have come before.
    pub(super) may_repeat: bool,
}

impl Pass {
    /// Takes one event into `open`, unless more of its line may follow; gives its fields' allocation back.
    pub(super) fn event(
        &mut self,
        open: &mut OpenBatch,
        route: &Route,
        fields: Fields<'_>,
        raw: &Raw<'_>,
    ) -> Fields<'static> {
        let passes = self.assembler.passes(&route.pipeline, &route.tag, &fields, raw.may_repeat);
        if !passes && self.waits(open, route, &fields, raw, None) {
            return Fields::reuse(fields);
        }
        self.write(open, route, fields, raw)
    }

    /// Whether the event waits for what may follow it; those that waited before it are written.
    fn waits(
        &mut self,
        open: &mut OpenBatch,
        route: &Route,
        fields: &Fields<'_>,
        raw: &Raw<'_>,
        level: Option<Level>,
    ) -> bool {
        let assembler = Arc::clone(&self.assembler);
        let source = self.origin.source.to_bytes();
        let record = raw.record.unwrap_or_default();
        let part = Part { tag: &route.tag, time: raw.time, id: raw.id, source: &source, record };
        let keep = |part: &Part<'_>| self.keep(|| part.to_bytes(), raw.receipt);
        let gathered = assembler.add(&route.pipeline, part, raw.sequence, fields, level, keep);
        gathered.lines.iter().for_each(|line| self.write_line(open, line));
        gathered.waits
    }

    /// Takes an event through the pipeline into `open`. One whose level says that a trace may follow waits after all.
    fn write(
        &mut self,
        open: &mut OpenBatch,
        route: &Route,
        fields: Fields<'_>,
        raw: &Raw<'_>,
    ) -> Fields<'static> {
        let mut arena = std::mem::take(&mut self.arena);
        let mut event = Event { time: raw.time, tag: &route.tag, fields };
        let is_timed = is_sampled(raw.sequence);
        let began = is_timed.then(Instant::now);
        route.pipeline.read(&mut event, &arena, &mut self.course);
        if let Some(began) = began {
            self.counts.by_pipeline.timed(&route.pipeline, 0, &[began, Instant::now()]);
        }
        if !self.is_grave(raw) || !self.waits_for_trace(open, route, raw) {
            route.pipeline.apply(&mut event);
            raw.source.unwrap_or(&self.origin.source).add(&mut event);
            let mut outcome = self.counts.by_pipeline.event(&route.pipeline, &mut event, &arena, is_timed);
            if self.watch.as_mut().is_some_and(|watch| !watch.takes(&event, &outcome, &arena))
                && let Outcome::Keep(_) = outcome
            {
                // What a step has ended has ended for the step's reason.
                outcome = Outcome::Drop(NOT_SELECTED);
                self.counts.by_pipeline.dropped(&route.pipeline, NOT_SELECTED, None);
            }
            match outcome {
                Outcome::Keep(other) => {
                    let destination = other.unwrap_or(&route.destination);
                    if self.sampling.as_mut().is_none_or(|sampling| sampling.takes(open, destination)) {
                        self.encoder.write(open.bytes(), destination, &event, raw.id, raw.sequence);
                    }
                    open.end_document(&route.tag);
                }
                Outcome::Drop(reason) => {
                    self.counts.dropped.note(&route.tag, reason);
                }
            }
            self.counts.received += 1;
        }
        let fields = Fields::reuse(event.fields);
        arena.reset();
        self.arena = arena;
        fields
    }

    /// Whether the line that was just read is one that a trace may follow.
    fn is_grave(&self, raw: &Raw<'_>) -> bool {
        raw.record.is_some() && self.course.level.is_some_and(|level| level >= Level::Warn)
    }

    /// As [`Pass::waits`], for an event whose line was read, and which is read again when it has waited. Few are.
    fn waits_for_trace(&mut self, open: &mut OpenBatch, route: &Route, raw: &Raw<'_>) -> bool {
        let mut fields = Fields::default();
        let level = self.course.level;
        let is_read = raw.record.is_some_and(|record| read_record(record, &mut fields).is_ok());
        is_read && self.waits(open, route, &fields, raw, level)
    }

    /// A part of a docker line: kept until the line is whole. Its receipt is the buffer's business while it waits.
    pub(super) fn part(
        &mut self,
        open: &mut OpenBatch,
        part: &Part<'_>,
        sequence: u64,
        receipt: Option<&Receipt>,
    ) {
        let assembler = Arc::clone(&self.assembler);
        for mut line in assembler.parts().add(part, |bytes| self.keep(|| bytes.to_vec(), receipt)) {
            line.sequence = Some(sequence);
            // The part that made it whole has to be as safe as those before it.
            self.whole_line(open, &line, false, |pass| pass.keep(|| part.to_bytes(), receipt));
        }
    }

    /// Keeps a part or a line on disk, where its sender waits for an ack.
    fn keep(&self, bytes: impl FnOnce() -> Vec<u8>, receipt: Option<&Receipt>) -> Option<PartId> {
        receipt
            .filter(|_| self.keeps)
            .map(|receipt| self.shared.buffer.keep_part(bytes(), Some(receipt.clone())))
    }

    /// Takes a line that was put together of parts; `waits` whatever it says, and then `keep` keeps the rest of it on disk.
    fn whole_line(
        &mut self,
        open: &mut OpenBatch,
        line: &Line,
        waits: bool,
        keep: impl FnOnce(&Self) -> Option<PartId>,
    ) {
        let assembler = Arc::clone(&self.assembler);
        let Some(route) = self.line_routes.of(line.tag.as_bytes(), &self.shared.pipelines) else { return };
        let gathered = assembler.add_line(&route.pipeline, line, waits, || keep(self));
        gathered.lines.iter().for_each(|before| self.write_line(open, before));
        if !gathered.waits {
            self.write_line(open, line);
        }
    }

    fn write_line(&mut self, open: &mut OpenBatch, line: &Line) {
        let mut fields = Fields::default();
        // It was read when it came in as a part.
        if read_record(&line.record, &mut fields).is_err() {
            return;
        }
        let Some(route) = self.line_routes.of(line.tag.as_bytes(), &self.shared.pipelines) else { return };
        line.put_into(&mut fields);
        let source = Source::from_bytes(&line.source);
        let Line { time, id, .. } = *line;
        let sequence = line.sequence.unwrap_or_else(|| self.shared.take_sequence(1).next);
        let raw =
            Raw { time, id, sequence, record: None, source: Some(&source), receipt: None, may_repeat: false };
        self.watch.iter_mut().for_each(|watch| watch.names(&route.tag));
        self.write(open, &route, fields, &raw);
        line.kept.iter().for_each(|part| open.supersede(*part));
    }

    /// Resolves when there is room for a line, or no time left to wait for it.
    pub async fn room(&mut self) {
        self.open = Some(self.open(true).await);
    }

    /// Writes the lines that wait for others to follow, of which none will; `receipt` rides along.
    pub async fn end_of_lines(&mut self, receipt: &Receipt) {
        for line in self.assembler.take_lines() {
            self.room().await;
            self.line(&line);
            self.open.iter_mut().for_each(|open| open.attach(receipt));
        }
    }

    /// Writes a line that became due without a frame. It was in memory before.
    pub fn line(&mut self, line: &Line) {
        self.with_open(|pass, open| pass.write_line(open, line));
    }

    /// Takes back a part or a line that an earlier run kept: it goes on waiting.
    pub fn recover(&mut self, bytes: &[u8], id: PartId) {
        for line in self.assembler.recover(bytes, id) {
            self.with_open(|pass, open| pass.whole_line(open, &line, true, |_| None));
        }
    }

    fn with_open(&mut self, take: impl FnOnce(&mut Self, &mut OpenBatch)) {
        let mut open = self.open.take().unwrap_or_else(|| self.shared.buffer.take_open());
        take(self, &mut open);
        self.open = Some(open);
    }
}
