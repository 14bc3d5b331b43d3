//! What is told of an event that was walked through its pipeline.

use serde::Deserialize;

use crate::enrich::{Pipeline, Seen};
use crate::parse::Parse;

/// An event, from the record that came to the document that is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Its pipeline's place in the configuration, from 0; one beyond the last for the defaults.
    pub pipeline: usize,
    /// Its tag.
    pub tag: String,
    /// How many lines were put together to it.
    pub lines: usize,
    /// Its fields as they came.
    pub given: Vec<Change>,
    /// How its line was read.
    pub reading: Reading,
    /// What happened to it, in order.
    pub stages: Vec<Stage>,
    /// What became of it.
    pub end: End,
}

/// How a line was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The pipeline's `parse`: names of formats, or `auto`, or `none`.
    pub asked: Vec<String>,
    /// The format that it had; none where there was no line, or no format that fits.
    pub format: Option<String>,
    /// Whether a format was named and the line does not have it.
    pub is_misfit: bool,
}

impl Reading {
    /// What the pipeline has `seen`, of one event.
    pub(super) fn of(pipeline: &Pipeline, seen: &Seen) -> Self {
        let asked = match pipeline.line.as_ref().map(|line| line.parse()) {
            None | Some(Parse::None) => vec!["none".to_owned()],
            Some(Parse::Auto) => vec!["auto".to_owned()],
            Some(Parse::Formats(formats)) => {
                formats.iter().map(|format| format.called().to_owned()).collect()
            }
        };
        let format = seen.lines_read().next().map(|(format, _)| format.to_owned());
        Self { asked, format, is_misfit: seen.misfits().next().is_some() }
    }
}

/// One thing that happened to an event, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What happened.
    pub what: What,
    /// What changed; nothing where it had nothing to do.
    pub changes: Vec<Change>,
}

/// What can happen to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Docker's names became common ones, and the line was read.
    Read,
    /// `fields`, `host_field` and `tag_field` were added.
    Added,
    /// A step.
    Step {
        /// Which of the pipeline's, from 0.
        number: usize,
        /// Whether its condition held.
        holds: bool,
        /// Whether the event ends here.
        ends: bool,
    },
}

/// A field that is new, gone, or other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name; `@timestamp` is the event's time, `_index` its index and `{tag}` its tag, as a step can have changed them.
    pub field: String,
    /// Its value before, in JSON.
    pub before: Option<String>,
    /// Its value after, in JSON.
    pub after: Option<String>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A document.
    Document {
        /// The index that it goes to.
        index: String,
        /// Its `_id`.
        id: String,
        /// The JSON that is indexed, without a newline.
        document: String,
    },
    /// A step has ended it, for this reason.
    Dropped(&'static str),
}

#[derive(Deserialize)]
struct ActionLine {
    create: Action,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "_index")]
    index: String,
    #[serde(rename = "_id")]
    id: String,
}

impl End {
    /// The encoder's action line and document.
    pub(super) fn written(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (action, document) = text.split_once('\n').unwrap_or_default();
        let action = serde_json::from_str(action).map(|line: ActionLine| (line.create.index, line.create.id));
        debug_assert!(action.is_ok(), "what was written is JSON");
        let (index, id) = action.unwrap_or_default();
        Self::Document { index, id, document: document.trim_end().to_owned() }
    }
}
