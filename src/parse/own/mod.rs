//! Formats that an operator describes: a regex with named captures, grok, or dissect.
//!
//! A capture is a field. Its name and type are settled at the start; a line then costs the search alone. What a capture is called
//! tells its role, as in formats whose names are the sender's: `time`, `level` and `message`, and what else loggers call them,
//! become the event's. Where nothing is empty or `-`, which is how logs say "none", and a value that does not have its type
//! stays a text.

mod captures;
mod dissect;
mod grok;
mod grok_patterns;
mod regex;
mod time;

use super::sink::Sink;
use captures::Captures;
use dissect::Dissect;
use regex::Regex;

/// A `[format.NAME]` table: one of `regex`, `grok` and `dissect`, and what goes along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnOptions {
    /// A regex whose named groups are fields.
    pub regex: Option<String>,
    /// A grok expression.
    pub grok: Option<String>,
    /// A dissect pattern.
    pub dissect: Option<String>,
    /// The types of fields: `text`, `int`, `float`, `bool`.
    pub types: Vec<(String, String)>,
    /// Patterns for `grok` beside the well-known ones.
    pub patterns: Vec<(String, String)>,
    /// The form of the time in strptime's words, where it is none of the usual ones.
    pub time: Option<String>,
}

/// Why a format cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct OwnFault {
    /// The key of the table.
    pub key: &'static str,
    /// Why.
    pub why: String,
}

impl OwnFault {
    fn new(key: &'static str, why: impl Into<String>) -> Self {
        Self { key, why: why.into() }
    }
}

/// A format that was described, compiled.
#[derive(Debug)]
pub struct Own {
    name: &'static str,
    options: OwnOptions,
    layout: Layout,
    captures: Captures,
}

#[derive(Debug)]
enum Layout {
    Regex(Regex),
    Dissect(Dissect),
}

/// A field as it is described: its name, and its type where that stands beside.
type Described = (String, Option<String>);

impl Own {
    /// Compiles the format `name`.
    pub fn compile(name: &str, options: &OwnOptions) -> Result<Self, OwnFault> {
        let (key, layout, described) = match (&options.regex, &options.grok, &options.dissect) {
            (Some(pattern), None, None) => {
                let (regex, described) = Regex::new(pattern).map_err(|why| OwnFault::new("regex", why))?;
                ("regex", Layout::Regex(regex), described)
            }
            (None, Some(expression), None) => {
                let (regex, described) = grok::compile(expression, &options.patterns)?;
                ("grok", Layout::Regex(regex), described)
            }
            (None, None, Some(pattern)) => {
                let (dissect, described) =
                    Dissect::new(pattern).map_err(|why| OwnFault::new("dissect", why))?;
                ("dissect", Layout::Dissect(dissect), described)
            }
            (None, None, None) => return Err(OwnFault::new("regex", "set one of regex, grok and dissect")),
            _ => {
                return Err(OwnFault::new(
                    "regex",
                    "is one of two or more; keep one of regex, grok and dissect",
                ));
            }
        };
        if key != "grok" && !options.patterns.is_empty() {
            return Err(OwnFault::new("patterns", "has no effect without grok"));
        }
        let captures = Captures::new(key, described, options)?;
        // why: a label of metrics, of which there are as many as the configuration has formats, for as long as it holds.
        let name = Box::leak(name.to_owned().into_boxed_str());
        Ok(Self { name, options: options.clone(), layout, captures })
    }

    /// As configuration and metrics have it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reads `line` into `sink`; none where it is of another format, and then what was read is to be taken back.
    pub(super) fn read<'a>(&'a self, line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
        sink.adopts();
        match &self.layout {
            Layout::Regex(regex) => regex.read(line, &self.captures, sink),
            Layout::Dissect(dissect) => dissect.read(line, &self.captures, sink),
        }
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        (self.name, &self.options) == (other.name, &other.options)
    }
}

#[cfg(test)]
mod tests;
