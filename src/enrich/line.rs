//! The line of an event, `message`, is read and what it says merged into the event.
//!
//! The rule: what a line says takes the place of `message`, and a format that has a message of its own gives it back under
//! that name. A field with the name of one of the record's own is kept as `parsed.NAME`, since the record's come from the
//! engine and the line's from whoever printed it. The time that the line says becomes the event's. A line that fits no
//! format stays as it is, but for its colours; where a format was named, `parse_error` says so.

use std::borrow::Cow;

use bumpalo::Bump;

use super::{Course, ansi};
use crate::event::{Event, Value};
use crate::parse::{self, Parse, Stream, Style};

/// The step, compiled.
#[derive(Debug)]
pub(super) struct LineStep {
    parse: Parse,
    style: Style,
    /// What `parse_error` says of a line that does not fit.
    misfit: String,
}

impl LineStep {
    pub(super) fn new(parse: Parse, style: Style) -> Self {
        let misfit = match &parse {
            Parse::Formats(formats) => {
                let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
                format!("the line is not {}", names.join(", nor "))
            }
            Parse::Auto | Parse::None => String::new(),
        };
        Self { parse, style, misfit }
    }

    /// Reads the line of `event`.
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, course: &mut Course) {
        let Some(bytes) = event.fields.get("message").and_then(Value::borrowed_text) else { return };
        let Ok(line) = simdutf8::basic::from_utf8(bytes) else { return self.misfits(event, course) };
        let line = ansi::without_colours(line, arena);
        let text = line.trim_end_matches(['\r', '\n']);
        let stream = Stream { id: stream(event), last: &mut course.streams };
        // Taken out first: afterwards all that was read would have to move up.
        let Some((place, mut message)) = event.fields.take("message") else { return };
        match parse::read_line(text, &self.parse, &self.style, event, stream, arena) {
            Some(format) => course.seen.read(format),
            None => {
                if line.len() != bytes.len() {
                    message.value = Value::Text(line.as_bytes());
                }
                event.fields.put_back(place, message);
                self.misfits(event, course);
            }
        }
    }

    fn misfits<'a>(&'a self, event: &mut Event<'a>, course: &mut Course) {
        if let Parse::Formats(formats) = &self.parse {
            let error = Value::Text(self.misfit.as_bytes());
            event.fields.add_beside("forebay", Cow::Borrowed("parse_error"), error);
            formats.first().into_iter().for_each(|format| course.seen.misfit(format.name()));
        }
    }
}

/// Which stream of its connection the line came over: a container's stdout or stderr, where the record says so.
fn stream(event: &Event<'_>) -> u64 {
    let part = |name| event.fields.text(name).map_or(0, xxhash_rust::xxh3::xxh3_64);
    part("container_id") ^ part("source").rotate_left(1) ^ xxhash_rust::xxh3::xxh3_64(event.tag.as_bytes())
}
