//! The main job: containers on a real Docker Engine, the `fluentd` driver, the daemon, a real Elasticsearch.
//!
//! Every container numbers its lines. Whatever restarts in the middle, each line is one document, field for field.

use std::collections::BTreeMap;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::docker::Engine;
use crate::common::document::{assert_same, assert_sequences_grow, timestamp};
use crate::common::elasticsearch::Held;
use crate::common::load::sources;
use crate::common::node::{Version, shared};
use crate::common::parts::Part;
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::{story_with, until};

/// Lines of each container.
const LINES: u64 = 200;
/// Lines of a container in the middle of which something happens.
const PACED: u64 = 600;
/// Length of a long line, which the engine cuts in three.
const LONG: usize = 40_000;

/// What a healthy day brings, and three days that are not.
pub(crate) fn stories() -> Vec<Trial> {
    let needs = &[Part::Docker, Version::Elasticsearch8.part()];
    vec![
        story_with(
            needs,
            "docker::five_containers_at_once_and_every_line_is_one_document_field_for_field",
            five_containers,
        ),
        story_with(
            needs,
            "docker::what_the_engine_knows_of_a_container_is_in_its_documents_after_restarts_of_both_too",
            known_to_the_engine,
        ),
        story_with(needs, "docker::the_engine_restarts_and_every_line_is_there_once", engine_restarts),
        story_with(
            needs,
            "docker::forebay_restarts_and_every_line_that_wants_an_ack_is_there_once",
            forebay_restarts,
        ),
        story_with(
            needs,
            "docker::forebay_is_killed_and_every_line_that_wants_an_ack_is_there_once",
            forebay_is_killed,
        ),
    ]
}

/// Lines on standard output, every third one on standard error.
fn mixed(lines: u64) -> String {
    format!(
        "n=0; while [ $n -lt {lines} ]; do if [ $((n % 3)) = 0 ]; then echo \"line $n\" >&2; else echo \"line $n\"; fi; \
         n=$((n + 1)); done"
    )
}

/// Lines on standard output alone. Docker's driver takes the acks of two streams of a container for each other's when both
/// write at once, whatever answers them, and tries again without end: with acks it is one stream or none.
fn plain(lines: u64) -> String {
    format!("n=0; while [ $n -lt {lines} ]; do echo \"line $n\"; n=$((n + 1)); done")
}

/// The same, slowly enough for something to happen in the middle.
fn paced(lines: u64) -> String {
    plain(lines).replace("n=$((n + 1))", "n=$((n + 1)); usleep 10000")
}

/// Long lines on both, at the same time.
fn long(lines: u64) -> String {
    format!(
        "x=$(head -c {LONG} /dev/zero | tr '\\0' x); \
         (n=0; while [ $n -lt {lines} ]; do echo \"line $n $x\"; n=$((n + 2)); done) & \
         (n=1; while [ $n -lt {lines} ]; do echo \"line $n $x\" >&2; n=$((n + 2)); done) & wait"
    )
}

/// Lines as a structured logger of Python's prints them.
fn structured(lines: u64) -> String {
    let line = r#"{\"timestamp\": \"2025-01-15T10:30:00.$((100000 + n))Z\", \"level\": \"INFO\", \"message\": \"line $n\", \"module\": \"app\", \"function\": \"predict\", \"line\": 42, \"request_id\": \"r-$n\", \"user_id\": null, \"model_version\": \"v1.2\", \"latency_ms\": 12.5}"#;
    format!("n=0; while [ $n -lt {lines} ]; do echo \"{line}\"; n=$((n + 1)); done")
}

async fn five_containers() {
    let node = shared(Version::Elasticsearch8).await;
    let (engine, daemon) = (Engine::start().await, Forebay::start(Setup::tables(node.table())).await);
    let port = daemon.forward.port();
    let containers = [
        ("mixed", mixed(LINES), ""),
        ("long", long(LINES), ""),
        ("structured", structured(LINES), ""),
        ("precise", mixed(LINES), "fluentd-sub-second-precision=true"),
        ("careful", plain(LINES), "fluentd-request-ack=true"),
    ];
    for (name, script, option) in &containers {
        let options: Vec<&str> =
            ["tag=ml-api", option].into_iter().filter(|option| !option.is_empty()).collect();
        engine.run(name, port, &options, &[], script);
    }
    for (name, ..) in &containers {
        engine.until_ended(name).await;
    }
    let held = node.api.documents("logs-ml_api-default", containers.len() * LINES as usize).await;
    assert_eq!(held.len(), containers.len() * LINES as usize);
    let by_container = by_container(&held);
    for (name, ..) in &containers {
        let documents = &by_container[*name];
        assert_lines(documents, LINES);
        assert_sequences_grow(documents.iter().copied());
        let id = engine.id(name);
        documents.iter().for_each(|document| assert_same(document, &expected(name, &id, document)));
    }
    let whole = |document: &&&Value| timestamp(&document["@timestamp"]).subsec_nanosecond() == 0;
    assert_eq!(
        by_container["mixed"].iter().filter(whole).count(),
        LINES as usize,
        "docker sends whole seconds"
    );
    assert!(by_container["precise"].iter().filter(whole).count() < 10, "the time is kept to the nanosecond");
    let metrics = daemon.until_drained().await;
    assert!(
        metrics.sum("forebay_acks_sent_total") >= LINES as f64,
        "each line of one container wants an ack"
    );
    assert_eq!(metrics.sum("forebay_partial_incomplete_total"), 0.0);
}

/// What a line must have become; the number is taken from the document, and told apart by whoever counts.
fn expected(name: &str, id: &str, document: &Value) -> Value {
    let n = number(document);
    let source = match name {
        "structured" | "careful" => "stdout",
        "long" if n.is_multiple_of(2) => "stdout",
        "long" => "stderr",
        _ if n.is_multiple_of(3) => "stderr",
        _ => "stdout",
    };
    let mut expected = json!({
        "@timestamp": null,
        "tag": "ml-api",
        "container_id": id,
        "container_name": name,
        "source": source,
        "message": if name == "long" { format!("line {n} {}", "x".repeat(LONG)) } else { format!("line {n}") },
    });
    if name == "structured" {
        let own = json!({
            "@timestamp": format!("2025-01-15T10:30:00.{}Z", 100_000 + n),
            "level": "INFO", "module": "app", "function": "predict", "line": 42, "request_id": format!("r-{n}"),
            "user_id": null, "model_version": "v1.2", "latency_ms": 12.5,
        });
        expected.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
    }
    expected
}

/// A line a time, remembering in the container's own file system where it is; it stops between two lines.
const RESUMING: &str = r#"
trap 'stop=1' TERM
n=$(cat /next 2>/dev/null || echo 0)
while [ "$n" -lt 600 ] && [ -z "$stop" ]; do
    echo "line $n"; n=$((n + 1)); echo "$n" >/next
    usleep 10000
done
[ "$n" -ge 600 ] || exit 143
"#;

async fn engine_restarts() {
    let node = shared(Version::Elasticsearch8).await;
    let (mut engine, daemon) = (Engine::start().await, Forebay::start(Setup::tables(node.table())).await);
    for name in ["first", "second"] {
        engine.run(
            name,
            daemon.forward.port(),
            &["tag=engine-restart"],
            &["--restart", "on-failure"],
            RESUMING,
        );
    }
    daemon.until_metric("forebay_events_received_total", 200.0).await;
    engine.restart().await;
    for name in ["first", "second"] {
        engine.until_ended(name).await;
    }
    let held = node.api.documents("logs-engine_restart-default", 1_200).await;
    let by_container = by_container(&held);
    for name in ["first", "second"] {
        assert_lines(&by_container[name], 600);
    }
    daemon.until_drained().await;
}

/// Two containers with labels: while the first one writes the daemon restarts, and before the second one the engine does.
async fn known_to_the_engine() {
    let node = shared(Version::Elasticsearch8).await;
    let mut engine = Engine::start().await;
    let step = format!(
        "[[pipeline]]\nmatch = \"known\"\n[[pipeline.step]]\ndocker_metadata = {{ socket = '{}', labels = ['com.example.*'] }}\n",
        engine.socket().display()
    );
    let setup = Setup { port: free_port(), ..Setup::tables(format!("{step}{}", node.table())) };
    let mut daemon = Forebay::start(setup).await;
    let labels = [
        "--label",
        "com.docker.compose.project=shop",
        "--label",
        "com.docker.compose.service=web",
        "--label",
        "com.example.team=front",
    ];
    let options = ["tag=known", "fluentd-request-ack=true", "fluentd-retry-wait=100ms"];
    engine.run("first", daemon.forward.port(), &options, &labels, &paced(PACED));
    daemon.until_metric("forebay_events_received_total", 100.0).await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    daemon.start_again().await;
    engine.until_ended("first").await;
    engine.restart().await;
    until("the daemon to follow the engine again", || async {
        let follows = |line: &&Value| line["fields"]["message"] == "following the docker engine";
        let times = daemon.log().iter().filter(follows).count();
        if times == 2 { Ok(()) } else { Err(times) }
    })
    .await;
    engine.run("second", daemon.forward.port(), &options, &labels, &paced(PACED));
    engine.until_ended("second").await;
    let held = node.api.documents("logs-known-default", 2 * PACED as usize).await;
    let known = json!({
        "container.image.name": "busybox", "container.image.tag": "tests", "container.labels.com_example_team": "front",
        "docker.compose.project": "shop", "docker.compose.service": "web",
    });
    for (name, mut documents) in by_container(&held) {
        assert_lines(&documents, PACED);
        documents.sort_by_key(|document| number(document));
        // A container's first lines may be here before the engine's answer is.
        let without = documents.iter().take_while(|document| document["container.name"].is_null()).count();
        assert!(without < documents.len() / 2, "{name}: {without} lines without what the engine knows");
        for document in &documents[without..] {
            assert_eq!(document["container.name"], name, "{document}");
            known.as_object().expect("an object").iter().for_each(|(field, value)| {
                assert_eq!(&document[field], value, "{field} in {document}");
            });
            assert!(document["container.labels.com_docker_compose_project"].is_null(), "{document}");
        }
    }
}

async fn forebay_restarts() {
    let daemon = daemon_ends_in_the_middle("forebay-restart", async |daemon| {
        assert_eq!(daemon.stop().await.code(), Some(0));
    })
    .await;
    daemon.until_drained().await;
}

async fn forebay_is_killed() {
    let daemon = daemon_ends_in_the_middle("forebay-killed", Forebay::kill).await;
    daemon.until_drained().await;
}

/// Two containers that want acks log while the daemon ends, twice, and starts again after a while.
async fn daemon_ends_in_the_middle(tag: &str, mut end: impl AsyncFnMut(&mut Forebay)) -> Forebay {
    let node = shared(Version::Elasticsearch8).await;
    let setup = Setup { port: free_port(), ..Setup::tables(node.table()) };
    let (engine, mut daemon) = (Engine::start().await, Forebay::start(setup).await);
    let options = [&format!("tag={tag}"), "fluentd-request-ack=true", "fluentd-retry-wait=100ms"];
    for name in ["first", "second"] {
        engine.run(name, daemon.forward.port(), &options, &[], &paced(PACED));
    }
    for _ in 0..2 {
        // Since the last start: the counters begin anew with each.
        daemon.until_metric("forebay_events_received_total", 100.0).await;
        end(&mut daemon).await;
        // Long enough for the driver to try in vain.
        tokio::time::sleep(Duration::from_millis(300)).await;
        daemon.start_again().await;
    }
    for name in ["first", "second"] {
        engine.until_ended(name).await;
    }
    let index = format!("logs-{}-default", tag.replace('-', "_"));
    let held = node.api.documents(&index, 2 * PACED as usize).await;
    let by_container = by_container(&held);
    for name in ["first", "second"] {
        assert_lines(&by_container[name], PACED);
    }
    daemon
}

fn by_container(held: &[Held]) -> BTreeMap<&str, Vec<&Value>> {
    let mut by_container: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for document in sources(held) {
        let name = document["container_name"].as_str().expect("a container's name");
        by_container.entry(name).or_default().push(document);
    }
    by_container
}

/// Asserts that lines `0..lines` are there, each once, and those of one stream in the order in which they were written.
fn assert_lines(documents: &[&Value], lines: u64) {
    assert_every_one_once(0..lines, documents.iter().map(|document| number(document)));
    for source in ["stdout", "stderr"] {
        let of_source = documents.iter().filter(|document| document["source"] == source);
        let numbers: Vec<u64> = of_source.map(|document| number(document)).collect();
        assert!(numbers.is_sorted(), "the lines of {source} are in order");
    }
}

/// The number in `line NUMBER`.
fn number(document: &Value) -> u64 {
    let message = document["message"].as_str().expect("a line is text");
    let number = message.split(' ').nth(1).and_then(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("no number in a line of {} bytes", message.len()))
}
