//! An event to an action line and a document, written straight into the batch.
//!
//! Promises: what is written is valid JSON on one line whatever the event holds, and nothing in it is refused by
//! Elasticsearch for its form. Document: `@timestamp`, `event.sequence`, then the event's fields in their order, under
//! their names where these can stand, see `own` and `spread`.

mod files;
mod id;
mod index;
mod json_scalar;
mod nested_json;
mod own;
mod path;
mod pieces;
mod root;
mod run;
mod spread;
mod text;
mod time;
mod value;

use std::sync::Arc;

use crate::event::{Event, Fields, MAX_DEPTH, Value};
use pieces::{Pieces, ROOM};
use root::Root;
use time::TimeWriter;
use value::ValueWriter;

pub(crate) use files::{FILES, is_for_files};
pub use id::{ID_LENGTH, IdBase};
pub use index::{IndexTemplate, IndexTemplateFault, legal as legal_index};

/// How many values were changed so that the document can be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Texts with bytes that are no UTF-8, replaced by U+FFFD.
    pub invalid_utf8: u32,
    /// NaN and infinities, made null.
    pub not_finite: u32,
    /// Objects too deep for an index, kept as their JSON text.
    pub too_deep: u32,
}

/// Where the documents of one tag go.
#[derive(Clone, Debug)]
pub struct Destination {
    template: Arc<IndexTemplate>,
    fallback: Arc<str>,
    /// The beginning of the action line, where the tag alone decides the index.
    action: Option<Arc<[u8]>>,
}

impl Destination {
    /// For `tag` under `template`; `fallback` takes events that lack a field.
    pub fn new(template: Arc<IndexTemplate>, fallback: &str, tag: &str) -> Self {
        let index = template.fixed(tag);
        Self::with(template, fallback, index)
    }

    /// For events of any tag, each of which decides the index anew where the template has it.
    pub fn of_any_tag(template: Arc<IndexTemplate>, fallback: &str) -> Self {
        let index = template.constant();
        Self::with(template, fallback, index)
    }

    /// For events of any tag that go to files, whatever the others do.
    pub(crate) fn of_files() -> Self {
        Self::with(Arc::default(), FILES, Some(FILES.to_owned()))
    }

    /// The index of `event`.
    pub(crate) fn index(&self, event: &Event<'_>) -> String {
        let mut index = String::new();
        match &self.action {
            Some(action) if is_for_files(action) => FILES.to_owned(),
            _ if self.template.resolve(event, &mut index) => index,
            _ => self.fallback.to_string(),
        }
    }

    /// Whether an event's fields or time decide the index.
    pub fn asks_for_fields(&self) -> bool {
        self.action.is_none()
    }

    /// Whether the events of both go to one index, whatever they say.
    pub(crate) fn has_index_of(&self, other: &Self) -> bool {
        match (&self.action, &other.action) {
            (Some(action), Some(other)) => Arc::ptr_eq(action, other),
            _ => false,
        }
    }

    fn with(template: Arc<IndexTemplate>, fallback: &str, index: Option<String>) -> Self {
        let action = index.map(|index| {
            let mut action = Vec::new();
            begin_action(&mut action, &index);
            Arc::from(action)
        });
        Self { template, fallback: legal_index(fallback).into(), action }
    }
}

/// Fields as the text of a JSON object.
pub(crate) fn object_text(fields: &Fields<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    ValueWriter::new(&mut out, &mut Mended::default(), MAX_DEPTH).object(fields, 1);
    out
}

/// A value at `depth` as JSON, in which what lies deeper than `max_depth` is text.
pub(crate) fn value_text(value: &Value<'_>, depth: usize, max_depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    ValueWriter::new(&mut out, &mut Mended::default(), max_depth).value(value, depth);
    out
}

fn begin_action(out: &mut Vec<u8>, index: &str) {
    out.extend_from_slice(br#"{"create":{"_index":"#);
    text::write_str(out, index);
    out.extend_from_slice(br#","_id":""#);
}

/// Writes documents; one for each connection.
pub struct Encoder {
    time: TimeWriter,
    index: String,
    room: Box<[u8; ROOM]>,
    /// What was changed since it was last taken.
    pub mended: Mended,
}

impl Default for Encoder {
    fn default() -> Self {
        let room = Box::new([0; ROOM]);
        Self { time: TimeWriter::default(), index: String::new(), room, mended: Mended::default() }
    }
}

impl Encoder {
    /// Appends the action line and the document of `event`.
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        destination: &Destination,
        event: &Event<'_>,
        id: IdBase,
        sequence: u64,
    ) {
        let action = self.action(out, destination, event);
        let (id, mut number) = (id.id(event.time.millis()), itoa::Buffer::new());
        let (time, number) = (self.time.text(event.time), number.format(sequence).as_bytes());
        let head = [action, &id, b"\"}}\n{\"@timestamp\":\"", time, b"\",\"event.sequence\":", number];
        let mut root = Root { out, pieces: Pieces::new(&mut self.room), mended: &mut self.mended };
        root.document(head, &event.fields);
    }

    /// Appends the action line and a document that is there already, a JSON object on one line: to `index`, or where `event`,
    /// which is what the document says, goes.
    pub fn write_ready(
        &mut self,
        out: &mut Vec<u8>,
        destination: &Destination,
        index: Option<&str>,
        event: &Event<'_>,
        id: &str,
        source: &[u8],
    ) {
        let action = match index {
            Some(index) => {
                begin_action(out, index);
                &[]
            }
            None => self.action(out, destination, event),
        };
        out.extend_from_slice(action);
        // The quotation mark that an action leaves for an id which needs no escapes.
        out.pop();
        text::write_str(out, id);
        out.extend_from_slice(b"}}\n");
        out.extend_from_slice(source);
        out.push(b'\n');
    }

    /// The beginning of the action line, or nothing, where it had to be made and is in `out`.
    #[inline]
    fn action<'d>(&mut self, out: &mut Vec<u8>, destination: &'d Destination, event: &Event<'_>) -> &'d [u8] {
        if let Some(action) = &destination.action {
            return action;
        }
        let is_told = destination.template.resolve(event, &mut self.index);
        begin_action(out, if is_told { &self.index } else { &destination.fallback });
        &[]
    }
}

#[cfg(test)]
pub(crate) use differential::strict;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tangles;
#[cfg(test)]
mod tests;
