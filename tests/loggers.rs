//! The official loggers against the real daemon, each in its own process and language.
//!
//! Every one is told the same stories: its events are understood to the nanosecond, in each of its modes; and a daemon
//! that is restarted, or killed, while it sends costs what the logger's own promise says and no more.

use std::ops::Range;
use std::process::{Child, Command, Output, Stdio};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::common::certificates::Certificates;
use crate::common::daemon::{Forebay, Setup};
use crate::common::document::assert_same;
use crate::common::parts::{self, Part};
use crate::common::process::run;
use crate::common::scrape::Metrics;
use crate::common::sequence::assert_every_one_once;
use crate::common::story_with;
use crate::common::target::Target;

/// Events that each logger sends.
const EVENTS: u32 = 200;

/// What a logger is called by, and what it can do.
#[derive(Clone, Copy)]
pub(crate) struct Logger {
    /// As its stories name it.
    name: &'static str,
    /// What its records say under `logger`.
    language: &'static str,
    parts: &'static [Part],
    program: fn() -> Command,
    /// Its modes, in its own words; none where it has but one.
    modes: &'static [&'static str],
    /// Whether it waits for acks.
    acks: bool,
    /// Whether an event that is sent again keeps the name of its chunk, so that it is known.
    same_chunk: bool,
    /// Whether it speaks TLS.
    tls: bool,
    /// Whether it knows the handshake.
    shared_key: bool,
}

const LOGGERS: [Logger; 6] = [
    Logger {
        name: "python",
        language: "python",
        parts: &[Part::Fetched("python-logger")],
        program: python,
        modes: &[],
        acks: false,
        same_chunk: false,
        tls: false,
        shared_key: false,
    },
    Logger {
        name: "go",
        language: "go",
        parts: &[Part::Fetched("go-logger")],
        program: go,
        modes: &[],
        acks: true,
        same_chunk: true,
        tls: true,
        shared_key: false,
    },
    Logger {
        name: "node_classic",
        language: "node",
        parts: &[Part::Fetched("node-loggers"), Part::Program("node")],
        program: node_classic,
        modes: &["Message", "PackedForward", "CompressedPackedForward"],
        acks: true,
        same_chunk: false,
        tls: true,
        shared_key: true,
    },
    Logger {
        name: "node_forward",
        language: "node",
        parts: &[Part::Fetched("node-loggers"), Part::Program("node")],
        program: node_forward,
        modes: &["Message", "Forward", "PackedForward", "CompressedPackedForward"],
        acks: true,
        same_chunk: false,
        tls: true,
        shared_key: true,
    },
    Logger {
        name: "java",
        language: "java",
        parts: &[Part::Fetched("java-logger"), Part::Program("java")],
        program: java,
        modes: &[],
        acks: true,
        same_chunk: true,
        tls: true,
        shared_key: false,
    },
    Logger {
        name: "rust",
        language: "rust",
        parts: &[Part::Fetched("rust-logger")],
        program: rust,
        modes: &[],
        acks: true,
        same_chunk: true,
        tls: false,
        shared_key: false,
    },
];

fn python() -> Command {
    let mut command = Command::new(parts::folder("python-logger").join("bin/python"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/loggers/python/send.py"));
    command
}

fn go() -> Command {
    Command::new(parts::folder("go-logger").join("send"))
}

fn node_classic() -> Command {
    let mut command = Command::new("node");
    command.arg(parts::folder("node-loggers").join("classic.js"));
    command
}

fn node_forward() -> Command {
    let mut command = Command::new("node");
    command.arg(parts::folder("node-loggers").join("forward.js"));
    command
}

fn java() -> Command {
    let folder = parts::folder("java-logger");
    let mut command = Command::new("java");
    command.args(["-cp", &format!("{0}:{0}/*", folder.display()), "Send"]);
    command
}

fn rust() -> Command {
    Command::new(parts::folder("rust-logger").join("debug/forebay-test-rust-logger"))
}

/// The stories of every logger.
pub(crate) fn stories() -> Vec<Trial> {
    LOGGERS.into_iter().flat_map(stories_of).collect()
}

fn stories_of(logger: Logger) -> Vec<Trial> {
    let named = |what: &str| format!("loggers::{}_{what}", logger.name);
    let mut stories = vec![
        story_with(logger.parts, &named("is_understood_to_the_nanosecond_in_each_of_its_modes"), move || {
            every_mode(logger)
        }),
        story_with(logger.parts, &named("loses_nothing_to_a_restart_in_the_middle"), move || {
            restarted(logger)
        }),
    ];
    if logger.acks {
        stories.push(story_with(
            logger.parts,
            &named("loses_nothing_to_a_daemon_that_is_killed_in_the_middle"),
            move || killed(logger),
        ));
    }
    if logger.tls {
        stories.push(story_with(
            &[logger.parts, &[Part::Program("openssl"), Part::Program("keytool")]].concat(),
            &named("speaks_tls_and_proves_who_it_is_where_it_can"),
            move || secured(logger),
        ));
    }
    stories
}

/// TLS, and where the logger knows the handshake a shared key, a user and a password.
async fn secured(logger: Logger) {
    let made = Certificates::make();
    let (certificate, key) = (made.path("node.crt"), made.path("node.key"));
    let mut tables = format!(
        "[[forward]]\nlisten = \"127.0.0.1:0\"\n[forward.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let mut command = (logger.program)();
    command.env("LOGGER_CA", made.path("ca.crt"));
    if logger.shared_key {
        tables.push_str("[forward.security]\nshared_key = \"sesame\"\nself_hostname = \"forebay.example\"\n");
        tables.push_str("[[forward.security.users]]\nname = \"ali\"\npassword = \"baba\"\n");
        command.env("LOGGER_SHARED_KEY", "sesame");
        command.env("LOGGER_USERNAME", "ali").env("LOGGER_PASSWORD", "baba");
    }
    if logger.language == "java" {
        command.env("JAVA_TOOL_OPTIONS", trust_store(&made));
    }
    let mut daemon = Forebay::start(Setup::tables(tables)).await;
    let output = finish(start(command, logger, daemon.forward.port())).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.until_metric("forebay_events_received_total", EVENTS.into()).await;
    let metrics = daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    assert_every_one_once(all(), sequences(&but_given_up(&output, &metrics, daemon.written())));
}

/// What arrived without the events that the logger, by its own word, sent again because it had missed their acks.
///
/// Of the loggers, `fluent-logger` for Node alone has such a gap and prints their numbers. It sends each event as a chunk:
/// the daemon must have acked every one.
fn but_given_up(output: &Output, metrics: &Metrics, mut documents: Vec<Value>) -> Vec<Value> {
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        assert_eq!(metrics.sum("forebay_acks_sent_total"), metrics.sum("forebay_events_received_total"));
        let given_up: u64 = line.parse().expect("the number of an event");
        let again = documents.iter().rposition(|document| document["sequence"] == given_up);
        documents.remove(again.expect("an event that was sent"));
    }
    documents
}

/// The options by which Java trusts the authority.
fn trust_store(made: &Certificates) -> String {
    let store = made.path("trusted.p12");
    let mut keytool = Command::new("keytool");
    keytool.args([
        "-importcert",
        "-noprompt",
        "-storetype",
        "PKCS12",
        "-storepass",
        "changeit",
        "-alias",
        "ca",
    ]);
    run(keytool.arg("-file").arg(made.path("ca.crt")).arg("-keystore").arg(&store));
    let store = store.display();
    format!("-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit")
}

async fn every_mode(logger: Logger) {
    let modes: Vec<Option<&str>> = match logger.modes {
        [] => vec![None],
        modes => modes.iter().copied().map(Some).collect(),
    };
    for mode in modes {
        let mut daemon = Forebay::start(Setup::default()).await;
        let mut command = (logger.program)();
        command.envs(mode.map(|mode| ("LOGGER_MODE", mode)));
        let output = finish(start(command, logger, daemon.forward.port())).await;
        assert!(output.status.success(), "{mode:?}: {}", String::from_utf8_lossy(&output.stderr));
        daemon.until_metric("forebay_events_received_total", EVENTS.into()).await;
        let metrics = daemon.until_drained().await;
        let acks = metrics.sum("forebay_acks_sent_total");
        assert_eq!(acks > 0.0, logger.acks, "{mode:?}: {acks} acks");
        assert!(daemon.stop().await.success());
        let documents = but_given_up(&output, &metrics, daemon.written());
        assert_eq!(documents.len(), EVENTS as usize, "{mode:?}");
        for (number, document) in (0..EVENTS).zip(&documents) {
            assert_same(document, &expected(number, logger));
        }
    }
}

/// The daemon stops, and starts again, while the logger sends.
async fn restarted(logger: Logger) {
    let mut daemon = Forebay::start(Setup::default()).await;
    let program = start(slowly(logger), logger, daemon.forward.port());
    daemon.until_metric("forebay_events_received_total", f64::from(EVENTS / 4)).await;
    assert!(daemon.stop().await.success());
    daemon.start_again().await;
    let output = finish(program).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());
    let mut arrived = sequences(&daemon.written());
    if !logger.acks {
        // It looks whether the server has gone after it has written too, and then writes the same again.
        drop_one_double(&mut arrived);
    }
    assert_every_one_once(all(), arrived);
}

/// Takes out what came twice, which has to be one event at most: the one that was under way.
fn drop_one_double(arrived: &mut Vec<u64>) {
    arrived.sort_unstable();
    let before = arrived.len();
    arrived.dedup();
    assert!(before - arrived.len() <= 1, "{} came twice", before - arrived.len());
}

/// The daemon is killed, and starts again, while the logger sends to a target that knows ids.
async fn killed(logger: Logger) {
    let target = Target::start().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let mut daemon = Forebay::start(Setup::tables(tables)).await;
    let program = start(slowly(logger), logger, daemon.forward.port());
    daemon.until_metric("forebay_events_received_total", f64::from(EVENTS / 4)).await;
    daemon.kill().await;
    daemon.start_again().await;
    let output = finish(program).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.until_drained().await;
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    let mut arrived = sequences(&documents);
    if !logger.same_chunk {
        // The ack of one event can be lost with the daemon, and its logger sends it under another name.
        drop_one_double(&mut arrived);
    }
    assert_every_one_once(all(), arrived);
}

fn all() -> Range<u64> {
    0..u64::from(EVENTS)
}

fn slowly(logger: Logger) -> Command {
    let mut command = (logger.program)();
    command.env("LOGGER_PAUSE_MS", "5");
    command
}

fn start(mut command: Command, logger: Logger, port: u16) -> Child {
    command.args(["127.0.0.1", &port.to_string(), &format!("app.{}", logger.name), &EVENTS.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the logger's program starts")
}

async fn finish(program: Child) -> Output {
    let running = tokio::task::spawn_blocking(move || program.wait_with_output());
    running.await.expect("no panic").expect("the logger's program ends")
}

fn sequences(documents: &[Value]) -> Vec<u64> {
    documents.iter().map(|document| document["sequence"].as_u64().expect("a numbered event")).collect()
}

/// The document of an event as all programs send it.
fn expected(number: u32, logger: Logger) -> Value {
    let time = jiff::Timestamp::new(1_700_000_000 + i64::from(number), 123_456_000 + number.cast_signed());
    json!({
        "@timestamp": time.expect("a time that a test uses").to_string(),
        "tag": format!("app.{}", logger.name),
        "sequence": number,
        "logger": logger.language,
        "nested": { "yes": true },
    })
}
