//! How far files have been read, kept on disk and found again by what the files hold.
//!
//! One line of JSON for each step forward, appended; the latest of a course counts. A torn or foreign line is passed over: what
//! is lost with it is read again, and its documents have the same ids. The file is written anew when most of it is past, and
//! the oldest courses are forgotten beyond [`MOST`].

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Beginning, Mark};
use crate::buffer::Waiter;
use crate::durable;
use crate::encode::IdBase;

/// Courses that are remembered.
const MOST: usize = 65_536;

/// Lines that may be past before the file is written anew, beside as many as count.
const PAST: usize = 4_096;

/// How far one file has been read, whatever it is called now.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// Which course it is a step of.
    pub(crate) course: u64,
    /// All before it is safe.
    #[serde(flatten)]
    pub(crate) mark: Mark,
    /// Where the line before it begins, if that is known.
    pub(crate) last: Option<Mark>,
    /// Events before it.
    pub(crate) events: u64,
    /// Where the file lay.
    pub(crate) path: String,
    /// The tag that its events got, so that those of a copy under another name get the same, and go to the same index.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) tag: String,
    /// How the file begins, where that was looked at; under `beginning` less was written down once, which does not tell enough.
    #[serde(default, rename = "begins", skip_serializing_if = "Beginning::is_none")]
    pub(crate) beginning: Beginning,
}

impl Step {
    /// A number for a course that no other has.
    pub(crate) fn new_course() -> u64 {
        let mut course = [0; 8];
        course.iter_mut().zip(IdBase::random().to_bytes()).for_each(|(byte, random)| *byte = random);
        u64::from_le_bytes(course)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Progress {
    path: PathBuf,
    /// None where it is not kept on disk.
    log: Option<File>,
    /// By course.
    steps: HashMap<u64, Step>,
    /// Courses by the hash of their file's first line.
    by_file: HashMap<u64, Vec<u64>>,
    /// The oldest first.
    order: VecDeque<u64>,
    lines: usize,
}

impl Progress {
    /// Reads what is known, from `path`; nothing where there is none.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            durable::create_dir(folder)?;
        }
        let log = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let (steps, by_file, order) = Default::default();
        let mut progress = Self { path: path.to_owned(), log: Some(log), steps, by_file, order, lines: 0 };
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            progress.lines += 1;
            if let Ok(step) = serde_json::from_slice(&line?) {
                progress.take(step);
            }
        }
        if progress.lines > 0 {
            progress.rewrite()?;
        }
        Ok(progress)
    }

    /// What is known for as long as this process lives.
    pub(crate) fn in_memory() -> Self {
        let (path, steps, by_file, order) = Default::default();
        Self { path, log: None, steps, by_file, order, lines: 0 }
    }

    /// What is known of files with this first line, the farthest first.
    pub(crate) fn of(&self, file: u64) -> Vec<Step> {
        let courses = self.by_file.get(&file).into_iter().flatten();
        let mut steps: Vec<_> = courses.filter_map(|course| self.steps.get(course)).cloned().collect();
        steps.sort_by_key(|step| std::cmp::Reverse(step.mark.place));
        steps
    }

    /// Notes a step.
    pub(crate) fn note(&mut self, step: &Step) -> io::Result<()> {
        self.take(step.clone());
        let Some(log) = &mut self.log else { return Ok(()) };
        let mut line = serde_json::to_vec(step)?;
        line.push(b'\n');
        log.write_all(&line)?;
        self.lines += 1;
        if self.lines > 2 * self.steps.len() + PAST { self.rewrite() } else { Ok(()) }
    }

    /// The tag of a content that begins like this, which is called `own`: the one that it, or what it is a copy of, got first.
    pub(crate) fn tag_of(&self, beginning: &Beginning, own: &str) -> Option<String> {
        let courses = self.by_file.get(&beginning.file()?)?;
        let known = courses.iter().filter_map(|course| self.steps.get(course));
        let mut alike = known.filter(|step| !step.tag.is_empty() && step.beginning.agrees(beginning));
        let first = alike.next()?;
        (first.tag != own && alike.all(|step| step.tag != own)).then(|| first.tag.clone())
    }

    fn take(&mut self, step: Step) {
        let course = step.course;
        let courses = self.by_file.entry(step.mark.file).or_default();
        if !courses.contains(&course) {
            courses.push(course);
        }
        if self.steps.insert(course, step).is_none() {
            self.order.push_back(course);
        }
        while self.steps.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, course: u64) {
        let Some(step) = self.steps.remove(&course) else { return };
        if let Some(courses) = self.by_file.get_mut(&step.mark.file) {
            courses.retain(|other| *other != course);
        }
    }

    /// Puts a file in the place of this one that has the steps alone that count.
    fn rewrite(&mut self) -> io::Result<()> {
        let aside = self.path.with_extension("new");
        let mut file = io::BufWriter::new(File::create(&aside)?);
        for step in self.order.iter().filter_map(|course| self.steps.get(course)) {
            serde_json::to_writer(&mut file, step)?;
            file.write_all(b"\n")?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&aside, &self.path)?;
        durable::sync_dir(self.path.parent().unwrap_or(Path::new(".")))?;
        self.log = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.lines = self.steps.len();
        Ok(())
    }
}

/// A place in a file from which it can be read on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resting {
    /// The place.
    pub(crate) mark: Mark,
    /// Where the line before it begins, if that is known.
    pub(crate) last: Option<Mark>,
}

/// A block that is under way.
struct UnderWay {
    waiter: Waiter,
    events: u64,
    /// What is safe with it, where its end is a place to rest at.
    end: Option<Resting>,
}

/// How far one file's blocks have become safe.
#[derive(Default)]
pub(crate) struct Course {
    /// All before it is safe.
    step: Step,
    under_way: VecDeque<UnderWay>,
    /// Events that are safe behind the step.
    ahead: u64,
    /// Whether something was lost on the way, so that nothing behind it counts.
    has_failed: bool,
}

impl Course {
    /// From `step` on.
    pub(crate) fn from(step: Step) -> Self {
        Self { step, ..Self::default() }
    }

    /// A block of so many events is under way; once it and all before it are safe, all before `end` is.
    pub(crate) fn push(&mut self, waiter: Waiter, events: u64, end: Option<Resting>) {
        self.under_way.push_back(UnderWay { waiter, events, end });
    }

    /// Takes what has become safe; answers the step that it is at, where it has moved.
    pub(crate) fn advance(&mut self) -> Option<&Step> {
        let before = self.step.mark;
        while !self.has_failed
            && let Some(block) = self.under_way.pop_front_if(|block| block.waiter.is_safe_now())
        {
            self.take(block.events, block.end);
        }
        (self.step.mark != before).then_some(&self.step)
    }

    /// Waits until it is known of all blocks whether they are safe; whether all are.
    pub(crate) async fn end(&mut self) -> bool {
        while let Some(UnderWay { waiter, events, end }) = self.under_way.pop_front() {
            self.has_failed |= !waiter.safe().await;
            if !self.has_failed {
                self.take(events, end);
            }
        }
        !self.has_failed
    }

    fn take(&mut self, events: u64, end: Option<Resting>) {
        self.ahead += events;
        if let Some(Resting { mark, last }) = end {
            (self.step.mark, self.step.last) = (mark, last);
            self.step.events += std::mem::take(&mut self.ahead);
        }
    }

    /// Whether something was lost on the way.
    pub(crate) fn has_failed(&mut self) -> bool {
        self.has_failed || self.under_way.front_mut().is_some_and(|block| block.waiter.has_failed())
    }

    /// Whether nothing is under way.
    pub(crate) fn is_settled(&self) -> bool {
        self.under_way.is_empty()
    }

    /// The step it is at.
    pub(crate) fn step(&self) -> &Step {
        &self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Receipt;

    fn step(course: u64, file: u64, place: u64) -> Step {
        Step {
            course,
            mark: Mark { place, lines: place, chain: place, file },
            events: place,
            ..Step::default()
        }
    }

    #[test]
    fn the_latest_step_of_each_course_is_known_after_a_crash_and_a_torn_line_costs_itself_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/progress.ndjson");
        let mut progress = Progress::open(&path).expect("opened");
        for step in [step(1, 7, 10), step(2, 7, 30), step(3, 8, 5), step(1, 7, 20)] {
            progress.note(&step).expect("noted");
        }
        let whole = fs::read(&path).expect("read");
        fs::write(&path, [&whole[..], b"{\"course\":1,\"pla"].concat()).expect("torn");
        let mut progress = Progress::open(&path).expect("opened");
        assert_eq!(progress.of(7), [step(2, 7, 30), step(1, 7, 20)]);
        assert_eq!(progress.of(9), []);
        progress.note(&step(3, 8, 6)).expect("noted");
        assert_eq!(Progress::open(&path).expect("opened").of(8), [step(3, 8, 6)]);
    }

    #[test]
    fn a_step_is_known_though_it_was_written_down_with_less_of_how_its_file_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("progress.ndjson");
        let line = r#"{"course":1,"place":9,"lines":9,"chain":9,"file":7,"last":null,"events":9,"path":"","beginning":[7,8]}"#;
        fs::write(&path, format!("{line}\n")).expect("written");
        assert_eq!(Progress::open(&path).expect("opened").of(7), [step(1, 7, 9)]);
    }

    #[test]
    fn two_logs_with_the_same_columns_keep_their_tags_and_a_copy_gets_that_of_the_first() {
        let mut progress = Progress::in_memory();
        let beginning = |text: &str| Beginning::of(["time,text\n", &text.repeat(9)].concat().as_bytes());
        let mark = Mark { file: beginning("").file().expect("a line"), ..Mark::default() };
        let known = Step { mark, tag: "a".to_owned(), beginning: beginning(""), ..step(1, 7, 0) };
        progress.note(&known).expect("noted");
        assert_eq!(progress.tag_of(&beginning("b\n"), "b"), None);
        let known = Step { course: 2, tag: "b".to_owned(), beginning: beginning("b\n"), ..known };
        progress.note(&known).expect("noted");
        assert_eq!(progress.tag_of(&beginning("c\n"), "c"), None);
        assert_eq!(progress.tag_of(&beginning("b\n"), "copy"), Some("b".to_owned()));
    }

    #[test]
    fn the_file_is_written_anew_when_most_of_it_is_past() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("progress.ndjson");
        let mut progress = Progress::open(&path).expect("opened");
        (0..2 * PAST as u64).for_each(|place| progress.note(&step(1, 7, place)).expect("noted"));
        let lines = fs::read_to_string(&path).expect("read").lines().count();
        assert!(lines < PAST + 2, "{lines}");
        assert_eq!(progress.of(7), [step(1, 7, 2 * PAST as u64 - 1)]);
    }

    #[tokio::test]
    async fn a_step_is_made_once_all_before_it_is_safe_and_never_over_something_lost() {
        let mut course = Course::default();
        let mark = |place| Some(Resting { mark: Mark { place, lines: 1, chain: 1, file: 1 }, last: None });
        let ((a, first), (b, second), (c, third)) = (Receipt::new(), Receipt::new(), Receipt::new());
        course.push(first, 1, None);
        course.push(second, 2, mark(20));
        course.push(third, 4, mark(30));
        b.resolve();
        assert_eq!(course.advance(), None);
        a.resolve();
        let step = course.advance().expect("a step");
        assert_eq!((step.mark.place, step.events), (20, 3));
        drop(c);
        assert_eq!(course.advance(), None);
        assert!(!course.end().await);
        assert_eq!((course.step().mark.place, course.is_settled()), (20, true));
    }
}
