//! How far each file has been read and become safe, of all tables, and on disk.
//!
//! A step is written down when it moved and the one before is [`EVERY`] old, and at a stop. What is not written down is read
//! again after a crash, and has the same ids.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::buffer::Waiter;
use crate::input::file::{Course, Mark, Progress, Resting, Step};
use crate::log::RateLimited;

/// The time between two steps of a file on disk.
const EVERY: Duration = Duration::from_millis(500);

static UNWRITTEN: RateLimited = RateLimited::every(Duration::from_secs(10));

/// Positions, shared by all tables.
#[derive(Clone)]
pub(super) struct Positions(Arc<Mutex<Inner>>);

pub(super) struct Inner {
    progress: Progress,
    courses: HashMap<u64, Running>,
    /// Those with something under way, or a step that is not written down.
    moving: HashSet<u64>,
    /// Whether one of them has lost something.
    is_failing: bool,
}

struct Running {
    course: Course,
    /// The hash of its file's first line.
    file: u64,
    noted: Mark,
    noted_at: Option<Instant>,
    /// Whether nothing more comes.
    has_ended: bool,
}

impl Positions {
    /// Those that the file at `path` has.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let (courses, moving, is_failing) = Default::default();
        let inner = Inner { progress: Progress::open(path)?, courses, moving, is_failing };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a thread that panicked left behind is still how far it had come.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What is known of files with this first line, the farthest first.
    pub(super) fn of(&self, file: u64) -> Vec<Step> {
        self.progress.of(file)
    }

    /// Notes how far a file counts as read that was not.
    pub(super) fn skip(&mut self, step: &Step) -> io::Result<()> {
        self.progress.note(step)
    }

    /// Whether somebody reads on in it, or has and not all of that is safe.
    pub(super) fn is_running(&self, course: u64) -> bool {
        self.courses.contains_key(&course)
    }

    /// The steps of courses of files with this first line that are read, or of which not all is safe yet.
    pub(super) fn running(&mut self, file: u64) -> Vec<Step> {
        self.write(Instant::now(), true);
        let running = self.courses.values().filter(|running| running.file == file);
        running.map(|running| running.course.step().clone()).collect()
    }

    /// Begins a course at `step`, of a file with this first line.
    pub(super) fn begin(&mut self, step: Step, file: u64) {
        let (noted, course) = (step.mark, step.course);
        let running = Running { course: Course::from(step), file, noted, noted_at: None, has_ended: false };
        self.courses.insert(course, running);
    }

    /// Notes that so many events up to `end` are under way.
    pub(super) fn push(&mut self, course: u64, waiter: Waiter, events: u64, end: Resting) {
        if let Some(running) = self.courses.get_mut(&course) {
            running.course.push(waiter, events, Some(end));
            self.moving.insert(course);
        }
    }

    /// Nothing more comes of it.
    pub(super) fn end(&mut self, course: u64) {
        if let Some(running) = self.courses.get_mut(&course) {
            running.has_ended = true;
            self.moving.insert(course);
        }
    }

    /// The last safe step of a course of which something was lost on its way; it is forgotten.
    pub(super) fn take_failed(&mut self, course: u64) -> Option<Step> {
        let failed = self.courses.get_mut(&course)?.course.has_failed();
        let running = if failed { self.courses.remove(&course) } else { None };
        self.moving.retain(|other| !failed || *other != course);
        running.map(|running| running.course.step().clone())
    }

    /// Whether anything of a course is safe; so it is where it runs no more.
    pub(super) fn has_come(&self, course: u64) -> bool {
        self.courses.get(&course).is_none_or(|running| running.course.step().mark.place > 0)
    }

    /// Whether all of a course is safe, and written down.
    pub(super) fn is_at_rest(&self, course: u64) -> bool {
        !self.moving.contains(&course)
    }

    /// Whether a course has lost something.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Whether something is under way, or not written down yet.
    pub(super) fn is_moving(&self) -> bool {
        !self.moving.is_empty()
    }

    /// Writes down what has moved: what is due, or all.
    pub(super) fn write(&mut self, now: Instant, all: bool) {
        let moving: Vec<_> = self.moving.iter().copied().collect();
        self.is_failing = false;
        for id in moving {
            let Some(running) = self.courses.get_mut(&id) else {
                self.moving.remove(&id);
                continue;
            };
            running.course.advance();
            let step = running.course.step();
            let is_due = all || running.noted_at.is_none_or(|at| now.saturating_duration_since(at) >= EVERY);
            if step.mark != running.noted && is_due {
                if let Err(fault) = self.progress.note(step) {
                    if let Some(held_back) = UNWRITTEN.admit() {
                        tracing::warn!(%fault, held_back, "positions of files cannot be written; trying again");
                    }
                    continue;
                }
                (running.noted, running.noted_at) = (step.mark, Some(now));
            }
            let rests = running.course.is_settled() && step.mark == running.noted;
            if rests {
                self.moving.remove(&id);
            }
            self.is_failing |= running.course.has_failed();
            if running.has_ended && rests {
                self.courses.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Receipt;

    fn resting(place: u64) -> Resting {
        Resting { mark: Mark { place, lines: place, chain: place, file: 7 }, last: None }
    }

    #[test]
    fn what_is_safe_is_written_down_now_and_then_and_all_of_it_at_a_stop() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("positions.ndjson");
        let positions = Positions::open(&path).expect("opened");
        let written = || std::fs::read_to_string(&path).expect("read").lines().count();
        let mut inner = positions.lock();
        inner.begin(Step { course: 1, ..Step::default() }, 7);
        let now = Instant::now();
        for (place, expected) in [(10, 1), (20, 1)] {
            let (receipt, waiter) = Receipt::patient();
            inner.push(1, waiter, 1, resting(place));
            receipt.resolve();
            inner.write(now, false);
            assert_eq!(written(), expected);
        }
        assert!(inner.is_moving());
        inner.end(1);
        inner.write(now, true);
        assert_eq!(written(), 2);
        assert_eq!(inner.of(7).first().map(|step| step.mark.place), Some(20));
        assert!(!inner.is_moving() && !inner.is_running(1));
    }

    #[test]
    fn a_course_that_has_lost_something_is_told_with_the_step_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let positions = Positions::open(&folder.path().join("positions.ndjson")).expect("opened");
        let mut inner = positions.lock();
        inner.begin(Step { course: 1, ..Step::default() }, 7);
        let ((safe, first), (lost, second)) = (Receipt::patient(), Receipt::patient());
        inner.push(1, first, 1, resting(10));
        inner.push(1, second, 1, resting(20));
        safe.resolve();
        inner.write(Instant::now(), true);
        assert_eq!(inner.take_failed(1), None);
        drop(lost);
        inner.write(Instant::now(), true);
        assert!(inner.is_failing());
        assert_eq!(inner.take_failed(1).map(|step| step.mark.place), Some(10));
        assert!(!inner.is_running(1) && !inner.is_moving());
    }
}
