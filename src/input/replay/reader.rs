//! One thread that reads files, one after the other.
//!
//! It blocks where it reads and where there is no room, and nobody waits for it but the files that are its own. A source's
//! lines wait for their traces in an assembler of their own, whose last event leaves when the source ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use tokio::runtime::Handle;

use super::job::Job;
use super::report::SourceReport;
use super::source::Source;
use crate::event::Timestamp;
use crate::input::file::{Carried, Content, Course, Found, each_content};

/// Counts what is read.
struct Counted<'c, R>(R, &'c AtomicU64);

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// See the module.
pub(super) struct Reader {
    job: Arc<Job>,
    runtime: Handle,
    /// Sources that were read and of which not all is safe yet.
    ending: VecDeque<(usize, Course)>,
    /// Parts of lines, from one file of a group to the next.
    carried: Carried,
}

/// Where a content lies.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// The file that it is in…
    pub(super) path: &'p Path,
    /// …and as which content, from 0.
    pub(super) number: usize,
    /// The time of lines that say none.
    pub(super) time: Option<Timestamp>,
    /// Whether the next file goes on where this one ends.
    pub(super) goes_on: bool,
}

impl Reader {
    pub(super) fn new(job: Arc<Job>, runtime: Handle) -> Self {
        Self { job, runtime, ending: VecDeque::new(), carried: Carried::default() }
    }

    /// Reads groups of files until nobody has any left.
    pub(super) fn run(mut self) {
        let job = Arc::clone(&self.job);
        while let Some(group) = job.next_group() {
            self.carried = Carried::default();
            for (index, path) in group.iter().enumerate().take_while(|_| !job.is_over()) {
                let next = group.get(index + 1);
                self.file(path, next.is_some_and(|next| next.is_file()));
                self.settle();
            }
        }
        self.end();
    }

    /// Reads standard input.
    pub(super) fn standard_input(mut self) {
        let job = Arc::clone(&self.job);
        let place = Place { path: Path::new("-"), number: 0, time: None, goes_on: false };
        self.contents(place, Counted(io::stdin().lock(), &job.counters.bytes));
        self.end();
    }

    fn file(&mut self, path: &Path, goes_on: bool) {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let job = Arc::clone(&self.job);
        match opened {
            Ok((metadata, _)) if !metadata.is_file() => self.refuse(path, "it is no file".to_owned()),
            Ok((metadata, file)) => {
                let time = metadata.modified().ok().and_then(timestamp);
                self.contents(Place { path, number: 0, time, goes_on }, Counted(file, &job.counters.bytes));
            }
            Err(fault) => self.refuse(path, fault.to_string()),
        }
    }

    fn refuse(&self, path: &Path, fault: String) {
        let path = path.display().to_string();
        self.job.begin(SourceReport { path, is_done: true, fault: Some(fault), ..SourceReport::default() });
    }

    /// Reads all that is in `input`, one content after the other.
    fn contents(&mut self, mut place: Place<'_>, mut input: impl Read) {
        let mut visit = |found: Found<'_>| {
            match found {
                Found::Content(content) => self.content(&place, content),
                Found::Skipped { path, why } => {
                    self.refuse(&joined(place.path, path.as_deref()), why.to_owned());
                }
                Found::Broken { path, error } => {
                    self.refuse(&joined(place.path, path.as_deref()), error.to_string());
                }
            }
            place.number += 1;
            if self.job.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match each_content(&mut input, &mut visit) {
            // Whether all of it was visited makes no difference here.
            ControlFlow::Break(()) | ControlFlow::Continue(()) => (),
        }
    }

    fn content(&mut self, place: &Place<'_>, mut content: Content<'_>) {
        let began = Instant::now();
        let name = joined(place.path, content.path);
        let report = SourceReport { path: name.display().to_string(), ..SourceReport::default() };
        // Only a file of one content is a piece of a log.
        let goes_on = place.goes_on && content.path.is_none();
        let time = content.modified.and_then(timestamp).or(place.time);
        let place = Place { time, goes_on, ..*place };
        let index = self.job.begin(report);
        let source = Source { job: &self.job, runtime: &self.runtime, place, name, index };
        let (course, read) = source.read(&mut content, &mut self.carried);
        self.job.note(index, |report| {
            (report.took, report.is_done) = (began.elapsed(), true);
            report.fault = read.err().map(|fault| fault.to_string()).or(report.fault.take());
        });
        self.ending.push_back((index, course));
    }

    /// Notes what has become safe of sources that were read.
    fn settle(&mut self) {
        while let Some((_, course)) = self.ending.front_mut() {
            note(&self.job, course);
            if !course.is_settled() {
                break;
            }
            self.ending.pop_front();
        }
    }

    /// Waits for all to become safe.
    fn end(mut self) {
        self.job.end_reading();
        for (index, mut course) in std::mem::take(&mut self.ending) {
            let before = course.step().mark;
            let ended = self.job.give_up.run_until_cancelled(course.end());
            if !self.runtime.block_on(ended).unwrap_or(false) {
                let fault = "not all of it was delivered";
                self.job.note(index, |report| {
                    report.fault = report.fault.take().or_else(|| Some(fault.to_owned()))
                });
            }
            if course.step().mark != before {
                remember(&self.job, &course);
            }
        }
    }
}

/// Notes on disk how far `course` is, if that is farther than it was.
pub(super) fn note(job: &Job, course: &mut Course) {
    if course.advance().is_some() {
        remember(job, course);
    }
}

fn remember(job: &Job, course: &Course) {
    if job.resumes()
        && let Err(fault) = job.progress().note(course.step())
    {
        tracing::warn!(%fault, "cannot note how far files are read; what was read since will be looked at again");
    }
}

/// The path of what lies at `inner` in the file at `path`.
fn joined(path: &Path, inner: Option<&Path>) -> PathBuf {
    inner.map_or_else(|| path.to_owned(), |inner| path.join(inner))
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    Timestamp::from_jiff(time.try_into().ok()?)
}
