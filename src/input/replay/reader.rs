//! One thread that reads files, one after the other.
//!
//! It blocks where it reads and where there is no room, and nobody waits for it but the files that are its own. A source's
//! lines wait for their traces in an assembler of their own, whose last event leaves when the source ends.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use rustix::fs::OFlags;
use tokio::runtime::Handle;

use super::beside::Beside;
use super::job::Job;
use super::report::SourceReport;
use super::source::Source;
use super::stream::Stream;
use crate::event::Timestamp;
use crate::input::file::{Carried, Content, Course, Found, each_content};

/// What standard input is called, and so the tag of its events.
const STDIN: &str = "stdin";

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
    /// What lies in an archive beside the logs in it.
    beside: Beside,
    /// The number of the content that was begun last.
    latest: Option<usize>,
}

/// Where a content lies.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// The file that it is in…
    pub(super) path: &'p Path,
    /// …be it that what comes out of it comes once…
    pub(super) is_stream: bool,
    /// …and as which content, from 0.
    pub(super) number: usize,
    /// The time of lines that say none.
    pub(super) time: Option<Timestamp>,
    /// Whether the next file goes on where this one ends.
    pub(super) goes_on: bool,
}

impl Reader {
    pub(super) fn new(job: Arc<Job>, runtime: Handle) -> Self {
        let (ending, carried, beside) = (VecDeque::new(), Carried::default(), Beside::default());
        Self { job, runtime, ending, carried, beside, latest: None }
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
        match io::stdin().as_fd().try_clone_to_owned() {
            Ok(input) => self.stream(Path::new(STDIN), File::from(input), &job),
            Err(fault) => self.refuse(Path::new(STDIN), fault.to_string()),
        }
        self.end();
    }

    fn stream(&mut self, path: &Path, input: File, job: &Job) {
        let place = Place { path, is_stream: true, number: 0, time: None, goes_on: false };
        self.contents(place, Counted(Stream::new(input, job), &job.counters.bytes));
    }

    fn file(&mut self, path: &Path, goes_on: bool) {
        let job = Arc::clone(&self.job);
        match open(path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((metadata, file)) if metadata.is_file() => {
                let time = metadata.modified().ok().and_then(timestamp);
                let place = Place { path, is_stream: false, number: 0, time, goes_on };
                self.latest = None;
                self.contents(place, Counted(&file, &job.counters.bytes));
                if let (Some(index), Ok(now)) = (self.latest, file.metadata()) {
                    job.note(index, |report| tell_change(&metadata, &now, report));
                }
            }
            Ok((metadata, file)) if metadata.file_type().is_fifo() => {
                // why: what the shell makes of `<(…)` has a number in place of a name, and another each time.
                let has_name = !path.starts_with("/dev/fd") && !path.starts_with("/proc/self/fd");
                self.stream(if has_name { path } else { Path::new(STDIN) }, file, &job);
            }
            Ok(_) => self.refuse(path, "it is no file".to_owned()),
            Err(fault) => self.refuse(path, fault.to_string()),
        }
    }

    fn refuse(&self, path: &Path, fault: String) {
        let path = path.display().to_string();
        self.job.begin(SourceReport { path, is_done: true, fault: Some(fault), ..SourceReport::default() });
    }

    fn pass_over(&self, path: &Path, what: &str) {
        let (path, remarks) = (path.display().to_string(), vec![format!("{what}, passed over")]);
        self.job.begin(SourceReport { path, remarks, is_done: true, ..SourceReport::default() });
    }

    /// Reads all that is in `input`, one content after the other.
    fn contents(&mut self, mut place: Place<'_>, mut input: impl Read) {
        let mut visit = |found: Found<'_>| {
            match found {
                Found::Content(content) => self.content(&place, content),
                Found::Skipped { path, why, is_lost } => {
                    let path = joined(place.path, path.as_deref());
                    if is_lost { self.refuse(&path, why.to_owned()) } else { self.pass_over(&path, why) }
                }
                Found::Broken { path, error } => {
                    self.refuse(&joined(place.path, path.as_deref()), error.to_string());
                }
            }
            place.number += 1;
            self.settle();
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
        let mut place = Place { time, goes_on, ..*place };
        let index = self.job.begin(report);
        self.latest = Some(index);
        if content.path.is_some() && !place.is_stream {
            self.beside.look(place.path, &name, &self.job.options);
            (self.carried, place.goes_on) = self.beside.around(&name);
        }
        let (job, runtime, beside) = (&self.job, &self.runtime, &self.beside);
        let source = Source { job, runtime, place, name, index, beside };
        let (course, read) = source.read(&mut content, &mut self.carried);
        self.job.note(index, |report| {
            (report.took, report.is_done) = (began.elapsed(), true);
            if let Err(fault) = read {
                report.add_fault(&fault.to_string());
            }
        });
        self.ending.push_back((index, course));
    }

    /// Notes what has become safe of sources that were read.
    fn settle(&mut self) {
        while let Some((index, course)) = self.ending.front_mut() {
            note(&self.job, course);
            if !course.is_settled() {
                break;
            }
            self.job.close(*index);
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

/// Tells what became of a file while it was read, beside that it may have grown.
fn tell_change(before: &Metadata, now: &Metadata, report: &mut SourceReport) {
    if now.len() < before.len() {
        report.add_fault("it was cut short while it was read");
    } else if now.len() == before.len() && now.modified().ok() != before.modified().ok() {
        report.remarks.push("it was written to while it was read, and is as long as before".to_owned());
    }
}

/// Opens a file to be read; of a pipe it is not waited for whoever writes to it.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits() as i32).open(path)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn a_file_that_is_cut_or_written_anew_while_it_is_read_is_told_and_one_that_grows_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        let told = |change: fn(&mut File)| {
            fs::write(&path, "one\ntwo\n").expect("written");
            let mut file = File::options().append(true).open(&path).expect("opened");
            file.set_modified(SystemTime::UNIX_EPOCH).expect("old");
            let before = file.metadata().expect("known");
            change(&mut file);
            let mut report = SourceReport::default();
            tell_change(&before, &file.metadata().expect("known"), &mut report);
            (report.fault.is_some(), report.remarks.len())
        };
        assert_eq!(told(|_| ()), (false, 0));
        assert_eq!(told(|file| file.write_all(b"three\n").expect("written")), (false, 0));
        assert_eq!(told(|file| file.set_len(4).expect("cut")), (true, 0));
        assert_eq!(told(|file| file.set_modified(SystemTime::now()).expect("new")), (false, 1));
    }
}
