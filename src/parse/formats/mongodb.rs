//! MongoDB: since 4.4 one JSON object a line, with names of its own in a fixed order; before, text.
//!
//! `{"t":{"$date":"TIME"},"s":"I","c":"COMPONENT","id":N,"ctx":"THREAD","msg":"MESSAGE","attr":{…}}`, and
//! `TIME I COMPONENT [THREAD] MESSAGE`. <https://www.mongodb.com/docs/manual/reference/log-messages/>

use super::json_object;
use crate::event::{Field, Value};
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms::{self, Said};

const COMPONENT: Known = Known::new("component", "mongodb.log.component");
/// What happened, as a number that stays the same from one version to the next.
const ID: Known = Known::new("id", "mongodb.log.id");
const ATTRIBUTES: Known = Known::new("attr", "mongodb.log.attr");
const TAGS: Known = Known::new("tags", "mongodb.log.tags");
const SERVICE: Known = Known::new("svc", "mongodb.log.service");
const TRUNCATED: Known = Known::new("truncated", "mongodb.log.truncated");
const SIZE: Known = Known::new("size", "mongodb.log.size");
const MESSAGE: Known = Known::new("message", "message");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    if line.starts_with('{') { structured(line, sink) } else { text(line, sink) }
}

/// Time and level at the beginning of a line that is an object, by which it is MongoDB's; it is no other JSON then.
pub(super) fn head(line: &str) -> Option<(Said, &str, Level)> {
    let (rest, said) = forms::iso(line.strip_prefix("{\"t\":{\"$date\":\"")?).ok()?;
    let (level, _) = rest.strip_prefix("\"},\"s\":\"")?.split_once('"')?;
    Some((said, level, scaled(level)?))
}

fn structured<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (said, level, scaled) = head(line)?;
    sink.said(said)?;
    sink.leveled(Some(scaled), level);
    let from = sink.fields().len();
    json_object(line.trim_end_matches(' '), 1, sink.fields()).ok()?;
    let schema = sink.style.schema;
    let fields = sink.fields();
    let mut index = from;
    while let Some(Field { name, value }) = fields.at(index) {
        // Time and level are said already.
        if matches!(name.as_ref(), "t" | "s") || value.as_text() == Some(b"-") {
            fields.remove_at(index);
            continue;
        }
        if let Some(known) = member(name) {
            let value: Value<'a> = *value;
            fields.replace_unsettled(index, known.field(schema), value);
        }
        index += 1;
    }
    Some(())
}

fn member(name: &str) -> Option<Known> {
    Some(match name {
        "c" => COMPONENT,
        "id" => ID,
        "ctx" => known::THREAD,
        "svc" => SERVICE,
        "msg" => MESSAGE,
        "attr" => ATTRIBUTES,
        "tags" => TAGS,
        "truncated" => TRUNCATED,
        "size" => SIZE,
        _ => return None,
    })
}

/// `TIME S COMPONENT [THREAD] MESSAGE`.
fn text<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok().filter(|(_, said)| said.offset.is_some())?;
    let (level, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let level_on_scale = scaled(level)?;
    let (component, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let (thread, message) = rest.trim_start_matches(' ').strip_prefix('[')?.split_once("] ")?;
    if !component.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-' || byte == b'_') {
        return None;
    }
    sink.said(said)?;
    sink.leveled(Some(level_on_scale), level);
    sink.text(COMPONENT, component);
    sink.text(known::THREAD, thread);
    sink.message(message);
    Some(())
}

/// `I`, `W`, `E`, `F`, and `D1` to `D5`, or `D` as it was.
fn scaled(level: &str) -> Option<Level> {
    match level.as_bytes() {
        [b'D'] | [b'D', b'1'..=b'5'] => Some(Level::Debug),
        [letter @ (b'I' | b'W' | b'E' | b'F')] => Level::of_letter(*letter),
        _ => None,
    }
}
