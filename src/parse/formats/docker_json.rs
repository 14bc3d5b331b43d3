//! Lines of the Docker Engine's `json-file` on disk: `{"log":"LINE\n","stream":"stdout","time":"…Z"}`.
//!
//! `attrs`, between stream and time, has labels and variables of the container where the engine is told to write them. The line
//! inside is read in the format that it has. One without an end is a part of a line, cut at 16 KiB or by the container's end; it
//! is marked and not read. <https://docs.docker.com/engine/logging/drivers/json-file/>
//!
//! The grammar of JSON lines asks here first, so that whoever names that format, or none, gets the line inside too.

use nom::Parser;
use serde_json::value::RawValue;

use super::cri::PARTIAL;
use crate::event::Value;
use crate::parse::ansi::without_colours;
use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{exact, quoted};

const ATTRIBUTES: Known = Known::new("attrs", "container.labels");

/// A whole line of the file.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, _) = exact("{\"log\":").parse_complete(line).ok()?;
    let (rest, log) = quoted(rest).ok()?;
    let (rest, _) = exact(",\"stream\":").parse_complete(rest).ok()?;
    let (rest, stream) = quoted(rest).ok()?;
    let (attributes, rest) = rest.rsplit_once(",\"time\":\"")?;
    let (rest, said) = forms::iso(rest).ok()?;
    said.offset.filter(|_| rest == "\"}" && matches!(stream, "stdout" | "stderr"))?;
    if !attributes.is_empty() {
        let json: &RawValue = serde_json::from_str(attributes.strip_prefix(",\"attrs\":")?).ok()?;
        json.get().starts_with('{').then_some(())?;
        sink.value(ATTRIBUTES, Value::Json(json.get()));
    }
    sink.said(said)?;
    sink.text(known::STREAM, stream);
    let line = without_colours(sink.unescaped(log), sink.arena);
    match line.strip_suffix('\n') {
        Some(line) => sink.wraps(line.trim_end_matches('\r')),
        None => {
            sink.value(PARTIAL, Value::Bool(true));
            sink.message(line);
        }
    }
    Some(())
}
