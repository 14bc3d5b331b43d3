//! How the lines of a pipeline are read: in one format, in the first of several that fits, or in the one they have.

use std::sync::Arc;

use bumpalo::Bump;

use super::auto::{self, Streams};
use super::format::Format;
use super::formats;
use super::level::Level;
use super::own::Own;
use super::sink::{Sink, Style};
use crate::event::Event;

/// A format that was named.
#[derive(Clone, Debug, PartialEq)]
pub enum Grammar {
    /// One of those that are known.
    Known {
        /// Which.
        format: Format,
        /// How it was named: `nginx` is a name of `access`.
        called: &'static str,
    },
    /// One that the configuration describes.
    Own(Arc<Own>),
}

impl Grammar {
    /// One of those that are known, by any of its names.
    pub fn named(name: &str) -> Option<Self> {
        Format::called(name).map(|(called, format)| Self::Known { format, called })
    }

    /// As metrics have it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Known { format, .. } => format.name(),
            Self::Own(own) => own.name(),
        }
    }

    /// As the configuration has it.
    pub fn called(&self) -> &'static str {
        match self {
            Self::Known { called, .. } => called,
            Self::Own(own) => own.name(),
        }
    }

    /// Why `line`, which is not in it, is not, where that can be said.
    pub fn why_not<'a>(&self, line: &str, arena: &'a Bump) -> Option<&'a str> {
        match self {
            Self::Known { format: Format::Json, .. } => Some(formats::why_not_json(line, arena)),
            _ => None,
        }
    }

    fn read<'a>(&'a self, line: &'a str, sink: &mut Sink<'_, 'a>) -> bool {
        let read = match self {
            Self::Known { format, .. } => return auto::fits(*format, line, sink),
            Self::Own(own) => own.read(line, sink),
        };
        if read.is_none() {
            sink.take_back();
        }
        read.is_some()
    }
}

impl From<Format> for Grammar {
    fn from(format: Format) -> Self {
        Self::Known { format, called: format.name() }
    }
}

/// How the line of an event is read.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Parse {
    /// In the format that it has; a line that has none is left alone.
    #[default]
    Auto,
    /// In the first of these that fits; a line that fits none is kept whole and counted.
    Formats(Vec<Grammar>),
    /// No line is looked at.
    None,
}

/// Where a line comes from, and what is known of the lines before it.
pub struct Stream<'s> {
    /// Which it is among those of its connection, a hash.
    pub id: u64,
    /// What the connection's streams were last written in.
    pub last: &'s mut Streams,
}

/// What a line that was read is.
pub struct ReadLine {
    /// The name of what it is written in.
    pub format: &'static str,
    /// The level that it says in a place of its own, not in a member that only may be one.
    pub level: Option<Level>,
}

/// Reads `line` into `event`, from which it was taken; none, and then nothing is changed, where it does not fit.
pub fn read_line<'a>(
    line: &'a str,
    parse: &'a Parse,
    style: &'a Style,
    event: &mut Event<'a>,
    stream: Stream<'_>,
    arena: &'a Bump,
) -> Option<ReadLine> {
    let mut sink = Sink::new(&mut event.fields, style, event.time, arena);
    let format = match parse {
        Parse::Auto => auto::read(line, stream, &mut sink).map(Format::name),
        Parse::Formats(formats) => {
            sink = sink.named_format();
            formats.iter().find(|format| format.read(line, &mut sink)).map(Grammar::name)
        }
        Parse::None => None,
    }?;
    let (own, said) = sink.whole();
    let level = said.settle(event, own, style, arena);
    Some(ReadLine { format, level })
}
