//! `forebay replay`: what lies on disk is in the target, each line once, whatever happens meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::archive::gzip;
use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::docker::Engine;
use crate::common::load::sources;
use crate::common::logs::{Logs, json_line, number};
use crate::common::node::{Version, shared};
use crate::common::parts::Part;
use crate::common::process::{Guarded, executable, free_port};
use crate::common::random::Random;
use crate::common::sequence::assert_every_one_once;
use crate::common::target::{Fault, Stored, Target};
use crate::common::{story, story_longer_by, story_with, until};

/// How large the set is that is killed, in MiB, where `STORY_REPLAY_MIB` does not say it.
const MIB: usize = 6;

/// Documents between two kills, at most, so that a large set is killed in time.
const MOST_BETWEEN_KILLS: u64 = 200_000;

pub(crate) fn stories() -> Vec<Trial> {
    let node = &[Version::Elasticsearch8.part()];
    let docker = &[Part::Docker, Version::Elasticsearch8.part()];
    vec![
        story_longer_by(
            // A node takes some megabytes a second of it, four times over.
            Duration::from_secs(3 * mib() as u64),
            node,
            "replay::killed_three_times_and_run_twice_every_line_is_in_elasticsearch_once",
            killed,
        ),
        story("replay::files_that_were_renamed_moved_packed_or_have_grown_bring_only_what_is_new", changed),
        story("replay::what_cannot_be_read_is_named_and_the_rest_is_taken", unreadable),
        story("replay::selected_events_alone_come_out_on_standard_output", selected),
        story("replay::a_dry_run_tells_what_would_come_and_sends_nothing", dry),
        story("replay::a_tree_of_pods_and_what_other_shippers_left_behind_are_there_once", leftovers),
        story("replay::it_runs_beside_a_daemon_and_a_target_that_fails_gets_every_line_once", beside),
        story_with(
            docker,
            "replay::what_dockers_json_file_driver_wrote_is_there_as_if_it_had_been_sent",
            docker_files,
        ),
    ]
}

/// A replay that ends by itself, and what it said.
pub(crate) fn replay(folder: &TempDir, arguments: &[&str]) -> Output {
    run_to_end(&[&["replay", "--data-dir", "data"][..], arguments].concat(), folder.path())
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn assert_exit(output: &Output, expected: i32) {
    assert_eq!(output.status.code(), Some(expected), "{}", said(output));
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn report(folder: &TempDir) -> Value {
    let text = fs::read(folder.path().join("report.json")).expect("a report");
    serde_json::from_slice(&text).expect("JSON")
}

pub(crate) fn sum(report: &Value, key: &str) -> u64 {
    let sources = report["sources"].as_array().expect("sources");
    sources.iter().map(|source| source[key].as_u64().unwrap_or_else(|| panic!("no {key} in {source}"))).sum()
}

fn numbers_of(target: &Target) -> Vec<u64> {
    target.documents().values().map(|stored| number(&stored.document)).collect()
}

fn mib() -> usize {
    std::env::var("STORY_REPLAY_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(MIB)
}

async fn killed() {
    let (folder, node, mut random) = (folder(), shared(Version::Elasticsearch8).await, Random::seeded());
    let logs = Logs::write(&folder.path().join("logs"), mib() << 20);
    let index = format!("replay-killed-{}", free_port());
    let url = node.api.url.clone();
    let arguments = [
        "replay",
        "--data-dir",
        "data",
        "--elasticsearch",
        &url,
        "--index",
        &index,
        "--report",
        "report.json",
        "logs",
    ];
    let mut held = 0;
    for _ in 0..3 {
        let mut command = Command::new(executable());
        command.args(arguments).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Guarded::start(&mut command, None, Duration::ZERO);
        let least = held + random.below((logs.lines / 4).min(MOST_BETWEEN_KILLS));
        until("documents to come", async || {
            held = node.api.count(&index).await?;
            if held > least || running.ended().is_some() { Ok(()) } else { Err(format!("{held} documents")) }
        })
        .await;
        running.signal(Signal::KILL);
        running.wait(Duration::from_secs(30)).await;
    }
    assert_exit(&run_to_end(&arguments, folder.path()), 0);
    let first = report(&folder);
    assert_eq!(sum(&first, "read"), logs.lines, "{first:#}");
    assert_eq!(sum(&first, "indexed") + sum(&first, "before"), logs.lines, "{first:#}");
    assert_exit(&run_to_end(&arguments, folder.path()), 0);
    assert_eq!((sum(&report(&folder), "indexed"), sum(&report(&folder), "before")), (0, logs.lines));
    fs::remove_dir_all(folder.path().join("data")).expect("all that it knows");
    assert_exit(&run_to_end(&arguments, folder.path()), 0);
    let held = node.api.documents(&index, usize::try_from(logs.lines).expect("few")).await;
    assert_every_one_once(0..logs.lines, sources(&held).into_iter().map(number));
}

async fn changed() {
    let (folder, target) = (folder(), Target::start().await);
    let mut logs = Logs { folder: folder.path().join("logs"), lines: 0 };
    let mut text = logs.text(20_000, json_line);
    // The last line has no end yet.
    text.pop();
    logs.put("app.log", &text);
    let url = target.url().to_string();
    assert_exit(&replay(&folder, &["--elasticsearch", &url, "logs"]), 0);
    assert_every_one_once(0..logs.lines, numbers_of(&target));

    text.push(b'\n');
    text.extend(logs.text(5_000, json_line));
    fs::remove_file(logs.folder.join("app.log")).expect("there");
    logs.put("moved/old.log.3.gz", &gzip(&text));
    logs.put(
        "copy.txt",
        &text
            .iter()
            .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
            .collect::<Vec<_>>(),
    );
    assert_exit(&replay(&folder, &["--elasticsearch", &url, "logs"]), 0);
    assert_every_one_once(0..logs.lines, numbers_of(&target));

    // The same first line, and then something else: another file, with an index of its own.
    let lines = logs.lines;
    let head: Vec<u8> = text.iter().copied().take_while(|byte| *byte != b'\n').chain([b'\n']).collect();
    let other = [head, logs.text(5_000, json_line)].concat();
    logs.put("other.log", &other);
    assert_exit(&replay(&folder, &["--elasticsearch", &url, "--report", "report.json", "logs"]), 0);
    let documents = target.documents().into_values();
    let (other, rest): (Vec<_>, Vec<_>) = documents.partition(|stored| stored.index == "logs-other-default");
    let numbers = |documents: Vec<Stored>| documents.into_iter().map(|stored| number(&stored.document));
    assert_every_one_once(0..lines, numbers(rest));
    assert_every_one_once([0].into_iter().chain(lines..logs.lines), numbers(other));
    assert_eq!(sum(&report(&folder), "indexed"), logs.lines - lines + 1);
}

async fn unreadable() {
    let (folder, target) = (folder(), Target::start().await);
    let mut logs = Logs { folder: folder.path().join("logs"), lines: 0 };
    let whole = gzip(&logs.text(50_000, json_line));
    let (cut, _) = whole.split_at(whole.len() / 2);
    logs.lines = 0;
    logs.put("cut.log.gz", cut);
    logs.put("junk.bin", &[b"\x7fELF".as_slice(), &[0, 7, 255].repeat(1_000)].concat());
    let last = 1_000_000;
    logs.lines = last;
    let text = logs.text(1, json_line);
    logs.put("torn.log", &[&text[..], &[0; 9_000]].concat());
    let text = logs.text(1, json_line);
    logs.put("crashed.log", &[b"half of a li", &[0; 3_000][..], &text].concat());
    let (stray, text) = (logs.text(1, json_line), logs.text(1, json_line));
    logs.put("stray.log", &[b"a stray \0 zero\n", &stray[..], &text].concat());
    let text = logs.text(1, json_line);
    logs.put("sparse.log", &[&text[..], &[0; 5 << 20]].concat());
    let text = logs.text(1, json_line);
    logs.put("long.log", &[&b"x".repeat(3 << 20), &b"\n"[..], &text].concat());
    let url = target.url().to_string();
    let arguments = ["--elasticsearch", &url, "--report", "report.json", "logs", "gone.log"];
    let output = replay(&folder, &arguments);
    assert_exit(&output, 1);
    let said = said(&output);
    for word in [
        "cut.log.gz: ",
        "junk.bin: nothing to read in it",
        "gone.log: no such file",
        "long.log: 1 line cut at the limit",
        "torn.log: 9000 bytes of zeros in place of text, left out",
        "sparse.log: 5242880 bytes of zeros in place of text, left out",
    ] {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
    let documents = target.documents();
    let (others, whole): (Vec<_>, Vec<_>) = documents
        .values()
        .map(|stored| &stored.document)
        .partition(|document| !document["message"].as_str().is_some_and(|text| text.contains("seq-")));
    let mut others: Vec<_> = others.iter().filter_map(|other| other["message"].as_str()).collect();
    others.sort_unstable();
    assert_eq!(others, ["a stray  zero", "half of a li", &"x".repeat(1 << 20)]);
    let mut numbers: Vec<_> = whole.into_iter().map(number).collect();
    numbers.sort_unstable();
    let before_cut = numbers.iter().take_while(|number| **number < last).count() as u64;
    assert!(before_cut > 50, "what stands before the cut is taken: {before_cut}");
    assert_every_one_once((0..before_cut).chain(last..logs.lines), numbers);
    assert_eq!(sum(&report(&folder), "zero_bytes"), 9_000 + 3_000 + 1 + (5 << 20));
}

async fn selected() {
    let folder = folder();
    let mut logs = Logs { folder: folder.path().join("logs"), lines: 0 };
    let text = logs.text(400_000, json_line);
    logs.put("app.log", &text);
    let common = ["--output", "stdout", "--since", "2026-11-01T00:00:01Z", "--until", "2026-11-01T00:00:02Z"];
    let output = replay(&folder, &[&common[..], &["--where", "user_id < 100", "logs"]].concat());
    assert_exit(&output, 0);
    let documents = |output: &Output| -> Vec<Value> {
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a document a line")).collect()
    };
    let expected = (1_000..2_000).filter(|number| number % 977 < 100);
    assert_every_one_once(expected, documents(&output).iter().map(number));

    let output = replay(&folder, &["--output", "stdout", "--limit", "7", "--tag", "mine", "logs"]);
    let all = documents(&output);
    assert_every_one_once(0..7, all.iter().map(number));
    assert!(all.iter().all(|document| document["tag"] == "mine"), "{all:?}");
    let wrong = replay(&folder, &["--where", "level >=", "logs"]);
    assert_exit(&wrong, 2);
}

async fn dry() {
    let folder = folder();
    let logs = Logs::write(&folder.path().join("logs"), 400_000);
    let output = replay(&folder, &["--dry-run", "--report", "report.json", "logs"]);
    assert_exit(&output, 0);
    let said = said(&output);
    assert!(said.contains("events from 2026-11-01T00:00:00Z to 2026-11-01T00:00:0"), "{said}");
    let report = report(&folder);
    let expected = report["expected"].as_array().expect("indices");
    let documents: u64 = expected.iter().map(|index| index["documents"].as_u64().expect("a count")).sum();
    assert_eq!((documents, sum(&report, "unparsed")), (logs.lines, 0), "{report:#}");
    let indices: Vec<_> = expected.iter().map(|index| index["index"].as_str().expect("a name")).collect();
    assert_eq!(
        indices,
        [
            "logs-api-default",
            "logs-app-default",
            "logs-job-default",
            "logs-packed-default",
            "logs-web-default"
        ]
    );
    let kept = fs::read_dir(folder.path().join("data/replay")).into_iter().flatten();
    let kept: Vec<_> = kept.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(
        !kept.iter().any(|name| name.to_string_lossy().contains("progress")),
        "nothing is done: {kept:?}"
    );
}

async fn beside() {
    let target = Target::start().await;
    target.fail_every(
        3,
        Fault::Items { every: 3, status: 429, kind: "es_rejected_execution_exception", reason: "full" },
    );
    let url = target.url();
    let tables = format!("[elasticsearch]\nhosts = [\"{url}\"]\nretry_max = \"200ms\"\n");
    let daemon = Forebay::start(Setup::tables(tables)).await;
    let logs = Logs::write(&daemon.data().join("logs"), 400_000);
    let data = daemon.data().display().to_string();
    let folder = logs.folder.display().to_string();
    let arguments = ["replay", "--data-dir", &data, "--elasticsearch", url.as_str(), &folder];
    assert_exit(&run_to_end(&arguments, &daemon.data()), 0);
    assert_every_one_once(0..logs.lines, numbers_of(&target));
    daemon.until_drained().await;
}

async fn leftovers() {
    let (folder, target) = (folder(), Target::start().await);
    let mut logs = Logs { folder: folder.path().join("logs"), lines: 0 };
    let pod = "pods/shop_web-0_5d2c1a6e-1f0b-4c6e-9f5e-0a1b2c3d4e5f/nginx";
    let line = |number: u64, stream: &str, tag: &str, text: &str| {
        format!("2026-11-01T10:00:{:02}.000000001Z {stream} {tag} {text}\n", number % 60)
    };
    let whole = |number: u64| line(number, "stdout", "F", &format!("seq-{number} ready"));
    let old: String = (0..50).map(whole).chain([line(50, "stderr", "P", "seq-50 a line ")]).collect();
    let new: String =
        [line(50, "stderr", "F", "over a rotation")].into_iter().chain((51..60).map(whole)).collect();
    logs.put(&format!("{pod}/0.log.20261101-100100.gz"), &gzip(old.as_bytes()));
    logs.put(&format!("{pod}/0.log"), new.as_bytes());
    logs.lines = 60;
    let url = target.url().to_string();
    for _ in 0..2 {
        assert_exit(&replay(&folder, &["--elasticsearch", &url, "logs"]), 0);
    }
    assert_every_one_once(0..logs.lines, numbers_of(&target));
    for stored in target.documents().values() {
        let document = &stored.document;
        assert_eq!(document["kubernetes.pod.name"], "web-0", "{document}");
        assert_eq!(document["kubernetes.container.name"], "nginx", "{document}");
        if number(document) == 50 {
            assert_eq!(document["message"], "seq-50 a line over a rotation");
        }
    }

    // The folders of another shipper's buffer, as they lie in the fixtures.
    let before = target.documents().len();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let chunks =
        ["fluentd-chunks", "fluent-bit-chunks"].map(|kind| fixtures.join(kind).display().to_string());
    let arguments = ["--elasticsearch", &url, "--report", "report.json", &chunks[0], &chunks[1]];
    replay(&folder, &arguments);
    let (taken, report) = (target.documents().len() - before, report(&folder));
    assert_eq!(sum(&report, "indexed"), taken as u64);
    for kind in ["fluentd chunk", "fluent bit chunk"] {
        let sources = report["sources"].as_array().expect("sources").iter();
        let of_kind = sources.filter(|source| source["kind"] == kind);
        assert!(of_kind.filter_map(|source| source["read"].as_u64()).sum::<u64>() > 0, "{kind}: {report:#}");
    }
    replay(&folder, &arguments);
    assert_eq!(target.documents().len() - before, taken, "and none of them twice");
}

async fn docker_files() {
    let node = shared(Version::Elasticsearch8).await;
    let (engine, folder) = (Engine::start().await, folder());
    let script = "n=0; while [ $n -lt 1200 ]; do echo \"seq-$n out\"; echo \"seq-$((n + 1)) err\" >&2; n=$((n + 2)); done; \
         x=$(head -c 40000 /dev/zero | tr '\\0' x); echo \"seq-1200 $x\"";
    engine.must(&[
        "run",
        "-d",
        "--name",
        "writer",
        "--log-driver",
        "json-file",
        "--log-opt",
        "max-size=50k",
        "--log-opt",
        "max-file=9",
        "--log-opt",
        "compress=true",
        crate::common::docker::IMAGE,
        "sh",
        "-c",
        script,
    ]);
    engine.until_ended("writer").await;
    let path = engine.must(&["inspect", "--format", "{{.LogPath}}", "writer"]);
    let container = Path::new(path.trim()).parent().expect("a folder").display().to_string();
    let index = format!("replay-docker-{}", free_port());
    let arguments = ["--elasticsearch", &node.api.url, "--index", &index, &container];
    assert_exit(&replay(&folder, &arguments), 0);
    assert_exit(&replay(&folder, &arguments), 0);
    let held = node.api.documents(&index, 1_201).await;
    assert_every_one_once(0..1_201, sources(&held).into_iter().map(number));
    for document in sources(&held) {
        let number = number(document);
        assert_eq!(document["container_name"], "writer", "{document}");
        assert_eq!(document["container_id"], engine.id("writer").trim(), "{document}");
        assert_eq!(document["source"], if number % 2 == 1 { "stderr" } else { "stdout" }, "{document}");
    }
    let longest =
        sources(&held).iter().filter_map(|document| document["message"].as_str()).map(str::len).max();
    assert_eq!(longest, Some(40_000 + "seq-1200 ".len()));
}
