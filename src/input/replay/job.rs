//! What all readers of one replay share.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::rate::{Pace, Rate};
use super::report::SourceReport;
use super::sources::Sources;
use crate::enrich::{MultilineOptions, PartialOptions};
use crate::input::file::{Encoding, Mark, Progress, Step};
use crate::input::{Selection, Shared};
use crate::metrics::{Ledger, Settled};

/// What is asked of a replay.
#[derive(Debug)]
pub struct ReplayOptions {
    /// The tag of all events, in place of that which each file's path gives.
    pub tag: Option<String>,
    /// How texts are encoded that do not say so themselves.
    pub encoding: Option<Encoding>,
    /// Whether documents go to the index that they come from, where they say so.
    pub keeps_index: bool,
    /// Whether documents go through the pipeline, as events.
    pub documents_as_events: bool,
    /// An event is no longer than this.
    pub line_bytes: usize,
    /// No more than this.
    pub rate: Option<Rate>,
    /// Files that are read at once.
    pub readers: usize,
    /// Which events.
    pub selection: Arc<Selection>,
    /// Whether what an earlier run has done is left as done.
    pub resume: bool,
    /// Whether each source is told of by itself, be they ever so many.
    pub keeps_all_sources: bool,
}

/// How far it is.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Bytes of files, as they lie on disk.
    pub(super) bytes: AtomicU64,
    /// Events.
    pub(super) events: AtomicU64,
}

/// See the module.
pub struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) options: ReplayOptions,
    pub(super) partial: PartialOptions,
    pub(super) multiline: MultilineOptions,
    pub(super) ledger: Arc<Ledger>,
    /// What is known of files.
    progress: Mutex<Progress>,
    pub(super) pace: Option<Pace>,
    /// No more is read from here on…
    pub(super) stop: CancellationToken,
    /// …and nothing that was read is waited for.
    pub(super) give_up: CancellationToken,
    pub(super) counters: Counters,
    groups: Vec<Vec<PathBuf>>,
    next: AtomicUsize,
    /// Threads that may still read something.
    reading: AtomicUsize,
    /// Threads that ended before their work.
    lost: AtomicUsize,
    threads: TaskTracker,
    sources: Mutex<Sources>,
}

impl Job {
    /// To read `groups` of files.
    pub fn new(
        shared: Arc<Shared>,
        options: ReplayOptions,
        (partial, multiline): (PartialOptions, MultilineOptions),
        progress: Progress,
        mut groups: Vec<Vec<PathBuf>>,
    ) -> Self {
        if options.readers > 1 {
            largest_first(&mut groups);
        }
        let ledger = Arc::clone(shared.metrics().ledger.get_or_init(Arc::default));
        let pace = options.rate.map(Pace::new);
        let sources = Sources::new(options.keeps_all_sources);
        Self {
            shared,
            options,
            partial,
            multiline,
            ledger,
            progress: Mutex::new(progress),
            pace,
            stop: CancellationToken::new(),
            give_up: CancellationToken::new(),
            counters: Counters::default(),
            groups,
            next: AtomicUsize::new(0),
            reading: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            threads: TaskTracker::new(),
            sources: Mutex::new(sources),
        }
    }

    /// Threads that have something to do.
    pub(super) fn readers(&self) -> usize {
        self.options.readers.min(self.groups.len())
    }

    /// Ends reading soon.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends waiting for what was read.
    pub fn give_up(&self) {
        self.stop.cancel();
        self.give_up.cancel();
    }

    /// Whether it is to end before all was read.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Whether no more is to be read.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.options.selection.is_exhausted()
    }

    /// The next files that nobody reads yet.
    pub(super) fn next_group(&self) -> Option<&[PathBuf]> {
        self.groups.get(self.next.fetch_add(1, Ordering::Relaxed)).map(Vec::as_slice)
    }

    /// So many threads are going to read.
    pub(super) fn begin_reading(&self, threads: usize) {
        self.reading.store(threads, Ordering::Relaxed);
        self.threads.close();
    }

    /// A thread reads from here on; it has ended when what is answered is dropped.
    pub(super) fn begin_thread(&self) -> TaskTrackerToken {
        self.threads.token()
    }

    /// A thread has read all that it will. Behind the last of them nothing is waited for that could fill a bulk request.
    pub(super) fn end_reading(&self) {
        if self.reading.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.buffer.hurry();
        }
    }

    /// A thread ended before its work: what it was reading is not taken as a whole.
    pub(super) fn lose_reader(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.end_reading();
    }

    /// Why not all was read, if nobody ended it.
    pub fn why(&self) -> Option<String> {
        let lost = self.lost.load(Ordering::Relaxed);
        (lost > 0).then(|| format!("{lost} of its readers failed; the log says where"))
    }

    /// Resolves when all threads have ended: all files are read, and all that was read is settled.
    pub async fn ended(&self) {
        self.threads.wait().await;
    }

    /// Whether what an earlier run has done is done.
    pub(super) fn resumes(&self) -> bool {
        self.options.resume
    }

    /// What is known of files that were read before.
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives `step`, of a content that is `own` by its name, the tag under which it was read first; where nothing is known of it
    /// yet, that of what begins alike. Notes it at once: should this run end before anything is safe, its documents may be
    /// with the target all the same.
    pub(super) fn begin_course(&self, step: &mut Step, own: &str) {
        let mut progress = self.progress();
        if step.tag.is_empty() {
            step.tag = progress.tag_of(&step.beginning, own).unwrap_or_else(|| own.to_owned());
        }
        let Some(file) = step.beginning.file().filter(|_| step.mark.place == 0) else { return };
        let begun = Step { mark: Mark { file, ..Mark::default() }, ..step.clone() };
        if let Err(fault) = progress.note(&begun) {
            tracing::warn!(%fault, "cannot note which files are read; a copy under another name may go to another index");
        }
    }

    /// Begins a source: its number.
    pub(super) fn begin(&self, report: SourceReport) -> usize {
        self.sources().begin(report)
    }

    /// Nothing more comes of a source, and all of it is settled.
    pub(super) fn close(&self, number: usize) {
        if self.sources().close(number, &self.ledger.of(number)) {
            self.ledger.forget(number);
        }
    }

    /// Notes how a source stands.
    pub(super) fn note(&self, number: usize, note: impl FnOnce(&mut SourceReport)) {
        if let Some(report) = self.sources().get_mut(number) {
            note(report);
        }
    }

    /// Bytes of files and events that have been read so far.
    pub fn so_far(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.counters.bytes), read(&self.counters.events))
    }

    /// Documents that the target will never take, so far.
    pub fn refused(&self) -> u64 {
        self.shared.metrics().events_dead_letter.get()
    }

    /// All sources as they stand, with what became of their documents; where they are very many, the last is the sum of most.
    pub fn reports(&self) -> Vec<(SourceReport, Settled)> {
        let sources = self.sources();
        let each = sources.each().map(|(number, report)| (report.clone(), self.ledger.of(number)));
        each.chain(sources.others()).collect()
    }

    /// How many sources there are.
    pub fn sources_begun(&self) -> usize {
        self.sources().begun()
    }

    /// Those that were read to their end, one after the other from the one with this number on.
    pub fn done_from(&self, number: usize) -> Vec<(SourceReport, Settled)> {
        let sources = self.sources();
        let from = sources.each().skip_while(|(other, _)| *other < number);
        let done = from.take_while(|(_, report)| report.is_done);
        done.map(|(number, report)| (report.clone(), self.ledger.of(number))).collect()
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A large one that is begun last would leave all readers but one with nothing to do.
fn largest_first(groups: &mut [Vec<PathBuf>]) {
    let length = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    groups.sort_by_cached_key(|group| Reverse(group.iter().map(length).sum::<u64>()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_log_is_begun_first_and_what_is_not_there_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, length: usize| {
            let path = folder.path().join(name);
            std::fs::write(&path, vec![b'x'; length]).expect("written");
            path
        };
        let (small, large) = (vec![file("a", 10)], vec![file("b", 15)]);
        let (rotated, gone) = (vec![file("c.1", 9), file("c", 9)], vec![folder.path().join("gone")]);
        let mut groups = [gone.clone(), small.clone(), large.clone(), rotated.clone()];
        largest_first(&mut groups);
        assert_eq!(groups, [rotated, large, small, gone]);
    }
}
