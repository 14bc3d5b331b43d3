//! What is nearly one of the layouts, and what is unsure.

use bumpalo::Bump;

use crate::event::{Fields, Timestamp};
use crate::parse::sink::{Sink, Style};

/// 2026-11-28T12:00:00Z
const ARRIVAL: i64 = 1_795_867_200;

/// The fields that the line itself becomes, as `name=text`, or none.
fn fields(line: &str) -> Option<String> {
    let (arena, style, mut fields) = (Bump::new(), Style::default(), Fields::default());
    let mut sink = Sink::new(&mut fields, &style, Timestamp::new(ARRIVAL, 0)?, &arena);
    super::read(line, &mut sink)?;
    let text = |value: &crate::event::Value<'_>| match value {
        crate::event::Value::Scalar(number) => (*number).to_owned(),
        value => String::from_utf8_lossy(value.as_text().unwrap_or_default()).into_owned(),
    };
    let fields: Vec<_> =
        fields.iter().map(|field| format!("{}={}", field.name, text(&field.value))).collect();
    Some(fields.join(" "))
}

#[test]
fn what_is_nearly_a_layout_is_none() {
    for line in [
        "",
        "[",
        "2026-11-28 12:00:00",
        "2026-11-28 12:00:00 it began to snow",
        "2026-11-28 12:00:00 Information is power",
        "2026-11-28 12:00:00 HTTP request",
        "2026-11-28 12:00:00 INFORMATION DESK",
        "2026-11-28 12:00:00 - a - b - c",
        "2026-11-28 12:00:00 | a | b",
        "2026-11-28 12:00:00 [main] hello",
        "2026/11/28 12:00:00 INFO L1: started",
        "12:00:00 INFO L1: started",
        "12:00:00 [main] lunch - is served",
        "42 [main] things - x",
        "[2026-11-28 12:00:00] hello",
        "[2026-11-28 12:00:00: INFO] hello",
        "[2026-11-28 12:00:00][INFO ][o.e.n.Node] [web-1] hello",
        "[12:00:00.000] hello (7): x",
        "INFO",
        "INFO is a word",
        "INFO: a: b",
        "ERROR:12:34",
        "ERROR:https://example.com",
        "INFO  [main] hello",
        "Level 25",
        "größe:a:b",
        "2026-11-28 12:00:00 the ERROR was mine",
        "[INFO ] hello",
        "[12:00:00 NEW] hello",
        "28-Nov-2026 12:00:00.123 INFO [main] hello world",
        "ERROR: 2026/11/28 12:00:00 main.go:1: up",
    ] {
        assert_eq!(fields(line), None, "{line}");
    }
}

#[test]
fn what_may_be_prose_stays_in_the_message() {
    for (line, expected) in [
        ("2026-11-28 12:00:00 INFO connected: ok", ""),
        ("2026-11-28 12:00:00 ERROR 127.0.0.1: refused", ""),
        ("2026-11-28 12:00:00,123 INFO connected at 10:30 - foo", ""),
        ("2026-11-28 12:00:00,123 INFO [x] y", ""),
        ("2026-11-28 12:00:00,123 [INFO] [x] y", ""),
        ("2026-11-28 12:00:00,123 [t] INFO two words - y", "thread=t"),
        ("[2026-11-28 12:00:00,123] INFO see the docs (chapter 2)", ""),
    ] {
        assert_eq!(fields(line).as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn layouts_that_no_fixture_has() {
    for (line, expected) in [
        ("2026-11-28 12:00:00,123 INFO  [io.quarkus] (main) up", "thread=main logger=io.quarkus"),
        ("[2026-11-28 12:00:00,123] ERROR in app: broke", "module=app"),
        ("[2026-11-28T12:00:00.123+0000] {task.py:7} INFO - x", "file=task.py line=7"),
        ("[2026-11-28T12:00:00Z INFO  shop] up", "logger=shop"),
        ("2026-11-28 12:00:00,123 root         INFO     up", "logger=root"),
        ("2026-11-28 12:00:00,123 app.db WARNING slow", "logger=app.db"),
        ("2026-11-28 12:00:00,123 main ERROR no appender", "thread=main"),
        ("28-Nov-2026 12:00:00.123 INFO [main] a.b.C.start up", "thread=main logger=a.b.C function=start"),
        ("[INFO ] 2026-11-28 12:00:00.123 [main] a.B - up", "thread=main logger=a.B"),
        ("[12:00:00 INF] up", ""),
        ("[2026-11-28 12:00:00] local.ERROR: broke {\"a\":1}", "logger=local"),
        ("INFO  [2026-11-28 12:00:00,123] com.example.Shop: up", "logger=com.example.Shop"),
        ("INFO  [main] 2026-11-28 12:00:00,123 Daemon.java:7 - up", "thread=main file=Daemon.java line=7"),
        ("2026-11-28 12:00:00,123 INFO [t-1] c.e.Shop: up", "thread=t-1 logger=c.e.Shop"),
    ] {
        assert_eq!(fields(line).as_deref(), Some(expected), "{line}");
    }
}

#[test]
fn a_year_of_two_digits_is_one_where_it_is_of_about_now() {
    assert_eq!(fields("26/11/28 12:15:07 INFO L1: up").as_deref(), Some("logger=L1"));
    assert_eq!(fields("28/11/26 12:15:07 INFO L1: up"), None);
    assert_eq!(fields("25/11/26 12:15:07 INFO L1: up"), None);
}
