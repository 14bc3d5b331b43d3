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
mod run;
mod spread;
mod text;
mod time;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use crate::event::{Event, Field, Fields, MAX_DEPTH, Value};
use own::{Below, Names};
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
#[derive(Default)]
pub struct Encoder {
    time: TimeWriter,
    index: String,
    /// What was changed since it was last taken.
    pub mended: Mended,
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
        self.write_action(out, destination, event);
        out.extend_from_slice(&id.id(event.time.millis()));
        out.extend_from_slice(b"\"}}\n{\"@timestamp\":\"");
        self.time.write(out, event.time);
        out.extend_from_slice(b"\",\"event.sequence\":");
        out.extend_from_slice(itoa::Buffer::new().format(sequence).as_bytes());
        self.write_fields(out, &event.fields);
        out.extend_from_slice(b"}\n");
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
        match index {
            Some(index) => begin_action(out, index),
            None => self.write_action(out, destination, event),
        }
        // The quotation mark that an action leaves for an id which needs no escapes.
        out.pop();
        text::write_str(out, id);
        out.extend_from_slice(b"}}\n");
        out.extend_from_slice(source);
        out.push(b'\n');
    }

    fn write_action(&mut self, out: &mut Vec<u8>, destination: &Destination, event: &Event<'_>) {
        match &destination.action {
            Some(action) => out.extend_from_slice(action),
            None if destination.template.resolve(event, &mut self.index) => begin_action(out, &self.index),
            None => begin_action(out, &destination.fallback),
        }
    }

    fn write_fields(&mut self, out: &mut Vec<u8>, fields: &Fields<'_>) {
        let (start, mended) = (out.len(), self.mended);
        if !self.write_in_turn(out, fields) {
            out.truncate(start);
            self.mended = mended;
            self.write_apart(out, spread::spread(fields, true).as_ref().unwrap_or(fields));
        }
    }

    /// Whether all could be written as they came: one that lies below a name with a value of its own could not, nor an object
    /// that has to be spread.
    fn write_in_turn(&mut self, out: &mut Vec<u8>, fields: &Fields<'_>) -> bool {
        let mut writer = ValueWriter::new(out, &mut self.mended, MAX_DEPTH);
        let (mut names, mut left) = (Names::of(fields), fields.iter().as_slice());
        let mut leads_into_object = false;
        while let [field, rest @ ..] = left {
            if let Some((count, text)) = run::of(fields, left) {
                writer.out.push(b',');
                writer.out.extend_from_slice(text.as_bytes());
                left = left.get(count..).unwrap_or_default();
                continue;
            }
            left = rest;
            if own::may_be(&field.name) || !text::write_usual_name(writer.out, &field.name) {
                let below = names.lies_below(&field.name);
                if below == Below::Value || spread::has_sequence(field) {
                    return false;
                }
                leads_into_object |= below == Below::Object;
                write_unusual(&mut writer, field, &mut names);
            } else if !writer.plain(&field.value) {
                writer.value(&field.value, depth(&field.name, &field.value));
            }
        }
        !(leads_into_object && spread::is_needed(fields))
    }

    /// Each value for which others lie below its name under a name of its own.
    fn write_apart(&mut self, out: &mut Vec<u8>, fields: &Fields<'_>) {
        let mut writer = ValueWriter::new(out, &mut self.mended, MAX_DEPTH);
        let mut names = Names::of(fields);
        for field in fields.iter() {
            let name = names.name(field);
            text::write_next_name(writer.out, &name);
            writer.value(&field.value, depth(&name, &field.value));
        }
    }
}

/// Writes a field whose name has a dot or an escape, or may be one that every document has.
fn write_unusual(writer: &mut ValueWriter<'_>, field: &Field<'_>, names: &mut Names<'_, '_>) {
    let is_ours = own::may_be(&field.name);
    let name = if is_ours { names.name(field) } else { Cow::Borrowed(&*field.name) };
    text::write_next_name(writer.out, &name);
    writer.value(&field.value, depth(&name, &field.value));
}

/// How deep a field of the root lies: each dot in its name makes an object. Told only for values that go deeper.
#[inline]
fn depth(name: &str, value: &Value<'_>) -> usize {
    match value {
        Value::Json(json) if !matches!(json.as_bytes(), [b'{' | b'[', ..]) => 1,
        Value::Packed(_) | Value::Json(_) => 1 + memchr::memchr_iter(b'.', name.as_bytes()).count(),
        _ => 1,
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
