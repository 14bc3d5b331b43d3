//! What docker's fluentd driver sends, brought to common names, with no configuration.
//!
//! `log`, the line, becomes `message`: ECS loggers print `log.level` and the like, which make `log` an object. A `log` beside a
//! `message` is kept as `log.original`. `container_name` loses the `/` that the engine puts in front. A record's own
//! `@timestamp` is taken as the event's time where it is one. With the Elastic Common Schema `source` becomes `stream`.

use crate::event::{Event, Name, Value};
use crate::parse;

pub(super) fn apply(event: &mut Event<'_>) {
    let fields = &mut event.fields;
    if let Some(name) = fields.value_mut("container_name") {
        without_slash(name);
    }
    if let Some(log) = fields.position("log")
        && !fields.at(log).is_some_and(|field| field.value.is_object())
    {
        let has_message = fields.get("message").is_some();
        let name = if has_message { fields.free_name(Name::from("log.original")) } else { Name::MESSAGE };
        fields.rename_at(log, name);
    }
    if fields.get("@timestamp").is_some() {
        take_time(event);
    }
}

/// In the Elastic Common Schema `source` is an object, the one end of a connection: where a container wrote the line is `stream`
/// there, or no document of an access line would be taken.
pub(super) fn free_source(event: &mut Event<'_>) {
    if matches!(event.fields.text("source"), Some(b"stdout" | b"stderr")) {
        let name = event.fields.free_name(Name::from("stream"));
        event.fields.rename("source", name);
    }
}

fn without_slash(name: &mut Value<'_>) {
    if let Value::Text([b'/', rest @ ..]) = *name {
        *name = Value::Text(rest);
    }
}

fn take_time(event: &mut Event<'_>) {
    let text = event.fields.text("@timestamp").and_then(|text| str::from_utf8(text).ok());
    if let Some(time) = text.and_then(|text| parse::parse_time_text(text, &parse::Zone::Utc)) {
        event.time = time;
        event.fields.remove("@timestamp");
    }
}
