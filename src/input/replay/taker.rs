//! What is read of a source, into the buffer, one block after the other; and what is noted of it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::reader;
use super::source::Source;
use crate::buffer::Receipt;
use crate::decode::Frame;
use crate::enrich::{Assembler, Gatherer, Joiner};
use crate::input::file::{Block, Course, Mark, Remark, Resting, Sheet, Take};
use crate::input::forward::LimitOptions;
use crate::input::{Origin, Pass, Retag, Watch};

/// How often it is noted how far it is.
const NOTE_EVERY: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Taker<'s> {
    source: &'s Source<'s>,
    course: Course,
    /// Whether reading can go on from where it came to.
    rests: bool,
    pass: Pass,
    assembler: Arc<Assembler>,
    limits: LimitOptions,
    noted: Instant,
    /// Behind what was taken last.
    end: Resting,
}

impl<'s> Taker<'s> {
    /// Goes on with `course`, whose places can be rested at where it `rests`.
    pub(super) fn new(source: &'s Source<'s>, course: Course, rests: bool) -> Self {
        let job = source.job;
        let joiner = Joiner::new(job.partial.clone(), Arc::clone(job.shared.metrics()));
        let assembler = Arc::new(Assembler::new(joiner, Gatherer::new(job.multiline.clone())));
        let mut pass = Pass::of_file(Arc::clone(&job.shared), job.stop.clone(), Arc::clone(&assembler));
        let retag = Retag { tag: job.options.tag.clone().unwrap_or_default(), prefix: String::new() };
        pass.set_origin(Origin { peer: source.name.display().to_string(), retag, ..Origin::default() });
        pass.set_watch(Watch::new(Arc::clone(&job.options.selection), Arc::clone(&job.ledger), source.index));
        let end = Resting { mark: course.step().mark, last: None };
        let (limits, noted) = (LimitOptions::default(), Instant::now());
        Self { source, course, rests, pass, assembler, limits, noted, end }
    }

    /// Behind what was taken last.
    pub(super) fn mark(&self) -> Mark {
        self.end.mark
    }

    /// Notes that `events` were taken up to `end`, with the receipt whose other end `waiter` is; waits where it would be too
    /// fast. Answers whether to go on.
    fn took(&mut self, waiter: crate::buffer::Waiter, events: u64, end: Resting) -> ControlFlow<()> {
        // While a line waits for its trace, it is nowhere but in memory.
        let is_rest = self.rests && !self.assembler.has_waiting_lines();
        self.course.push(waiter, events, is_rest.then_some(end));
        self.tell(events, end);
        self.keep_pace(events, end.mark.place.saturating_sub(self.end.mark.place));
        self.end = end;
        if self.source.job.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn tell(&mut self, events: u64, end: Resting) {
        let job = self.source.job;
        job.counters.events.fetch_add(events, Ordering::Relaxed);
        job.note(self.source.index, |report| {
            report.bytes = end.mark.place;
            report.read += events;
        });
        if self.noted.elapsed() >= NOTE_EVERY {
            self.noted = Instant::now();
            reader::note(job, &mut self.course);
        }
    }

    fn keep_pace(&self, events: u64, bytes: u64) {
        let job = self.source.job;
        let Some(pace) = &job.pace else { return };
        let wait = pace.wait(events, bytes);
        // why: a sleep that is made outside of the runtime finds no timer.
        self.source.runtime.block_on(async { job.stop.run_until_cancelled(tokio::time::sleep(wait)).await });
    }

    /// Writes what waits for lines that will not come.
    pub(super) fn end(mut self) -> Course {
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.end_of_lines(&receipt));
        receipt.resolve();
        self.pass.flush();
        self.course.push(waiter, 0, self.rests.then_some(self.end));
        let watched = self.pass.watched().cloned().unwrap_or_default();
        self.source.job.note(self.source.index, |report| report.watched = watched);
        self.course
    }
}

impl Take for Taker<'_> {
    fn block(&mut self, block: &Block) -> ControlFlow<()> {
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.records(&block.records(), &self.limits, &receipt));
        receipt.resolve();
        self.took(waiter, block.events(), block.end)
    }

    fn sheet(&mut self, sheet: &Sheet) -> ControlFlow<()> {
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.documents(sheet, &self.limits, &receipt));
        receipt.resolve();
        self.took(waiter, sheet.documents(), sheet.end)
    }

    fn frame(&mut self, frame: &Frame<'_>, end: Mark) -> ControlFlow<()> {
        let before = self.events();
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.frame(frame, &self.limits, Some(&receipt)));
        receipt.resolve();
        let events = self.events() - before;
        self.took(waiter, events, Resting { mark: end, last: None })
    }

    fn remark(&mut self, remark: Remark) {
        let path = self.source.name.display();
        tracing::warn!(%path, %remark, "a file is not read as it stands");
        self.source.job.note(self.source.index, |report| match remark {
            Remark::Ends { .. } | Remark::Checksum | Remark::NotTaken { .. } => {
                report.add_fault(&remark.to_string());
            }
            Remark::PassedOver { .. } | Remark::About(_) => report.remarks.push(remark.to_string()),
        });
    }
}

impl Taker<'_> {
    /// Events that have come out of the pipeline, or were refused before it.
    fn events(&self) -> u64 {
        self.pass.watched().map_or(0, |watched| watched.taken + watched.passed_over + watched.refused)
    }
}
