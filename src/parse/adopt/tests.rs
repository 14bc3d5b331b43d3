//! What is found among members that loggers print, and what is left alone.

use super::*;
use crate::event::KeptName;
use crate::parse::json_object;

fn adopted(line: &str, style: &Style) -> (String, Option<i64>) {
    let mut fields = Fields::default();
    json_object(line, 1, &mut fields).expect("an object");
    let time = adopt(&mut fields, 0, style, Timestamp::new(1_710_000_000, 0).expect("a time"));
    let text = |field: &Field<'_>| {
        let value = match &field.value {
            Value::Json(json) | Value::Scalar(json) => (*json).to_owned(),
            value => String::from_utf8_lossy(value.as_text().expect("a text")).into_owned(),
        };
        format!("{}={value}", field.name)
    };
    let fields: Vec<_> = fields.iter().map(text).collect();
    (fields.join(" "), time.map(Timestamp::seconds))
}

fn plain(line: &str) -> (String, Option<i64>) {
    adopted(line, Style::default().leak())
}

impl Style {
    fn leak(self) -> &'static Self {
        Box::leak(Box::new(self))
    }
}

#[test]
fn what_loggers_print_is_found() {
    for (line, fields, time) in [
        (
            r#"{"level":30,"time":1705314645123,"pid":7,"msg":"hi"}"#,
            "level=INFO pid=7 message=\"hi\"",
            1_705_314_645,
        ),
        (r#"{"levelname":"CRITICAL","message":"hi"}"#, "level=FATAL message=\"hi\"", 0),
        (
            r#"{"event":"hi","level":"warning","timestamp":"2024-01-15T10:30:45Z"}"#,
            "message=\"hi\" level=WARN",
            1_705_314_645,
        ),
        (r#"{"level":"INFO+2","msg":"hi"}"#, "level=INFO message=\"hi\"", 0),
        (
            r#"{"L":"DEBUG","T":"2024-01-15T10:30:45.000Z","N":"n","M":"hi"}"#,
            "level=\"DEBUG\" N=\"n\" message=\"hi\"",
            1_705_314_645,
        ),
        (r#"{"short_message":"hi","level":3}"#, "message=\"hi\" level=ERROR", 0),
    ] {
        assert_eq!(plain(line), (fields.to_owned(), (time > 0).then_some(time)), "{line}");
    }
}

#[test]
fn what_is_something_else_is_left() {
    for line in [
        r#"{"level":40,"battery":"b"}"#,
        r#"{"level":"high","event":"party"}"#,
        r#"{"time":3,"name":"x","date":"2024-01-15T10:30:45Z"}"#,
        r#"{"msg":"a","message":"b"}"#,
        r#"{"L":"ERROR","M":"hi","size":"L"}"#,
    ] {
        let mut fields = Fields::default();
        json_object(line, 1, &mut fields).expect("an object");
        let before: Vec<_> = fields.iter().cloned().collect();
        let about = Timestamp::new(0, 0).expect("a time");
        assert_eq!(adopt(&mut fields, 0, Style::default().leak(), about), None);
        assert_eq!(fields.iter().cloned().collect::<Vec<_>>(), before, "{line}");
    }
}

#[test]
fn the_surest_time_wins_and_the_other_stays() {
    let line = r#"{"time":"2024-01-15T10:30:45Z","@timestamp":"2024-01-15T10:30:46Z"}"#;
    assert_eq!(plain(line), ("time=\"2024-01-15T10:30:45Z\"".to_owned(), Some(1_705_314_646)));
}

#[test]
fn a_value_with_the_name_of_an_object_of_the_common_schema_goes_below_it() {
    let style = Style { schema: Schema::Ecs, ..Style::default() }.leak();
    for (line, fields) in [
        (r#"{"log":"x","msg":"m"}"#, "log.value=\"x\" message=\"m\""),
        (
            r#"{"process":"worker","user":5,"service":[1]}"#,
            "process.value=\"worker\" user.value=5 service.value=[1]",
        ),
        (
            r#"{"agent":"a","file":"a.rs","labels":["x"],"data_stream":"d"}"#,
            "agent.value=\"a\" file.path=\"a.rs\" labels.value=[\"x\"] data_stream.value=\"d\"",
        ),
        (r#"{"process":7,"user":"eva"}"#, "process.pid=7 user.name=\"eva\""),
        (r#"{"log":{"a":1},"log.value":1,"http":"x"}"#, "log={\"a\":1} log.value=1 http.value=\"x\""),
        (r#"{"trace":"x","trace_id":"y","span":null}"#, "trace.value=\"x\" trace.id=\"y\" span.value=null"),
    ] {
        assert_eq!(adopted(line, style).0, fields, "{line}");
        assert_eq!(plain(line).0.contains(".value"), line.contains(".value"), "{line}");
    }
}

#[test]
fn a_list_of_objects_is_no_text_of_the_common_schema() {
    let style = Style { schema: Schema::Ecs, ..Style::default() }.leak();
    for (line, fields) in [
        (r#"{"msg":"m","stack":[{"func":"f"}]}"#, r#"message="m" stack=[{"func":"f"}]"#),
        (r#"{"exception":[ {"exc_type":"E"}],"x":1}"#, r#"exception=[ {"exc_type":"E"}] x=1"#),
        (r#"{"err":[{"message":"e"}]}"#, r#"error=[{"message":"e"}]"#),
        (r#"{"url":[[{"a":1}]],"stack":["a","b"]}"#, r#"url=[[{"a":1}]] error.stack_trace=["a","b"]"#),
        (r#"{"log":[{"a":1}]}"#, r#"log=[{"a":1}]"#),
    ] {
        assert_eq!(adopted(line, style).0, fields, "{line}");
    }
}

#[test]
fn letters_of_quantities_are_not_those_of_zap() {
    let line = r#"{"T":1,"L":2,"M":3}"#;
    assert_eq!(plain(line), ("T=1 L=2 M=3".to_owned(), None));
}

#[test]
fn a_time_without_a_year_is_near_to_the_event() {
    let line = r#"{"time":"Jan 15 10:30:45","msg":"m"}"#;
    assert_eq!(plain(line), ("message=\"m\"".to_owned(), Some(1_705_314_645)));
}

#[test]
fn common_names_come_to_the_common_schema_and_the_level_is_kept_on_demand() {
    let style = Style {
        schema: Schema::Ecs,
        original_level_field: Some(KeptName::new("log.original_level")),
        ..Style::default()
    };
    let line = r#"{"level":"warn","msg":"m","logger_name":"l","err":{"message":"e"},"stack":"s"}"#;
    let expected = "log.level=WARN message=\"m\" log.logger=\"l\" error={\"message\":\"e\"} \
                    error.stack_trace=\"s\" log.original_level=\"warn\"";
    assert_eq!(adopted(line, style.leak()).0, expected);
}

#[test]
fn an_object_is_no_message_and_kept_beside_it() {
    for (line, fields) in [
        (r#"{"message":{"a":1},"level":"info"}"#, r#"parsed.message={"a":1} level=INFO"#),
        (r#"{"message":{"a":1},"msg":"m"}"#, r#"parsed.message={"a":1} message="m""#),
        (r#"{"message":[{"a":1}],"parsed.message":2}"#, r#"parsed.message_=[{"a":1}] parsed.message=2"#),
        (r#"{"message":["a"],"msg":{"a":1}}"#, r#"message=["a"] msg={"a":1}"#),
    ] {
        assert_eq!(plain(line).0, fields, "{line}");
    }
}
