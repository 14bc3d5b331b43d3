//! The official loggers against the real daemon, each in its own process and language.

use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::document::{assert_same, assert_sequences_grow};
use crate::common::parts::{self, Part};
use crate::common::{story_with, until};

/// Events that each logger sends.
const EVENTS: u32 = 200;

/// One a language.
pub(crate) fn stories() -> Vec<Trial> {
    let python = &[Part::Fetched("python-logger")];
    let go = &[Part::Fetched("go-logger")];
    vec![
        story_with(
            python,
            "loggers::the_official_python_logger_is_understood_to_the_nanosecond",
            python_logger,
        ),
        story_with(
            go,
            "loggers::the_official_go_logger_gets_its_acks_and_is_understood_to_the_nanosecond",
            go_logger,
        ),
    ]
}

async fn python_logger() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/loggers/python/send.py");
    let mut command = Command::new(parts::folder("python-logger").join("bin/python"));
    command.arg(script);
    hears_out(command, "python").await;
}

async fn go_logger() {
    let metrics = hears_out(Command::new(parts::folder("go-logger").join("send")), "go").await;
    assert_eq!(metrics, f64::from(EVENTS), "every event of the Go logger wants an ack");
}

/// Runs a logger's program to its end; the documents must be what it sent. Answers how many acks were sent.
async fn hears_out(command: Command, logger: &'static str) -> f64 {
    let mut daemon = Forebay::start(Setup::default()).await;
    let output = run(command, logger, daemon.forward.port()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.until_metric("forebay_events_received_total", EVENTS.into()).await;
    let acks = daemon.until_drained().await.sum("forebay_acks_sent_total");
    assert!(daemon.stop().await.success());
    let documents = until("every document to be written", || async {
        let documents = daemon.written();
        if documents.len() >= EVENTS as usize { Ok(documents) } else { Err(documents.len()) }
    })
    .await;
    assert_eq!(documents.len(), EVENTS as usize);
    assert_sequences_grow(&documents);
    for (number, document) in (0..EVENTS).zip(&documents) {
        assert_same(document, &expected(number, logger));
    }
    acks
}

async fn run(mut command: Command, logger: &str, port: u16) -> Output {
    command.args(["127.0.0.1", &port.to_string(), &format!("app.{logger}"), &EVENTS.to_string()]);
    let running = tokio::task::spawn_blocking(move || command.output().expect("the logger's program starts"));
    running.await.expect("the logger's program ends")
}

/// The document of an event as both programs send it.
fn expected(number: u32, logger: &str) -> Value {
    let time = jiff::Timestamp::new(1_700_000_000 + i64::from(number), 123_456_000 + number.cast_signed());
    json!({
        "@timestamp": time.expect("a time that a test uses").to_string(),
        "tag": format!("app.{logger}"),
        "sequence": number,
        "logger": logger,
        "nested": { "yes": true },
    })
}
