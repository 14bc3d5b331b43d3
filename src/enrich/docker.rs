//! What docker's fluentd driver sends, brought to common names, with no configuration.
//!
//! `log`, the line, becomes `message`: ECS loggers print `log.level` and the like, which make `log` an object. A `log` beside a
//! `message` is kept as `log.original`. `container_name` loses the `/` that the engine puts in front. A record's own
//! `@timestamp` is taken as the event's time where it is one. With the Elastic Common Schema `source` becomes `stream`.

use std::borrow::Cow;

use crate::event::{Event, Value};
use crate::parse;

pub(super) fn apply(event: &mut Event<'_>) {
    let (mut log, mut has_message, mut has_time) = (None, false, false);
    for (index, (name, value)) in event.fields.values_mut().enumerate() {
        match name {
            "log" => log = (!value.is_object()).then_some(index),
            "message" => has_message = true,
            "container_name" => without_slash(value),
            "@timestamp" => has_time = true,
            _ => (),
        }
    }
    match log {
        None => (),
        Some(log) if !has_message => event.fields.rename_at(log, Cow::Borrowed("message")),
        Some(log) => {
            let name = event.fields.free_name(Cow::Borrowed("log.original"));
            event.fields.rename_at(log, name);
        }
    }
    if has_time {
        take_time(event);
    }
}

/// In the Elastic Common Schema `source` is an object, the one end of a connection: where a container wrote the line is `stream`
/// there, or no document of an access line would be taken.
pub(super) fn free_source(event: &mut Event<'_>) {
    if matches!(event.fields.text("source"), Some(b"stdout" | b"stderr")) {
        let name = event.fields.free_name(Cow::Borrowed("stream"));
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
