//! What stands around a line in a file: nothing, or what a container engine writes there.
//!
//! Docker's `json-file` and the CRI's files have one line of a container in each of theirs, with time and stream, and long ones
//! in parts. Parts are put together here, per stream; the event has the id and the time of its first. A line that has not the
//! form of its file is taken for one that has none: it is kept as it is.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Mark;
use super::block::{Block, Fixed, Said};
use crate::encode::IdBase;
use crate::event::Timestamp;

/// The form of a file's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line is an event.
    Plain,
    /// `{"log":"LINE\n","stream":"stdout","time":"TIME"}`
    Docker,
    /// `TIME STREAM TAGS LINE`
    Cri,
    /// `{…},` and brackets around all of them: the objects of a JSON array, one a line.
    Array,
}

impl Form {
    /// The form of a file that begins with these bytes.
    pub(crate) fn of(head: &[u8]) -> Self {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if Cri::read(line).is_some() {
            Self::Cri
        } else if Docker::read(line).is_some() {
            Self::Docker
        } else if begins_array(head) {
            Self::Array
        } else {
            Self::Plain
        }
    }
}

/// Whether the first object of an array, which ends in its line, is what `head` begins with.
fn begins_array(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"[") else { return false };
    let first = rest.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = first.trim_ascii_end();
    let object = first.strip_suffix(b",").or_else(|| first.strip_suffix(b"]")).unwrap_or(first);
    serde_json::from_slice::<&RawValue>(object).is_ok_and(|object| object.get().starts_with('{'))
}

/// What a line of an array has in it; nothing where that is a bracket.
fn element(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    let inner = line.strip_prefix(b"[").unwrap_or(line).trim_ascii_start();
    let inner = inner.strip_prefix(b",").unwrap_or(inner).trim_ascii_start();
    let inner = inner.strip_suffix(b",").unwrap_or(inner).trim_ascii_end();
    let inner = inner.strip_suffix(b"]").unwrap_or(inner).trim_ascii_end();
    if inner.is_empty() || inner.starts_with(b"{") && inner.ends_with(b"}") { inner } else { line }
}

/// A line of a file, read.
struct Read<'l> {
    time: Timestamp,
    stream: &'l str,
    text: Cow<'l, [u8]>,
    /// Whether more of it follows.
    is_part: bool,
    /// Labels and variables of the container.
    attributes: Option<&'l str>,
}

#[derive(Deserialize)]
struct Docker<'l> {
    #[serde(borrow)]
    log: Cow<'l, str>,
    stream: &'l str,
    time: &'l str,
    #[serde(borrow, default)]
    attrs: Option<&'l RawValue>,
}

impl Docker<'_> {
    fn read(line: &[u8]) -> Option<Read<'_>> {
        let docker: Docker<'_> = serde_json::from_slice(line).ok()?;
        let is_part = !docker.log.ends_with('\n');
        let text = match docker.log {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(['\r', '\n']).as_bytes()),
            Cow::Owned(mut text) => {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
                Cow::Owned(text.into_bytes())
            }
        };
        let attributes = docker.attrs.map(RawValue::get);
        Some(Read { time: time(docker.time)?, stream: stream(docker.stream)?, text, is_part, attributes })
    }
}

struct Cri;

impl Cri {
    fn read(line: &[u8]) -> Option<Read<'_>> {
        let mut parts = line.splitn(4, |byte| *byte == b' ');
        let mut next = || str::from_utf8(parts.next()?).ok();
        let (time, stream) = (time(next()?)?, stream(next()?)?);
        let is_part = match next()?.split(':').next()? {
            "F" => false,
            "P" => true,
            _ => return None,
        };
        let text = Cow::Borrowed(parts.next().unwrap_or_default());
        Some(Read { time, stream, text, is_part, attributes: None })
    }
}

fn stream(name: &str) -> Option<&str> {
    matches!(name, "stdout" | "stderr").then_some(name)
}

/// A time of RFC 3339.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    Timestamp::from_jiff(text.parse().ok()?)
}

/// The first part of a line, and the text of all that have come.
#[derive(Clone)]
struct Parts {
    start: Mark,
    id: IdBase,
    time: Timestamp,
    text: Vec<u8>,
}

/// First parts of lines whose rest stands in another file: Docker rotates its files in the middle of a line, too.
#[derive(Default)]
pub(crate) struct Carried([Option<Parts>; 2]);

impl Carried {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.0.iter().flatten().map(|parts| parts.text.len()).sum::<usize>()
    }
}

/// Takes lines out of their form.
pub(crate) struct Unwrap {
    form: Form,
    /// The longest that parts may become.
    limit: usize,
    /// By stream: `stdout`, `stderr`.
    parts: [Option<Parts>; 2],
    /// The attributes of the line before, and what they are as fields.
    attributes: (String, Fixed),
    /// Those of lines that say none.
    labels: Fixed,
}

impl Unwrap {
    /// For a file of this form; a line of parts is no longer than `limit`.
    pub(crate) fn new(form: Form, limit: usize) -> Self {
        let (parts, attributes, labels) = Default::default();
        Self { form, limit, parts, attributes, labels }
    }

    /// Gives lines of a container that say no attributes these.
    pub(crate) fn set_labels(&mut self, labels: Fixed) {
        self.labels = labels;
    }

    /// Goes on with lines that began in the file before.
    pub(crate) fn carry_on(&mut self, Carried(parts): Carried) {
        self.parts = parts;
        // Of this file nothing is needed for them but what stands in it.
        self.parts.iter_mut().flatten().for_each(|parts| parts.start = Mark::default());
    }

    /// Gives lines up whose rest is to come in the next file.
    pub(crate) fn take_parts(&mut self) -> Carried {
        Carried(std::mem::take(&mut self.parts))
    }

    /// Lends lines out whose rest is to come in the next file, if there are any.
    pub(crate) fn lend_parts(&self) -> Option<Carried> {
        self.waits_from().map(|_| Carried(self.parts.clone()))
    }

    /// The first place in the file that is still needed, where parts wait.
    pub(crate) fn waits_from(&self) -> Option<Mark> {
        self.parts.iter().flatten().map(|parts| parts.start).min_by_key(|mark| mark.place)
    }

    /// Takes a line of the file into `block`: its bytes, where it begins, and its id; `time` is that of lines that have none.
    pub(crate) fn line(
        &mut self,
        (line, start, id): (&[u8], Mark, IdBase),
        time: Option<Timestamp>,
        block: &mut Block,
        fixed: &Fixed,
    ) {
        let read = match self.form {
            Form::Plain | Form::Array => None,
            Form::Docker => Docker::read(line),
            Form::Cri => Cri::read(line),
        };
        let line = if self.form == Form::Array { element(line) } else { line };
        match read {
            None if line.is_empty() => (),
            Some(read) => self.unwrapped(read, start, id, block, fixed),
            None => block.line(id, line, &Said { time, ..Said::default() }, fixed),
        }
    }

    fn unwrapped(&mut self, read: Read<'_>, start: Mark, id: IdBase, block: &mut Block, fixed: &Fixed) {
        let [stdout, stderr] = &mut self.parts;
        let waiting = if read.stream == "stdout" { stdout } else { stderr };
        if read.attributes.is_some_and(|attributes| attributes != self.attributes.0) {
            self.attributes = learn(read.attributes.unwrap_or_default());
        }
        let more = Some(if read.attributes.is_some() { &self.attributes.1 } else { &self.labels });
        if waiting.is_none() && !read.is_part {
            let said = Said { time: Some(read.time), stream: Some(read.stream), more };
            return block.line(id, &read.text, &said, fixed);
        }
        let begin = || Parts { start, id, time: read.time, text: Vec::new() };
        let parts = waiting.get_or_insert_with(begin);
        parts.text.extend_from_slice(&read.text);
        if (!read.is_part || parts.text.len() >= self.limit)
            && let Some(parts) = waiting.take()
        {
            let said = Said { time: Some(parts.time), stream: Some(read.stream), more };
            block.line(parts.id, &parts.text, &said, fixed);
        }
    }

    /// Writes parts of which the rest will not come.
    pub(crate) fn end(&mut self, block: &mut Block, fixed: &Fixed) {
        for (stream, waiting) in ["stdout", "stderr"].into_iter().zip(&mut self.parts) {
            if let Some(parts) = waiting.take() {
                let said = Said { time: Some(parts.time), stream: Some(stream), more: Some(&self.labels) };
                block.line(parts.id, &parts.text, &said, fixed);
            }
        }
    }
}

/// The attributes, a JSON object, as fields.
fn learn(attributes: &str) -> (String, Fixed) {
    let mut fixed = Fixed::default();
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(attributes).unwrap_or_default();
    for (name, value) in &object {
        match value {
            serde_json::Value::String(text) => fixed.text(name, text),
            other => fixed.text(name, &other.to_string()),
        }
    }
    (attributes.to_owned(), fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_of_an_array_the_object_is_left_and_of_what_is_none_all_of_it() {
        for (line, expected) in [
            ("[", ""),
            ("]", ""),
            (" ],", ""),
            ("[{\"a\":[1]},", "{\"a\":[1]}"),
            ("  {\"a\":2},\r", "{\"a\":2}"),
            (",{\"a\":3}", "{\"a\":3}"),
            ("{\"a\":4}]", "{\"a\":4}"),
            ("no element, but text]", "no element, but text]"),
        ] {
            assert_eq!(element(line.as_bytes()), expected.as_bytes(), "{line}");
        }
    }
}
