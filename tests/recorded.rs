//! The fixtures as stories: what was recorded is sent to the real daemon as its twin says, and becomes what that spells out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;
use tokio::net::{UdpSocket, UnixStream};
use tokio::time::timeout;

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup};
use crate::common::document::{assert_same, assert_sequences_grow};
use crate::common::fixtures::{self, Fixture};
use crate::common::forward::Client;
use crate::common::scrape::Metrics;
use crate::common::spelled::{assert_spells, values};
use crate::common::tls::Hands;
use crate::common::{story, until};

/// The limits that what is sent can go beyond, whenever it is sent.
const LIMITS: [&str; 8] = [
    "frame_bytes",
    "skip_bytes",
    "decompressed_bytes",
    "decompression_ratio",
    "depth",
    "fields",
    "string_bytes",
    "tag_bytes",
];

/// Every fixture under `fixtures/frames`.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("recorded::every_twin_spells_out_what_its_bytes_say", spelled_out),
        story(
            "recorded::every_recorded_frame_becomes_the_documents_that_its_twin_spells_out",
            recorded_frames,
        ),
    ]
}

async fn spelled_out() {
    for fixture in fixtures::all().iter().filter(|fixture| !fixture.is_datagram()) {
        let (frames, values) = (fixture.frames(), values(&fixture.bytes, fixture.is_json()));
        assert_eq!(frames.len(), values.len(), "{}: frames", fixture.name);
        frames.iter().zip(&values).for_each(|(frame, value)| assert_spells(frame, value, &fixture.name));
    }
}

/// A daemon for each way of listening; and apart from all that is refused, so that the log shows whether what is good is
/// taken without a word.
async fn recorded_frames() {
    let (all, made) = (fixtures::all(), Certificates::make());
    let kind = |fixture: &Fixture| (fixture.listener(made.folder()), fixture.has_trouble());
    let mut kinds: Vec<_> = all.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for (listener, has_trouble) in kinds {
        let those = all.iter().filter(|fixture| kind(fixture) == (listener.clone(), has_trouble));
        frames_of(&listener, &made, &those.collect::<Vec<_>>()).await;
    }
}

/// Sends the fixtures to one daemon, one after the other, and compares all that comes of them.
async fn frames_of(listener: &str, made: &Certificates, fixtures: &[&Fixture]) {
    let mut daemon = Forebay::start(Setup::tables(tables(listener))).await;
    let (mut expected, mut letters, mut dropped) = (Vec::new(), Vec::new(), 0);
    for fixture in fixtures {
        expected.extend(fixture.documents().iter().map(|document| (&*fixture.name, document)));
        letters.extend(fixture.dead_letters().into_iter().map(|letter| (&*fixture.name, letter)));
        dropped += fixture.dropped();
        send(&daemon, fixture, listener, made).await;
        let received = expected.len() as u64 + letters.len() as u64 + dropped;
        daemon.until_metric("forebay_events_received_total", received as f64).await;
    }
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dropped_total"), dropped as f64, "{listener}");
    assert_limits(&metrics, fixtures);
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_documents(&daemon.written(), &expected);
    assert_letters(&daemon.dead_letters(), &letters);
    if fixtures.iter().all(|fixture| !fixture.has_trouble()) {
        let said = |line: &Value| line["level"] == "WARN" || line["level"] == "ERROR";
        let said: Vec<Value> = daemon.log().into_iter().filter(said).collect();
        assert_eq!(said, Vec::<Value>::new(), "{listener}");
    }
}

/// A listener with these keys, and where they say where it is, another one, from which it is known that the daemon is up.
fn tables(listener: &str) -> String {
    let tcp = "[[forward]]\nlisten = \"127.0.0.1:0\"\n";
    // Few connections: the files that two listeners may need are more than some systems allow, which would be said.
    let two =
        if listener.contains("listen = ") { "[forward.limits]\nconnections = 9\n[[forward]]\n" } else { "" };
    [tcp, two, listener].concat()
}

async fn send(daemon: &Forebay, fixture: &Fixture, listener: &str, made: &Certificates) {
    if fixture.is_datagram() {
        return send_datagram(daemon, fixture).await;
    }
    let mut client = connect(daemon, listener, made).await;
    client.send(&fixture.bytes).await.expect("the daemon reads");
    for chunk in fixture.chunks() {
        let ack = if fixture.is_json() { client.json_ack().await } else { client.ack().await };
        let ack = ack.expect("an open connection");
        assert_eq!(ack, Some(chunk), "{}: acks are byte-identical and in order", fixture.name);
    }
    if fixture.is_ended_by_the_listener() {
        assert_eq!(client.ack().await.expect("no reset"), None, "{}: it is closed", fixture.name);
    } else {
        client.finish().await;
    }
}

/// By the way that the listener's keys ask for.
async fn connect(daemon: &Forebay, listener: &str, made: &Certificates) -> Client {
    if listener.contains("listen = \"unix:") {
        let path = made.path(fixtures::SOCKET);
        Client::over(UnixStream::connect(path).await.expect("a daemon that listens"))
    } else if listener.contains("[forward.tls]") {
        let hands = Hands::trusting(made).showing(made, "node");
        hands.connect(daemon.forward).await.expect("a handshake")
    } else {
        daemon.client().await
    }
}

async fn send_datagram(daemon: &Forebay, fixture: &Fixture) {
    let sender = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    sender.connect(daemon.forward).await.expect("an address");
    let answer = until("an answer", async || {
        // Again where it is not answered, as a datagram may be lost.
        sender.send(&fixture.bytes).await.map_err(|error| error.to_string())?;
        let mut answer = Vec::with_capacity(128);
        let received = timeout(Duration::from_secs(1), sender.recv_buf(&mut answer)).await;
        received.map_err(|_| "nothing".to_owned())?.map(|_| answer).map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(answer, fixture.answer(), "{}", fixture.name);
}

/// Each limit is counted as often as the fixtures go beyond it.
fn assert_limits(metrics: &Metrics, fixtures: &[&Fixture]) {
    for limit in LIMITS {
        let counted = metrics.sum(&format!("forebay_limits_exceeded_total{{reason=\"{limit}\"}}"));
        let expected: u64 = fixtures.iter().map(|fixture| fixture.beyond(limit)).sum();
        assert_eq!(counted, expected as f64, "{limit}");
    }
}

fn assert_documents(documents: &[Value], expected: &[(&str, &Value)]) {
    assert_sequences_grow(documents);
    let names = || expected.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(documents.len(), expected.len(), "{:?}", names());
    for (document, (name, expected)) in documents.iter().zip(expected) {
        let same = catch_unwind(AssertUnwindSafe(|| assert_same(document, expected)));
        assert!(same.is_ok(), "the documents of fixture {name} differ");
    }
}

fn assert_letters(letters: &[Value], expected: &[(&str, Value)]) {
    assert_eq!(letters.len(), expected.len(), "{letters:?}");
    for (letter, (name, expected)) in letters.iter().zip(expected) {
        for (key, value) in expected.as_object().expect("an object") {
            assert_eq!(&letter[key], value, "{key} of a dead letter of fixture {name}: {letter}");
        }
    }
}
