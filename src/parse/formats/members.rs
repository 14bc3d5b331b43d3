//! A JSON object at the end of a line of another format: fields with the sender's names.

use super::json_object;
use crate::event::Value;
use crate::parse::known;
use crate::parse::sink::Sink;

/// Appends the members of `object`; false, and nothing is appended, where it is none. One that is called as something
/// that the line says itself is kept as `parsed.NAME`, so that neither value is lost.
pub(super) fn read<'a>(object: &'a str, sink: &mut Sink<'_, 'a>) -> bool {
    let from = sink.fields().len();
    if !object.starts_with('{') || json_object(object, 1, sink.fields()).is_err() {
        return false;
    }
    let level = known::LEVEL.name(sink.style.schema);
    let fields = sink.fields();
    for index in from..fields.len() {
        let Some(field) = fields.at(index) else { break };
        let name = field.name.as_ref();
        // Level and message are set when the line has been read.
        let is_taken =
            name == "message" || name == level || fields.iter().take(from).any(|said| said.name == name);
        if is_taken {
            let (name, value): (_, Value<'a>) = (format!("parsed.{name}"), field.value);
            fields.replace_unsettled(index, name.into(), value);
        }
    }
    // An `error` that is a text would be refused where others have `error.message`.
    sink.adopts_names();
    true
}
