//! What docker's fluentd driver sends, brought to common names, with no configuration.
//!
//! `log`, the line, becomes `message`: ECS loggers print `log.level` and the like, which make `log` an object. A `log` beside a
//! `message` is kept as `log.original`. `container_name` loses the `/` that the engine puts in front. A record's own
//! `@timestamp` is taken as the event's time where it is one.

use std::borrow::Cow;

use crate::event::{Event, Value};
use crate::parse;

pub(super) fn apply(event: &mut Event<'_>) {
    let (mut log, mut message, mut name, mut time) = (false, false, false, false);
    for field in event.fields.iter() {
        match field.name.as_ref() {
            "log" => log = !field.value.is_object(),
            "message" => message = true,
            "container_name" => name = true,
            "@timestamp" => time = true,
            _ => (),
        }
    }
    if log {
        event.fields.rename("log", Cow::Borrowed(if message { "log.original" } else { "message" }));
    }
    if name {
        without_slash(event);
    }
    if time {
        take_time(event);
    }
}

fn without_slash(event: &mut Event<'_>) {
    let value = event.fields.get("container_name").and_then(Value::borrowed_text);
    if let Some([b'/', name @ ..]) = value {
        event.fields.set(Cow::Borrowed("container_name"), Value::Text(name));
    }
}

fn take_time(event: &mut Event<'_>) {
    let text = event.fields.text("@timestamp").and_then(|text| str::from_utf8(text).ok());
    if let Some(time) = text.and_then(parse::parse_time_text) {
        event.time = time;
        event.fields.remove("@timestamp");
    }
}
