//! What is not an event yet: parts of docker's long lines, and lines of which more may follow.
//!
//! One line may pass both: parts make a line, and that line is one of a trace.

use super::multiline::{Gathered, Gatherer, Piece, Rules};
use super::part::{Line, Part};
use super::stream::Streams;
use super::{Joiner, Pipeline};
use crate::buffer::PartId;
use crate::decode::read_record;
use crate::event::{Fields, Value};
use crate::parse::Level;

/// Everything that waits for more, of every connection.
pub struct Assembler {
    parts: Joiner,
    lines: Gatherer,
    streams: Streams,
}

impl Assembler {
    /// Nothing waits.
    pub fn new(parts: Joiner, lines: Gatherer) -> Self {
        Self { parts, lines, streams: Streams::default() }
    }

    /// Lines come of files, too, whose paths are in these fields.
    pub fn with_paths(mut self, fields: Vec<String>) -> Self {
        self.streams = Streams::of_files(fields);
        self
    }

    /// Docker's parts.
    pub fn parts(&self) -> &Joiner {
        &self.parts
    }

    /// Whether the line of `fields` is an event by itself, and nothing of its stream waits. One that was `promised` an ack
    /// may be one that was sent again.
    pub fn passes(&self, pipeline: &Pipeline, tag: &str, fields: &Fields<'_>, promised: bool) -> bool {
        match pipeline.lines_of(fields) {
            Some((rules, line)) => self.lines.passes(rules, promised, || self.streams.of(tag, fields), line),
            None => true,
        }
    }

    /// Takes a line that does not pass, or one that more may follow for its `level`. An event has the `sequence` of its first.
    pub fn add(
        &self,
        pipeline: &Pipeline,
        part: Part<'_>,
        sequence: u64,
        fields: &Fields<'_>,
        level: Option<Level>,
        keep: impl FnOnce(&Part<'_>) -> Option<PartId>,
    ) -> Gathered {
        let Some((rules, text)) = pipeline.lines_of(fields) else { return Gathered::alone() };
        let stream = self.streams.of(part.tag, fields);
        let piece = Piece { stream, sequence: Some(sequence), part, text, kept: &[] };
        self.lines.add(rules, &piece, level.is_some_and(|level| level >= Level::Warn), keep)
    }

    /// Takes a line that parts were put together to; `waits` whatever it says. `keep` is asked to keep the rest of it on disk
    /// where it has to wait.
    pub fn add_line(
        &self,
        pipeline: &Pipeline,
        line: &Line,
        waits: bool,
        keep: impl FnOnce() -> Option<PartId>,
    ) -> Gathered {
        let mut fields = Fields::default();
        let Some(rules) = pipeline.multiline.as_ref().filter(|_| line.incomplete.is_none()) else {
            return Gathered::alone();
        };
        if read_record(&line.record, &mut fields).is_err() {
            return Gathered::alone();
        }
        let Line { time, id, sequence, .. } = *line;
        let part = Part { tag: &line.tag, time, id, source: &line.source, record: &line.record };
        let piece = Piece {
            stream: self.streams.of(&line.tag, &fields),
            sequence,
            part,
            text: &line.text,
            kept: &line.kept,
        };
        self.lines.add(rules, &piece, waits, |_| keep())
    }

    /// What no more comes of: lines whose parts or followers are late.
    pub fn expire(&self) -> Vec<Line> {
        let mut lines = self.parts.expire();
        lines.extend(self.lines.expire());
        lines
    }

    /// Whether lines wait for others to follow.
    pub fn has_waiting_lines(&self) -> bool {
        self.lines.has_waiting()
    }

    /// All lines that wait for others to follow.
    pub fn take_lines(&self) -> Vec<Line> {
        self.lines.take_all()
    }

    /// Takes a part or a line back that an earlier run kept; answers lines that are whole as far as docker goes.
    pub fn recover(&self, bytes: &[u8], id: PartId) -> Vec<Line> {
        let Ok(part) = Part::from_bytes(bytes) else { return Vec::new() };
        let mut fields = Fields::default();
        if read_record(part.record, &mut fields).is_ok() && Joiner::is_part(&fields) {
            return self.parts.recover(bytes, id);
        }
        let text = fields.text("log").or_else(|| fields.text("message")).unwrap_or_default().to_vec();
        let mut line = Line::of_part(&part, text, None);
        line.kept.push(id);
        vec![line]
    }

    /// Learns from a part or a line that an earlier run kept and that has left since.
    pub fn recover_settled(&self, bytes: &[u8]) {
        let Ok(part) = Part::from_bytes(bytes) else { return };
        let mut fields = Fields::default();
        if read_record(part.record, &mut fields).is_ok() && Joiner::is_part(&fields) {
            self.parts.recover_settled(bytes);
        } else {
            self.lines.recover_settled(self.streams.of(part.tag, &fields), part.id);
        }
    }
}

impl Pipeline {
    /// The line of a record and how it is told which belong together; none where they are not looked at.
    fn lines_of<'a>(&self, fields: &Fields<'a>) -> Option<(&Rules, &'a [u8])> {
        let rules = self.multiline.as_ref()?;
        let text = |name| fields.get(name).and_then(Value::borrowed_text);
        // why: traces are put together of what a container printed only; a logger's own records are whole.
        let line = text("log").or_else(|| if rules.are_own() { text("message") } else { None })?;
        Some((rules, line))
    }
}
