//! A source's blocks into the buffer, one after the other, and what is noted of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::reader;
use super::source::Source;
use crate::buffer::Receipt;
use crate::enrich::{Assembler, Gatherer, Joiner};
use crate::input::file::{Block, Course, Mark, Resting};
use crate::input::forward::LimitOptions;
use crate::input::{Origin, Pass, Retag, Watch};

/// How often it is noted how far it is.
const NOTE_EVERY: Duration = Duration::from_millis(500);

/// See the module.
pub(super) struct Taker<'s> {
    source: &'s Source<'s>,
    pass: Pass,
    assembler: Arc<Assembler>,
    limits: LimitOptions,
    noted: Instant,
    /// Behind the last block.
    end: Resting,
}

impl<'s> Taker<'s> {
    /// For blocks from `mark` on.
    pub(super) fn new(source: &'s Source<'s>, mark: Mark) -> Self {
        let job = source.job;
        let joiner = Joiner::new(job.partial.clone(), Arc::clone(job.shared.metrics()));
        let assembler = Arc::new(Assembler::new(joiner, Gatherer::new(job.multiline.clone())));
        let mut pass = Pass::of_file(Arc::clone(&job.shared), job.stop.clone(), Arc::clone(&assembler));
        let retag = Retag { tag: job.options.tag.clone().unwrap_or_default(), prefix: String::new() };
        pass.set_origin(Origin { peer: source.name.display().to_string(), retag, ..Origin::default() });
        pass.set_watch(Watch::new(Arc::clone(&job.options.selection), Arc::clone(&job.ledger), source.index));
        let (limits, noted, end) = (LimitOptions::default(), Instant::now(), Resting { mark, last: None });
        Self { source, pass, assembler, limits, noted, end }
    }

    /// Takes a block; waits where there is no room, or where it would be too fast.
    pub(super) fn take(&mut self, block: &Block, course: &mut Course) {
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.records(&block.records(), &self.limits, &receipt));
        receipt.resolve();
        // While a line waits for its trace, it is nowhere but in memory.
        let end = (!self.assembler.has_waiting_lines()).then_some(block.end);
        course.push(waiter, block.events(), end);
        self.tell(block, course);
        self.keep_pace(block);
        self.end = block.end;
    }

    fn tell(&mut self, block: &Block, course: &mut Course) {
        let job = self.source.job;
        job.counters.events.fetch_add(block.events(), Ordering::Relaxed);
        job.note(self.source.index, |report| {
            report.bytes = block.end.mark.place;
            report.read += block.events();
        });
        if self.noted.elapsed() >= NOTE_EVERY {
            self.noted = Instant::now();
            reader::note(job, course);
        }
    }

    fn keep_pace(&self, block: &Block) {
        let job = self.source.job;
        let Some(pace) = &job.pace else { return };
        let wait = pace.wait(block.events(), block.end.mark.place.saturating_sub(self.end.mark.place));
        self.source.runtime.block_on(job.stop.run_until_cancelled(tokio::time::sleep(wait)));
    }

    /// Writes what waits for lines that will not come.
    pub(super) fn end(mut self, course: &mut Course) {
        let (receipt, waiter) = Receipt::patient();
        self.source.runtime.block_on(self.pass.end_of_lines(&receipt));
        receipt.resolve();
        self.pass.flush();
        course.push(waiter, 0, Some(self.end));
        let watched = self.pass.watched().cloned().unwrap_or_default();
        self.source.job.note(self.source.index, |report| report.watched = watched);
    }
}
