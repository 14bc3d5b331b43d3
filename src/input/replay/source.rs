//! One content, from its bytes to its documents in the buffer.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::beside::Beside;
use super::job::Job;
use super::rate::Rate;
use super::reader::Place;
use super::taker::Taker;
use crate::input::file::{
    Beginning, Block, Blocks, Carried, Content, Course, Form, Found, HEAD, Identity, Kind, Lines, Mark,
    PATH_FIELD, Reading, Rest, Step, Take, Text, each_content, sent_chunk,
};

/// See the module.
pub(super) struct Source<'j> {
    pub(super) job: &'j Arc<Job>,
    pub(super) runtime: &'j Handle,
    /// Where it lies.
    pub(super) place: Place<'j>,
    /// What it is called.
    pub(super) name: PathBuf,
    /// Its number among all sources.
    pub(super) index: usize,
    /// What lies beside it, where that is an archive's.
    pub(super) beside: &'j Beside,
}

impl Source<'_> {
    /// Reads it to its end, or as far as it can be read; `carried` are parts of lines from one source to the next.
    pub(super) fn read(&self, content: &mut Content<'_>, carried: &mut Carried) -> (Course, io::Result<()>) {
        let is_file_itself = !content.is_packed && content.path.is_none() && !self.place.is_stream;
        let mut text = Text::new(content, self.job.options.encoding.unwrap_or_default());
        let head = match head(&mut text) {
            Ok(head) => head,
            Err(fault) => return (Course::default(), Err(fault)),
        };
        let kind = Kind::of(&head, Some(&self.name));
        self.job.note(self.index, |report| report.kind = kind.word());
        let mut identity = self.identity();
        let step = if kind.goes_on() { self.step(&head, &mut identity) } else { Step::default() };
        let from = step.mark;
        let mut taker = Taker::new(self, Course::from(step), kind.goes_on());
        let mut rest = Cursor::new(head).chain(text);
        let read = pass_over(&mut rest, from.place).and_then(|()| match kind {
            Kind::Lines(form) => self.lines(&mut rest, form, identity, carried, &mut taker),
            Kind::Binary(what) => Err(nothing_to_read(what)),
            kind => self.others(&mut rest, kind, (is_file_itself, &identity.tag), &mut taker),
        });
        (taker.end(), read)
    }

    fn identity(&self) -> Identity {
        if self.name == self.place.path {
            return Identity::of(&self.name);
        }
        Identity::told_by(&self.name, &|path| self.beside.read(path))
    }

    /// The step to begin from; its tag becomes that of `identity`.
    ///
    /// Ids hold inside one index, and the index comes from the tag: a copy under another name keeps the tag under which it
    /// was read first, by this run or by an earlier one.
    fn step(&self, head: &[u8], identity: &mut Identity) -> Step {
        let beginning = Beginning::of(head);
        let known = beginning.file().and_then(|file| self.known(file));
        self.job.note(self.index, |report| report.resumed = known.as_ref().map_or(0, |step| step.events));
        let mut step = known.unwrap_or_else(|| Step { course: Step::new_course(), ..Step::default() });
        (step.path, step.beginning) = (self.name.display().to_string(), beginning);
        self.job.begin_course(&mut step, &identity.tag);
        identity.tag.clone_from(&step.tag);
        step
    }

    fn lines(
        &self,
        from: &mut dyn Read,
        form: Form,
        mut identity: Identity,
        carried: &mut Carried,
        taker: &mut Taker<'_>,
    ) -> io::Result<()> {
        identity.fixed.text(PATH_FIELD, &self.name.display().to_string());
        let mark = taker.mark();
        let limit = self.job.options.line_bytes;
        let blocks = Blocks::new(from, mark, form, identity.fixed, limit);
        let blocks = blocks.with_time(self.place.time).with_labels(identity.labels);
        let mut blocks = blocks.carrying(self.place.goes_on);
        let carried_here = std::mem::take(carried);
        // What was read before has had its end in what was read behind it.
        if mark == Mark::default() {
            blocks.carry_on(carried_here);
        }
        let room = self.job.options.rate.map(Rate::room).unwrap_or_default();
        let mut block = Block::of(&identity.tag).within(room);
        loop {
            let filled = blocks.fill(&mut block, Rest::IsLine);
            let is_over = block.is_empty() || filled.is_err();
            self.job.note(self.index, |report| report.oddities = blocks.oddities());
            let flow = taker.block(&block);
            block.clear();
            if is_over || flow.is_break() {
                *carried = blocks.take_parts();
                return filled;
            }
        }
    }

    fn others(
        &self,
        from: &mut dyn Read,
        kind: Kind,
        (is_file_itself, tag): (bool, &str),
        taker: &mut Taker<'_>,
    ) -> io::Result<()> {
        let path = is_file_itself.then_some(self.place.path);
        // why: a chunk is sent as it lies there, compressed or not.
        let is_chunk = kind == Kind::FluentdChunk && self.name == self.place.path && !self.place.is_stream;
        let sent = if is_chunk { sent_chunk(self.place.path)? } else { None };
        let options = &self.job.options;
        let reading = Reading {
            path,
            from: taker.mark(),
            tag: options.tag.as_deref().unwrap_or(tag),
            sent,
            longest: options.line_bytes,
            keeps_index: options.keeps_index,
            as_events: options.documents_as_events,
        };
        kind.read(from, &reading, taker)
    }

    /// How far an earlier run has come with this very content, whatever it was called then.
    fn known(&self, file: u64) -> Option<Step> {
        if self.place.is_stream || !self.job.resumes() {
            return None;
        }
        let mut steps = self.job.progress().of(file);
        steps.retain(|step| step.mark.place > 0);
        if steps.is_empty() { None } else { self.verified(steps) }
    }

    /// The farthest of `steps` up to which the content is what it was.
    fn verified(&self, mut steps: Vec<Step>) -> Option<Step> {
        let (mut number, mut found) = (0, None);
        let mut visit = |content: Found<'_>| {
            if let (Found::Content(mut content), true) = (content, number == self.place.number) {
                let text = Text::new(&mut content, self.job.options.encoding.unwrap_or_default());
                found = farthest(text, &mut steps, self.job.options.line_bytes);
            }
            number += 1;
            if number > self.place.number { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match each_content(&mut File::open(self.place.path).ok()?, &mut visit) {
            ControlFlow::Break(()) | ControlFlow::Continue(()) => (),
        }
        if found.is_none() {
            let what = "it is not what it was when an earlier replay read it, or another that begins alike: read from its beginning";
            self.job.note(self.index, |report| report.remarks.push(what.to_owned()));
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
            // Lines may end otherwise now, and a last line without an end may have got one.
            found = steps.pop().map(|step| Step { mark: line.end, ..step });
        } else if line.end.lines > step.mark.lines {
            steps.pop();
        }
    }
    found
}

/// Reads up to the `place` where an earlier run ended.
fn pass_over(from: &mut dyn Read, place: u64) -> io::Result<()> {
    io::copy(&mut from.take(place), &mut io::sink()).map(drop)
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
