//! Dead letters sent again: killed in the middle, beside a daemon that writes, changed on the way, rotated, damaged.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, frame};
use crate::common::load::{self, numbered, numbers, sources};
use crate::common::node::{Version, shared};
use crate::common::process::{Guarded, executable};
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Target};
use crate::common::{story, story_with, until};
use crate::poison::mixed;

/// Letters in most stories.
const LETTERS: u64 = 1_000;
/// Documents of a delivery, so that there are many.
const DELIVERY: u64 = 20;
/// Longer than a replay of so few takes.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn stories() -> Vec<Trial> {
    let node = &[Version::Elasticsearch8.part()];
    vec![
        story_with(node, "letters::once_the_mapping_is_mended_they_are_sent_again_and_never_twice", mended),
        story_with(node, "letters::they_are_changed_and_sent_elsewhere_as_the_flags_say", changed),
        story_with(
            node,
            "letters::a_replay_that_is_killed_on_the_way_doubles_nothing_in_a_real_target",
            killed_for_real,
        ),
        story("letters::a_replay_is_killed_again_and_again_and_each_document_arrives_once", killed),
        story("letters::a_replay_works_beside_a_daemon_that_writes_more_of_them", beside_a_daemon),
        story(
            "letters::those_that_never_were_documents_are_shown_and_passed_over_by_a_replay",
            never_documents,
        ),
        story(
            "letters::many_files_are_sent_and_go_but_for_one_with_a_damaged_line_which_is_told_of",
            rotated_and_damaged,
        ),
    ]
}

/// `forebay dead-letters …` on a daemon's data, deliveries small.
fn forebay(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(executable());
    command.arg("dead-letters").args(arguments).arg("--data-dir").arg(data);
    command.env("FOREBAY_BUFFER__BATCH_DOCUMENTS", DELIVERY.to_string());
    command
}

/// What came of a command: its status, its lines of JSON, and what it complained of.
struct Told {
    status: Option<i32>,
    lines: Vec<Value>,
    complaints: String,
}

async fn tell(arguments: &[&str], data: &Path) -> Told {
    let mut command = forebay(arguments, data);
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program starts")).await;
    let output = output.expect("no panic");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into())).collect();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    Told { status: output.status.code(), lines, complaints }
}

/// A replay to `url` that must take every letter there is.
async fn replay_all(url: &str, further: &[&str], data: &Path) -> Value {
    let arguments = [&["replay", "--json", "--elasticsearch", url], further].concat();
    let Told { status, lines, complaints } = tell(&arguments, data).await;
    assert_eq!(status, Some(0), "{lines:?} {complaints}");
    lines.into_iter().next().expect("an outcome")
}

/// The letters that are left, as `show` prints them.
async fn left(data: &Path) -> Vec<Value> {
    tell(&["show", "--json"], data).await.lines
}

/// A daemon whose target refuses these numbers, once it has written a letter for each; they are taken from then on.
async fn refused(target: &Target, further: &str) -> Forebay {
    target.reject(|_| true);
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n{further}", target.url());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    load::send(daemon.forward, "letters", 0..LETTERS).await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), LETTERS as f64);
    target.reject(|_| false);
    daemon
}

fn held(target: &Target) -> Vec<u64> {
    let documents: Vec<Value> = target.documents().into_values().map(|stored| stored.document).collect();
    numbers(&documents)
}

/// A replay that runs.
fn start(url: &str, data: &Path) -> Guarded {
    let mut command = forebay(&["replay", "--elasticsearch", url], data);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Guarded::start(&mut command, None, Duration::ZERO)
}

async fn kill(mut replay: Guarded) {
    assert_eq!(replay.ended(), None, "it has come to its end before it could be killed");
    replay.signal(Signal::KILL);
    assert!(replay.wait(LIMIT).await.is_some());
}

async fn killed() {
    let target = Target::start().await;
    let mut daemon = refused(&target, "").await;
    assert!(daemon.stop().await.success());
    let (url, data) = (target.url().to_string(), daemon.data());
    // Documents are taken and the replay never hears of it: no mark says so.
    target.hold_answers(true);
    let replay = start(&url, &data);
    target.until(|target| !target.documents().is_empty()).await;
    kill(replay).await;
    target.hold_answers(false);
    assert_eq!(left(&data).await.len() as u64, LETTERS);
    // Four at once, so that five rounds of two or more come nowhere near the end.
    target.fail_next(Fault::Slow(Duration::from_millis(50)), 1_000);
    for _ in 0..5 {
        let enough = target.bulk_requests() + 2;
        let replay = start(&url, &data);
        target.until(|target| target.bulk_requests() >= enough).await;
        kill(replay).await;
    }
    target.heal();
    let taken_before = held(&target).len() as u64;
    let outcome = replay_all(&url, &[], &data).await;
    assert_every_one_once(0..LETTERS, held(&target));
    assert_eq!(outcome["taken"], LETTERS - taken_before, "{outcome}");
    assert_eq!((&outcome["refused"], &outcome["left"]), (&json!(0), &json!(0)), "{outcome}");
    assert!(left(&data).await.is_empty());
    let again = replay_all(&url, &[], &data).await;
    assert_eq!((&again["taken"], &again["before"]), (&json!(0), &json!(0)), "{again}");
}

async fn killed_for_real() {
    let node = shared(Version::Elasticsearch8).await;
    for index in ["killed-a", "killed-b"] {
        node.api.put(index, json!({})).await;
    }
    let target = Target::start().await;
    target.reject(|_| true);
    let keys = "index = \"killed-{tag}\"\nindex_fallback = \"killed\"\n";
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n{keys}", target.url());
    let mut daemon = Forebay::start(Setup::tables(tables)).await;
    for first in (0..200).step_by(20) {
        load::send(daemon.forward, "a", first..first + 10).await;
        load::send(daemon.forward, "b", first + 10..first + 20).await;
    }
    daemon.until_drained().await;
    assert!(daemon.stop().await.success());

    // Each delivery has documents for both: those of one are taken, those of the other keep it from its end.
    node.api.block_writes("killed-b", true).await;
    let (url, data) = (node.api.url.clone(), daemon.data());
    let replay = start(&url, &data);
    until("some of them in the node", || async {
        match node.api.count("killed-a").await? {
            0 => Err("none".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    kill(replay).await;
    node.api.block_writes("killed-b", false).await;
    let outcome = replay_all(&url, &[], &data).await;
    assert!(outcome["before"].as_u64().is_some_and(|before| before > 0), "{outcome}");
    let documents =
        [node.api.documents("killed-a", 100).await, node.api.documents("killed-b", 100).await].concat();
    assert_every_one_once(0..200, numbers(sources(&documents)));
    assert!(left(&data).await.is_empty());
}

async fn mended() {
    let node = shared(Version::Elasticsearch8).await;
    let properties = json!({ "@timestamp": { "type": "date" }, "n": { "type": "byte" } });
    let mapping = json!({ "mappings": { "dynamic": "strict", "properties": properties } });
    node.api.put("letters", mapping).await;
    let tables = format!("{}index = \"letters\"\nindex_fallback = \"letters\"\n", node.table());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    load::send(daemon.forward, "letters", 0..60).await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 60.0, "neither message nor tag is mapped");
    let listed = tell(&["ls", "--json"], &daemon.data()).await;
    assert_eq!(listed.lines[0]["groups"][0]["reason"], "mapping", "{:?} {}", listed.lines, listed.complaints);
    assert_eq!(tell(&["show", "--json", "--tag", "letters"], &daemon.data()).await.lines.len(), 60);

    let mended = json!({ "properties": { "message": { "type": "text" }, "tag": { "type": "keyword" }, "event": { "type": "object", "dynamic": true } } });
    node.api.put("letters/_mapping", mended).await;
    for _ in 0..2 {
        replay_all(&node.api.url, &[], &daemon.data()).await;
    }
    let documents = node.api.documents("letters", 60).await;
    assert_every_one_once(0..60, numbers(sources(&documents)));
}

async fn changed() {
    let node = shared(Version::Elasticsearch8).await;
    let mapping = json!({ "mappings": { "dynamic": "strict", "properties": { "n": { "type": "long" } } } });
    node.api.put("narrow", mapping).await;
    let tables = format!("{}index = \"narrow\"\nindex_fallback = \"narrow\"\n", node.table());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let event = |number| {
        (numbered(number).0, json!({ "n": number, "level": "info", "a": { "b": 1.50 }, "debug": "x" }))
    };
    let frame = frame(Mode::Forward, "narrow", &(0..20).map(event).collect::<Vec<_>>(), Some("one"));
    daemon.client().await.send_acked(&frame, "one").await.expect("an ack");
    daemon.until_drained().await;
    let ids: Vec<Value> = daemon.dead_letters().iter().map(|letter| letter["id"].clone()).collect();
    assert_eq!(ids.len(), 20);

    let flags = ["--rename", "level=log.level", "--remove", "debug", "--set", "env=prod", "--set", "a.b=2"];
    let dry = tell(&[&["replay", "--dry-run", "--index", "wide"], &flags[..]].concat(), &daemon.data()).await;
    assert_eq!((dry.status, node.api.count("wide").await), (Some(0), Ok(0)), "{:?}", dry.lines);
    let outcome =
        replay_all(&node.api.url, &[&["--index", "wide"], &flags[..]].concat(), &daemon.data()).await;
    assert_eq!(outcome["taken"], 20, "{outcome}");
    let documents = node.api.documents("wide", 20).await;
    assert_every_one_once(0..20, numbers(sources(&documents)));
    for document in &documents {
        let source = &document.source;
        let told = [&source["log.level"], &source["env"], &source["tag"], &source["a.b"]];
        assert_eq!(told, [&json!("info"), &json!("prod"), &json!("narrow"), &json!(2)], "{source}");
        assert!(source.get("debug").is_none() && source.get("level").is_none(), "{source}");
        assert!(ids.contains(&document.id.clone().into()), "the id that it had");
    }
    assert_eq!(node.api.count("narrow").await, Ok(0));
}

async fn beside_a_daemon() {
    let target = Target::start().await;
    let daemon = refused(&target, "").await;
    let (url, data) = (target.url().to_string(), daemon.data());
    // What comes from now on is refused too; what was refused before is taken.
    target.reject(|document| document["n"].as_u64().is_some_and(|number| number >= LETTERS));
    let sending = tokio::spawn(load::send(daemon.forward, "letters", LETTERS..2 * LETTERS));
    let arguments = ["replay", "--json", "--elasticsearch", &url];
    let outcome = tell(&arguments, &data).await;
    assert_eq!(outcome.lines[0]["taken"], LETTERS, "{:?} {}", outcome.lines, outcome.complaints);
    sending.await.expect("every event is acked");
    daemon.until_drained().await;
    assert_every_one_once(0..LETTERS, held(&target));
    let letters = left(&data).await;
    assert_every_one_once(LETTERS..2 * LETTERS, numbers(letters.iter().map(|letter| &letter["document"])));

    target.reject(|_| false);
    replay_all(&url, &[], &data).await;
    assert_every_one_once(0..2 * LETTERS, held(&target));
    assert!(left(&data).await.is_empty());
}

/// A daemon without a target has letters of what it could not read, and later, with one, of what that refuses.
async fn never_documents() {
    let mut daemon = Forebay::start(Setup::default()).await;
    daemon.client().await.send_acked(&mixed(0..10, "one"), "one").await.expect("an ack");
    assert!(daemon.stop().await.success());
    let target = Target::start().await;
    target.reject(|_| true);
    daemon.set_tables(format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url()));
    daemon.start_again().await;
    load::send(daemon.forward, "letters", 0..100).await;
    daemon.until_drained().await;
    target.reject(|_| false);

    let (url, data) = (target.url().to_string(), daemon.data());
    let replay = ["replay", "--json", "--elasticsearch", &url];
    let Told { status, lines, .. } = tell(&replay, &data).await;
    let told = [&lines[0]["taken"], &lines[0]["left"], &lines[0]["skipped"]];
    assert_eq!((status, told), (Some(1), [&json!(100), &json!(0), &json!(10)]), "{lines:?}");
    assert_every_one_once(0..100, held(&target));
    let letters = left(&data).await;
    assert!(
        letters.len() == 10 && letters.iter().all(|letter| letter["reason"] == "unexpected"),
        "{letters:?}"
    );
    // With a filter that leaves them out there is nothing to complain of.
    replay_all(&url, &["--reason", "mapping"], &data).await;
}

async fn rotated_and_damaged() {
    let target = Target::start().await;
    let mut daemon =
        refused(&target, "[buffer]\nbatch_documents = 20\n[dead_letters]\nrotate_bytes = \"8KiB\"\n").await;
    assert!(daemon.stop().await.success());
    let (url, data) = (target.url().to_string(), daemon.data());
    let files = files(&data);
    assert!(files.len() > 10, "{} files", files.len());
    let wounded = &files[files.len() / 2];
    let (number, byte) = damage(wounded);

    let Told { status, lines, complaints } =
        tell(&["replay", "--json", "--elasticsearch", &url], &data).await;
    assert_eq!(
        (status, &lines[0]["taken"], &lines[0]["skipped"]),
        (Some(1), &json!(LETTERS - 1), &json!(1)),
        "{lines:?}"
    );
    let name = wounded.file_name().and_then(OsStr::to_str).expect("a name");
    assert!(complaints.contains(name) && complaints.contains(&byte.to_string()), "{complaints}");
    assert_every_one_once((0..LETTERS).filter(|other| *other != number), held(&target));
    assert_eq!(
        self::files(&data),
        std::slice::from_ref(wounded),
        "what is done with goes, but for the newest"
    );
    let listed = tell(&["ls", "--json"], &data).await;
    assert_eq!((listed.status, &listed.lines[0]["unreadable"]), (Some(1), &json!(1)), "{:?}", listed.lines);
}

/// The files of letters, oldest first.
fn files(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("dead-letters")).expect("a folder of letters");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    files
}

/// Overwrites the middle of the second letter; the number of its document, and where it begins.
fn damage(file: &Path) -> (u64, usize) {
    let mut bytes = fs::read(file).expect("a file of letters");
    let starts: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).map(|end| end + 1).take(2).collect();
    let (from, to) = (starts[0], starts[1] - 1);
    let letter: Value = serde_json::from_slice(&bytes[from..to]).expect("a letter");
    bytes[from + 10..from + 30].fill(0);
    fs::write(file, bytes).expect("a file that can be written");
    (letter["document"]["n"].as_u64().expect("a numbered document"), from)
}
