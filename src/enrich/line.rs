//! The line of an event, `message`, is read and what it says merged into the event.
//!
//! The rule: what a line says takes the place of `message`, and a format that has a message of its own gives it back under
//! that name. A field with the name of one of the record's own is kept as `parsed.NAME`, since the record's come from the
//! engine and the line's from whoever printed it. The time that the line says becomes the event's. A line that fits no
//! format stays as it is, but for its colours; where a format was named, `parse_error` says so. Of an event of many lines
//! the first is read, but for a JSON object, which may go over several.

use std::sync::Arc;

use bumpalo::Bump;

use super::{Course, multiline, stream};
use crate::event::{Event, Name, Value};
use crate::parse::{self, Parse, Stream, Style};

/// The step, compiled.
#[derive(Debug)]
pub(super) struct LineStep {
    /// The pattern of its pipeline.
    pipeline: Arc<str>,
    parse: Parse,
    style: Style,
    /// What `parse_error` says of a line that does not fit.
    misfit: String,
}

impl LineStep {
    pub(super) fn new(pipeline: Arc<str>, parse: Parse, style: Style) -> Self {
        let misfit = match &parse {
            Parse::Formats(formats) => {
                let names: Vec<_> = formats.iter().map(|format| format.called()).collect();
                format!("the line is not {}", names.join(", nor "))
            }
            Parse::Auto | Parse::None => String::new(),
        };
        Self { pipeline, parse, style, misfit }
    }

    /// What the pipeline says of it.
    pub(super) fn parse(&self) -> &Parse {
        &self.parse
    }

    /// Reads the line of `event`.
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, course: &mut Course) {
        let Some(place) = event.fields.position("message") else { return };
        let message = event.fields.at(place).map(|field| &field.value);
        let Some(bytes) = message.and_then(Value::borrowed_text) else { return };
        let Ok(line) = simdutf8::basic::from_utf8(bytes) else {
            let place = str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to() + 1);
            return self.misfits(event, course, arena, |arena| {
                Some(bumpalo::format!(in arena, "byte {} is no UTF-8", place).into_bump_str())
            });
        };
        let (line, text, rest) = lines_of(line, arena);
        // Which stream it is, only `auto` asks.
        let id = if self.parse == Parse::Auto { stream::of(event.tag, &event.fields) } else { 0 };
        let stream = Stream { id, last: &mut course.streams };
        // Taken out first: afterwards all that was read would have to move up.
        event.fields.take_line(place);
        match parse::read_line(text, &self.parse, &self.style, event, stream, arena) {
            Some(read) => {
                course.seen.read(read.format);
                course.level = read.level;
                rest.into_iter().for_each(|rest| self.add_rest(event, rest, arena));
            }
            None => {
                event.fields.put_back(place, Name::MESSAGE, Value::Text(line.as_bytes()));
                self.misfits(event, course, arena, |arena| self.why_not(text, arena));
            }
        }
    }

    /// The lines behind the first: a trace is a field of its own, anything else belongs to the message.
    fn add_rest<'a>(&self, event: &mut Event<'a>, rest: &'a str, arena: &'a Bump) {
        let message = event.fields.get("message").and_then(Value::borrowed_text);
        let message = message.and_then(|message| str::from_utf8(message).ok());
        let (more, trace) = match message {
            Some(_) => multiline::message_and_trace(rest),
            None => ("", rest),
        };
        let more = more.trim_end_matches(['\r', '\n']);
        if let Some(message) = message
            && !more.is_empty()
        {
            let whole = match message {
                // .NET's console logger has it on the lines below its head, indented.
                "" => more.trim_start_matches(' '),
                message => bumpalo::format!(in arena, "{}\n{}", message, more).into_bump_str(),
            };
            event.fields.set(Name::MESSAGE, Value::Text(whole.as_bytes()));
        }
        if !trace.is_empty() {
            let name = parse::stack_name(self.style.schema);
            event.fields.add_beside("parsed", Name::from(name), Value::Text(trace.as_bytes()));
        }
    }

    /// Of the first that was named: a list ends with what takes the rest.
    fn why_not<'a>(&self, line: &str, arena: &'a Bump) -> Option<&'a str> {
        match &self.parse {
            Parse::Formats(formats) => formats.first()?.why_not(line, arena),
            Parse::Auto | Parse::None => None,
        }
    }

    fn misfits<'a>(
        &'a self,
        event: &mut Event<'a>,
        course: &mut Course,
        arena: &'a Bump,
        why: impl FnOnce(&'a Bump) -> Option<&'a str>,
    ) {
        if let Parse::Formats(formats) = &self.parse {
            let error = match why(arena) {
                Some(why) => bumpalo::format!(in arena, "{}: {}", self.misfit, why).into_bump_str(),
                None => &self.misfit,
            };
            let error = Value::Text(error.as_bytes());
            event.fields.add_beside("forebay", Name::from("parse_error"), error);
            let first = formats.first().map(|format| format.name());
            first.into_iter().for_each(|format| course.seen.misfit(&self.pipeline, format));
        }
    }
}

/// A text without colours, the line of it that is to be read, and those behind it. Nearly always it is that line, which is told in
/// one look.
#[inline]
fn lines_of<'a>(text: &'a str, arena: &'a Bump) -> (&'a str, &'a str, Option<&'a str>) {
    if parse::is_one_plain_line(text) {
        return (text, without_end(text), None);
    }
    let text = parse::without_colours(text, arena);
    let (first, rest) = first_line(without_end(text));
    (text, first, rest)
}

/// The line without what ends it.
fn without_end(line: &str) -> &str {
    let end = line.bytes().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// The line to be read, and those behind it.
fn first_line(text: &str) -> (&str, Option<&str>) {
    let end = if text.starts_with('{') { None } else { memchr::memchr(b'\n', text.as_bytes()) };
    match end.and_then(|end| text.split_at_checked(end)) {
        Some((first, rest)) => (first.trim_end_matches('\r'), rest.strip_prefix('\n')),
        None => (text, None),
    }
}
