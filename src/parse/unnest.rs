//! Objects in which loggers put what others put at the root, brought there: tracing's `fields`, loguru's `record`, the `log` of
//! ECS; in `ecs` also errors and places in the program that are objects.
//!
//! To Elasticsearch `{"fields":{"a":1}}` and `{"fields.a":1}` are the same document, so that nothing changes but where a name is
//! known. The work is in proportion to the line: a few objects at the root are opened, and those inside loguru's.

use bumpalo::Bump;

use super::formats::json_object;
use super::known::Schema;
use super::sink::dotted;
use crate::event::{self, Field, Fields, Name, Timestamp, Value};

/// Objects that are opened: more than loggers have, and few for a line that repeats a name a thousand times.
const MOST: usize = 16;

/// Opens the objects among the members from index `own` on, and answers the time that one of them was.
pub(super) fn unnest<'a>(
    fields: &mut Fields<'a>,
    own: usize,
    schema: Schema,
    arena: &'a Bump,
) -> Option<Timestamp> {
    let is_object = |field: &Field<'_>| matches!(field.value, Value::Json(_)) && field.value.is_object();
    if !fields.iter().skip(own).any(is_object) {
        return None;
    }
    let mut time = None;
    let (mut index, mut end, mut left) = (own, fields.len(), MOST);
    while index < end && left > 0 {
        match object(fields.at(index)) {
            Some((name, json)) if is_time(&name) && instant(json).is_some() => time = instant(json),
            Some((name, json)) if is_opened(&name, json, schema) => {
                if !open(fields, &name, json, schema, arena) {
                    index += 1;
                    continue;
                }
            }
            _ => {
                index += 1;
                continue;
            }
        }
        fields.remove_at(index);
        (end, left) = (end - 1, left - 1);
    }
    time
}

fn object<'a>(field: Option<&Field<'a>>) -> Option<(Name<'a>, &'a str)> {
    match field? {
        Field { name, value: Value::Json(json) } if json.starts_with('{') => Some((name.clone(), json)),
        _ => None,
    }
}

/// Log4j's `instant`; `timestamp` as Google's agents have it.
fn is_time(name: &str) -> bool {
    matches!(name, "instant" | "timestamp")
}

fn instant(json: &str) -> Option<Timestamp> {
    let mut members = Fields::default();
    json_object(json, 2, &mut members).ok()?;
    let number = |names: [&str; 2]| names.iter().find_map(|name| number(members.get(name)?));
    let nanos = number(["nanoOfSecond", "nanos"]).unwrap_or_default();
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Timestamp::new(number(["epochSecond", "seconds"])?, nanos)
}

fn number(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Json(json) | Value::Scalar(json) => json.parse().ok(),
        _ => None,
    }
}

/// Whether something at the root of other loggers' lines is in this object.
fn is_opened(name: &str, json: &str, schema: Schema) -> bool {
    match name {
        "fields" | "@fields" => true,
        // Without a level it is as ECS has it.
        "log" => json.contains("\"level\""),
        "record" => json.starts_with("{\"elapsed\""),
        "err" | "error" | "exception" | "thrown" | "throwable" => schema == Schema::Ecs,
        "source" | "parsed.source" => schema == Schema::Ecs,
        _ => false,
    }
}

/// Appends the members of the object called `name`; false, and nothing is changed, where there are too many of them.
fn open<'a>(fields: &mut Fields<'a>, name: &str, json: &'a str, schema: Schema, arena: &'a Bump) -> bool {
    let from = fields.len();
    if json_object(json, 2, fields).is_err() {
        return false;
    }
    for index in from..fields.len() {
        let Some(Field { name: member, value }) = fields.at(index).cloned() else { break };
        let known = if is_error(name) { error_member(&member, &value) } else { None };
        let full = match known.filter(|known| fields.get(known).is_none()) {
            Some(known) => Name::from(known),
            None => event::legal_name(dotted(&[prefix(name), &member], arena), 1),
        };
        fields.replace_unsettled(index, full, value);
    }
    if name == "record" {
        open_record(fields, from, schema, arena);
    }
    true
}

fn is_of_record(name: &str, schema: Schema) -> bool {
    matches!(name, "record.time" | "record.level")
        || (schema == Schema::Ecs && matches!(name, "record.process" | "record.exception"))
}

/// What loguru nests once more.
fn open_record<'a>(fields: &mut Fields<'a>, from: usize, schema: Schema, arena: &'a Bump) {
    let (mut index, mut end) = (from, fields.len());
    while index < end {
        match object(fields.at(index)) {
            Some((name, json)) if is_of_record(&name, schema) && open(fields, &name, json, schema, arena) => {
                fields.remove_at(index);
                end -= 1;
            }
            _ => index += 1,
        }
    }
}

fn is_error(name: &str) -> bool {
    matches!(name, "err" | "error" | "exception" | "thrown" | "throwable" | "record.exception")
}

/// What the members of the object are called after.
fn prefix(name: &str) -> &str {
    match name {
        "parsed.source" => "source",
        _ if is_error(name) => "error",
        name => name,
    }
}

/// The members of an error; a stack that is a list of calls is none of text.
fn error_member(member: &str, value: &Value<'_>) -> Option<&'static str> {
    let is_text = matches!(value, Value::Json(json) | Value::Scalar(json) if json.starts_with('"'));
    match member {
        "message" | "value" => Some("error.message"),
        "type" | "name" | "className" => Some("error.type"),
        "stack" | "stack_trace" | "extendedStackTrace" => Some("error.stack_trace"),
        "code" => Some("error.code"),
        _ => None,
    }
    .filter(|_| is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unnested(line: &str, schema: Schema) -> (String, Option<Timestamp>) {
        let arena = Bump::new();
        let mut fields = Fields::default();
        json_object(line, 1, &mut fields).expect("an object");
        let time = unnest(&mut fields, 0, schema, &arena);
        let shown = fields.iter().map(|field| match &field.value {
            Value::Json(json) | Value::Scalar(json) => format!("{}={json}", field.name),
            value => panic!("{value:?}"),
        });
        (shown.collect::<Vec<_>>().join(" "), time)
    }

    #[test]
    fn what_loggers_nest_comes_to_the_root() {
        for (line, plain) in [
            (r#"{"fields":{"message":"m","a":{"b":1}},"x":1}"#, r#"x=1 fields.message="m" fields.a={"b":1}"#),
            (r#"{"log":{"level":"info","logger":"l"}}"#, r#"log.level="info" log.logger="l""#),
            (r#"{"log":{"logger":"l"}}"#, r#"log={"logger":"l"}"#),
            (
                r#"{"record":{"elapsed":1,"level":{"no":20},"time":{"repr":"t"}}}"#,
                r#"record.elapsed=1 record.level.no=20 record.time.repr="t""#,
            ),
            (r#"{"err":{"message":"m"}}"#, r#"err={"message":"m"}"#),
            (r#"{"fields":{"fields":{"a":1}}}"#, r#"fields.fields={"a":1}"#),
        ] {
            assert_eq!(unnested(line, Schema::Plain), (plain.to_owned(), None), "{line}");
        }
    }

    #[test]
    fn an_error_that_is_an_object_is_one_of_the_common_schema() {
        let line = r#"{"err":{"type":"T","name":"N","message":"m","stack":"s","n":1}}"#;
        let ecs = r#"error.type="T" error.name="N" error.message="m" error.stack_trace="s" error.n=1"#;
        assert_eq!(unnested(line, Schema::Ecs).0, ecs);
        let calls = r#"{"thrown":{"extendedStackTrace":[1],"":{"":{}}}}"#;
        assert_eq!(unnested(calls, Schema::Ecs).0, "error.extendedStackTrace=[1] error.empty={\"\":{}}");
    }

    #[test]
    fn a_time_in_two_parts_is_the_time() {
        let (rest, time) = unnested(r#"{"instant":{"epochSecond":7,"nanoOfSecond":5},"a":1}"#, Schema::Plain);
        assert_eq!((rest.as_str(), time), ("a=1", Timestamp::new(7, 5)));
        let line = r#"{"timestamp":{"at":7}}"#;
        assert_eq!(unnested(line, Schema::Plain), (r#"timestamp={"at":7}"#.to_owned(), None));
    }
}
