//! The line of an event, `message`, is read and what it says merged into the event.
//!
//! The rule: a line that is a JSON object gives its members as fields in place of `message`. A member that has the name of one
//! of the record's own fields is kept as `parsed.NAME`, since the record's come from the engine and the line's from whoever
//! printed it. The first of the line's `@timestamp`, `timestamp` and `time` that is a time becomes the event's and
//! leaves the fields. A line that is no JSON object stays as it is.

use super::Parse;
use crate::event::{Event, Value};
use crate::parse;

/// Names under which loggers print the time, the more specific first.
const TIME_NAMES: [&str; 3] = ["@timestamp", "timestamp", "time"];

/// Reads the line; false where it should have been JSON and was not.
pub(super) fn apply(event: &mut Event<'_>, parse: Parse) -> bool {
    let Some(line) = event.fields.get("message").and_then(Value::borrowed_text) else { return true };
    if !looks_like_object(line) {
        return parse != Parse::Json;
    }
    let Ok(line) = simdutf8::basic::from_utf8(line) else { return parse != Parse::Json };
    // Taken out first: afterwards all that was read would have to move up.
    let Some((place, message)) = event.fields.take("message") else { return true };
    let own = event.fields.len();
    if parse::json_object(line, 1, &mut event.fields).is_err() {
        event.fields.put_back(place, message);
        return parse != Parse::Json;
    }
    event.fields.settle_beside(own, "parsed");
    take_time(event, own);
    true
}

fn looks_like_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"{") && line.ends_with(b"}")
}

fn take_time(event: &mut Event<'_>, own: usize) {
    for name in TIME_NAMES {
        let Some(Value::Json(json) | Value::Scalar(json)) = event.fields.get_after(own, name) else {
            continue;
        };
        if let Some(time) = parse::parse_time(json) {
            event.time = time;
            event.fields.remove(name);
            return;
        }
    }
}
