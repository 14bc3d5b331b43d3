//! Lines that are one event, through the whole daemon: waited for, safe while they wait, and there once.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Client, Mode, Time, frame};
use crate::common::load::FIRST_SECOND;
use crate::common::process::free_port;
use crate::common::story;
use crate::common::target::{Stored, Target};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("multiline::traces_of_two_containers_and_of_two_streams_are_an_event_each", several_streams),
        story(
            "multiline::acked_lines_of_a_trace_are_one_event_after_a_kill_and_none_after_being_sent_again",
            killed,
        ),
        story("multiline::what_waits_is_written_when_the_daemon_stops", stopped),
        story("multiline::the_output_of_a_java_program_is_the_events_that_stand_beside_it", java),
    ]
}

const TRACE: [&str; 4] = [
    "2026-11-28 12:00:00 ERROR failed",
    "java.lang.IllegalStateException: no",
    "\tat a.B.c(B.java:3)",
    "Caused by: d.E: f",
];

fn record(container: &str, stream: &str, line: &str) -> Value {
    json!({ "container_id": container, "container_name": "/shop", "source": stream, "log": line })
}

/// A line as docker's driver sends it with acks: alone, and waiting.
async fn send(client: &mut Client, record: Value, chunk: &str) {
    let event = (Time(FIRST_SECOND, 0), record);
    client.send_acked(&frame(Mode::Forward, "shop", &[event], Some(chunk)), chunk).await.expect("an ack");
}

async fn send_trace(address: SocketAddr) {
    let mut client = Client::connect(address).await.expect("a daemon that listens");
    for (nth, line) in TRACE.iter().skip(1).enumerate() {
        send(&mut client, record("a", "stdout", line), &format!("line {nth}")).await;
    }
}

async fn start(target: &Target, timeout: &str) -> Forebay {
    let url = target.url();
    let tables = format!(
        "[elasticsearch]\nhosts = [\"{url}\"]\nretry_max = \"200ms\"\n[multiline]\ntimeout = \"{timeout}\"\n"
    );
    Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await
}

/// Every text that a document has, in order.
fn texts(target: &Target) -> Vec<String> {
    let text = |document: &Value| {
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("source"), text("message"))
    };
    let mut texts: Vec<_> = target.documents().values().map(|stored| text(&stored.document)).collect();
    texts.sort();
    texts
}

async fn several_streams() {
    let target = Target::start().await;
    let daemon = start(&target, "300ms").await;
    let events: Vec<_> = TRACE[1..]
        .iter()
        .flat_map(|line| {
            [record("a", "stdout", line), record("a", "stderr", line), record("b", "stdout", line)]
        })
        .chain([record("a", "stdout", "after")])
        .map(|record| (Time(FIRST_SECOND, 0), record))
        .collect();
    let mut client = daemon.client().await;
    client.send(&frame(Mode::Forward, "shop", &events, None)).await.expect("the daemon reads");
    target.until(|target| target.documents().len() == 4).await;
    let trace = TRACE[1..].join("\n");
    let [stderr, stdout] = ["stderr", "stdout"].map(|stream| format!("{stream} {trace}"));
    assert_eq!(texts(&target), [stderr, "stdout after".into(), stdout.clone(), stdout]);
    in_the_order_of_their_first_lines(&target);
    daemon.until_drained().await.assert_books_balance();
}

/// A trace that waited stands before the line that ended its waiting, and each has a place of its own.
fn in_the_order_of_their_first_lines(target: &Target) {
    let place = |stored: &Stored| stored.document["event.sequence"].as_u64().expect("a number");
    let documents = target.documents();
    let places: BTreeSet<_> = documents.values().map(place).collect();
    assert_eq!(places.len(), documents.len());
    let after = documents.values().find(|stored| stored.document["message"] == "after").map(place);
    assert_eq!(after, places.last().copied());
}

async fn killed() {
    let target = Target::start().await;
    let mut daemon = start(&target, "1s").await;
    send_trace(daemon.forward).await;
    daemon.kill().await;
    assert!(target.documents().is_empty(), "it waited: {:?}", texts(&target));
    daemon.start_again().await;
    target.until(|target| !target.documents().is_empty()).await;
    let expected = [format!("stdout {}", TRACE[1..].join("\n"))];
    assert_eq!(texts(&target), expected);
    // The acks were lost, say.
    send_trace(daemon.forward).await;
    let mut client = daemon.client().await;
    send(&mut client, record("a", "stdout", "after"), "after").await;
    target.until(|target| target.documents().len() == 2).await;
    daemon.stop().await;
    assert_eq!(texts(&target), ["stdout after".to_owned(), expected[0].clone()]);
}

async fn stopped() {
    let target = Target::start().await;
    let mut daemon = start(&target, "1h").await;
    send_trace(daemon.forward).await;
    daemon.stop().await;
    assert_eq!(texts(&target), [format!("stdout {}", TRACE[1..].join("\n"))]);
}

/// 2026-11-28T16:00:00Z: about when the program ran.
const PRINTED: u32 = 1_795_881_600;

/// What the program printed, over docker's driver; `fixtures/lines/README.md` tells of it.
async fn java() {
    let [printed, events] = ["log", "events"].map(|end| {
        let file = format!("{}/fixtures/lines/traces/java.{end}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(file).expect("a fixture")
    });
    let expected: Vec<Value> = events.lines().map(expected).collect();
    let target = Target::start().await;
    let daemon = start(&target, "300ms").await;
    let records = printed.lines().map(|line| (Time(PRINTED, 0), record("a", "stdout", line)));
    let mut client = daemon.client().await;
    let frame = frame(Mode::Forward, "shop", &records.collect::<Vec<_>>(), None);
    client.send(&frame).await.expect("the daemon reads");
    target.until(|target| target.documents().len() == expected.len()).await;
    let documents = target.documents();
    let mut documents: Vec<_> = documents.values().map(|stored| &stored.document).collect();
    documents.sort_by_key(|document| document["event.sequence"].as_u64());
    for (document, expected) in documents.iter().zip(&expected) {
        for (name, value) in expected.as_object().expect("a document") {
            assert_eq!(&document[name], value, "{name} of {document}");
        }
    }
    daemon.until_drained().await.assert_books_balance();
}

/// The document of an event, less the time of its coming where it tells none itself.
fn expected(event: &str) -> Value {
    let mut parts = event.splitn(3, '\t').skip(1);
    let (format, document) = (parts.next(), parts.next().expect("a document"));
    let mut document: Value = serde_json::from_str(document).expect("JSON");
    if format == Some("-") {
        document.as_object_mut().expect("an object").remove("@timestamp");
    }
    document
}
