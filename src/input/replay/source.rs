//! One content, from its bytes to its documents in the buffer.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::job::Job;
use super::taker::Taker;
use crate::event::Timestamp;
use crate::input::file::{
    Block, Blocks, Content, Course, Form, Found, HEAD, Identity, Kind, Lines, Mark, Rest, Step, Text, each_content,
};

/// The field that has the path, as the Elastic Common Schema names it.
const PATH_FIELD: &str = "log.file.path";

/// See the module.
pub(super) struct Source<'j> {
    pub(super) job: &'j Arc<Job>,
    pub(super) runtime: &'j Handle,
    /// The file that it is in…
    pub(super) path: &'j Path,
    /// …and as which content, from 0.
    pub(super) number: usize,
    /// The time of lines that say none.
    pub(super) time: Option<Timestamp>,
    /// What it is called.
    pub(super) name: PathBuf,
    /// Its number among all sources.
    pub(super) index: usize,
}

impl Source<'_> {
    /// Reads it to its end, or as far as it can be read.
    pub(super) fn read(&self, content: &mut Content<'_>) -> (Course, io::Result<()>) {
        let mut text = Text::new(content, self.job.options.encoding.unwrap_or_default());
        let head = match head(&mut text) {
            Ok(head) => head,
            Err(fault) => return (Course::default(), Err(fault)),
        };
        let kind = Kind::of(&head, Some(&self.name));
        self.job.note(self.index, |report| report.kind = kind.word());
        let form = match kind {
            Kind::Lines(form) => form,
            Kind::Beside(_) => return (Course::default(), Ok(())),
            Kind::Binary(what) => return (Course::default(), Err(nothing_to_read(what))),
            _ => Form::Plain,
        };
        let step = self.known(&head);
        let mut course = Course::from(self.step(step.clone()));
        let mut rest = Cursor::new(head).chain(text);
        let read = pass_over(&mut rest, step.as_ref()).and_then(|()| self.lines(rest, form, &mut course));
        (course, read)
    }

    /// The step to begin from.
    fn step(&self, known: Option<Step>) -> Step {
        let events = known.as_ref().map_or(0, |step| step.events);
        self.job.note(self.index, |report| report.resumed = events);
        let path = self.name.display().to_string();
        let begin = || Step { course: Step::new_course(), ..Step::default() };
        Step { path, ..known.unwrap_or_else(begin) }
    }

    fn lines(&self, from: impl Read, form: Form, course: &mut Course) -> io::Result<()> {
        let (mark, mut identity) = (course.step().mark, Identity::of(&self.name));
        identity.fixed.text(PATH_FIELD, &self.name.display().to_string());
        let limit = self.job.options.line_bytes;
        let mut blocks = Blocks::new(from, mark, form, identity.fixed, limit).with_time(self.time);
        let mut taker = Taker::new(self, mark);
        let mut block = Block::of(&identity.tag);
        loop {
            let filled = blocks.fill(&mut block, Rest::IsLine);
            self.job.note(self.index, |report| report.oddities = blocks.oddities());
            let is_last = block.is_empty();
            taker.take(&block, course);
            block.clear();
            filled?;
            if is_last || self.job.is_over() {
                break;
            }
        }
        taker.end(course);
        Ok(())
    }

    /// How far an earlier run has come with this very content, whatever it was called then.
    fn known(&self, head: &[u8]) -> Option<Step> {
        if self.path == Path::new("-") {
            return None;
        }
        let mut first = Lines::new(head, Mark::default(), HEAD);
        let file = first.next(Rest::Waits).ok()??.end.file;
        let steps = self.job.progress()?.of(file);
        if steps.is_empty() { None } else { self.verified(steps) }
    }

    /// The farthest of `steps` up to which the content is what it was.
    fn verified(&self, mut steps: Vec<Step>) -> Option<Step> {
        let (mut number, mut found) = (0, None);
        let mut visit = |content: Found<'_>| {
            if let (Found::Content(mut content), true) = (content, number == self.number) {
                let text = Text::new(&mut content, self.job.options.encoding.unwrap_or_default());
                found = farthest(text, &mut steps, self.job.options.line_bytes);
            }
            number += 1;
            if number > self.number { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let _: ControlFlow<()> = each_content(&mut File::open(self.path).ok()?, &mut visit);
        if found.is_none() && !steps.is_empty() {
            tracing::info!(path = %self.name.display(), "the file is not what it was, or another that begins alike; it is read from its start");
        }
        found
    }
}

/// Looks for the places of `steps`, of which those left are not there, in `text`.
fn farthest(text: impl Read, steps: &mut Vec<Step>, limit: usize) -> Option<Step> {
    let mut lines = Lines::new(text, Mark::default(), limit);
    let mut found = None;
    // The farthest stands first.
    while let Some(step) = steps.last() {
        let Ok(Some(line)) = lines.next(Rest::IsLine) else { break };
        if line.end.chain == step.mark.chain {
            // A last line without an end may have got one since.
            found = steps.pop().map(|step| Step { mark: line.end, ..step });
        } else if line.end.place > step.mark.place {
            steps.pop();
        }
    }
    found
}

/// Reads up to the step, to begin behind it.
fn pass_over(from: &mut impl Read, step: Option<&Step>) -> io::Result<()> {
    let Some(step) = step else { return Ok(()) };
    io::copy(&mut from.take(step.mark.place), &mut io::sink()).map(drop)
}

fn head(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let read = from.take(HEAD as u64).read_to_end(&mut head);
    // What came before a fault is told by itself; the fault comes again.
    if head.is_empty() { read.map(|_| head) } else { Ok(head) }
}

fn nothing_to_read(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("nothing to read in it: it is {what}"))
}
