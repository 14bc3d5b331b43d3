//! What a replay tells: whatever became of an event is in its table and its report, and in its exit.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use libtest_mimic::Trial;
use rmpv::Value as Packed;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::archive::gzip;
use crate::common::daemon::{Forebay, Setup};
use crate::common::forward::{Mode, Time, frame};
use crate::common::logs::Logs;
use crate::common::process::{Guarded, executable, free_port, run};
use crate::common::target::Target;
use crate::common::{story, until};
use crate::replay::{assert_exit, folder, replay, report, said, sum};

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("replay_books::whatever_becomes_of_an_event_is_told_and_a_dead_letter_is_a_fault", booked),
        story("replay_books::a_replay_that_waits_for_a_pipe_ends_when_it_is_told_to", waiting),
        story("replay_books::what_only_looks_leaves_nothing_behind", looking),
        story("replay_books::links_in_an_archive_are_passed_over_and_are_no_fault", links),
        story(
            "replay_books::a_container_in_an_archive_has_its_name_its_labels_and_its_lines_whole",
            container,
        ),
        story("replay_books::a_compressed_chunk_that_was_sent_brings_nothing_twice", sent_chunk),
    ]
}

fn logs(folder: &tempfile::TempDir) -> Logs {
    Logs { folder: folder.path().join("logs"), lines: 0 }
}

async fn booked() {
    let (folder, target) = (folder(), Target::start().await);
    let url = target.url().to_string();
    let logs = logs(&folder);
    let events: Vec<_> = (0..9).map(|n| (Time(1_777_885_951, 0), json!({ "n": n }))).collect();
    let good = frame(Mode::Forward, "captured.app", &events, Some("one"));
    let deep = frame(Mode::Message, "captured.app", &[(Time(1, 0), deep(300))], Some("two"));
    logs.put("capture", &[&good[..], &deep].concat());
    let dump = r#"{"_index":"old","_id":"a","_source":{"n":1}}"#;
    logs.put("dump", format!("{dump}\n{dump},\n{dump},\n").as_bytes());
    logs.put("bulk", b"{\"index\":{\"_index\":\"old\",\"_id\":7}}\n{\"n\":7}\n{\"n\":\"no action\"}\n");
    let output = replay(&folder, &["--elasticsearch", &url, "--report", "report.json", "logs"]);
    assert_exit(&output, 1);
    let (said, report) = (said(&output), report(&folder));
    assert!(said.contains("bulk: lines that are no action not taken: 1"), "{said}");
    let numbers = |name: &str| {
        let mut sources = report["sources"].as_array().expect("sources").iter();
        let is_it = |source: &&Value| source["path"].as_str().is_some_and(|path| path.ends_with(name));
        let source = sources.find(is_it).expect("it is there");
        ["read", "indexed", "before", "dead_letters"].map(|key| source[key].as_u64().expect("a number"))
    };
    assert_eq!(numbers("capture"), [10, 9, 0, 1], "{said}");
    assert_eq!(numbers("dump"), [3, 1, 0, 2], "{said}");
    assert_eq!(numbers("bulk"), [1, 1, 0, 0], "{said}");
    assert!(target.documents().contains_key("old 7"), "{:?}", target.documents().keys());
    let output = replay(&folder, &["--output", "stdout", "logs/capture"]);
    let table = String::from_utf8_lossy(&output.stderr);
    assert!(table.contains("10        9       0             1"), "{table}");
}

/// Standard input of which nothing comes, a pipe that nobody writes to, and what the shell makes of `<(…)`.
async fn waiting() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).expect("a pipe");
    for path in ["- 0<>pipe", "pipe"] {
        let script = format!("exec {} replay --data-dir data --output file {path}", executable().display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Guarded::start(&mut command, None, Duration::ZERO);
        let begun = folder.path().join("data/replay/buffer");
        until("it to read", || async { if begun.exists() { Ok(()) } else { Err("nothing is there") } }).await;
        running.signal(Signal::TERM);
        let status = running.wait(Duration::from_secs(4)).await;
        assert_eq!(status.and_then(|status| status.code()), Some(1), "{path}");
        fs::remove_dir_all(folder.path().join("data")).expect("removed");
    }
    let script = format!(
        "cat | {0} replay --output stdout /dev/stdin && {0} replay --output stdout <(echo 'from a process')",
        executable().display()
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = command.stderr(Stdio::inherit()).spawn().expect("a shell");
    shell.stdin.take().expect("a pipe").write_all(b"from a pipe\n").expect("written");
    let output = shell.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("from a pipe") && text.contains("from a process"), "{text}");
    assert_eq!(text.matches("\"tag\":\"stdin\"").count(), 2, "{text}");
}

async fn looking() {
    let folder = folder();
    let logs = logs(&folder);
    logs.put("app.log", b"a line\n");
    logs.put("documents", b"{\"@timestamp\":\"2026-05-04T09:12:31Z\",\"event.sequence\":17}\nno document\n");
    for arguments in [["--dry-run", "logs"], ["--output=stdout", "logs/app.log"]] {
        let output = replay(&folder, &arguments);
        assert_exit(&output, i32::from(arguments[0] == "--dry-run"));
        assert!(!folder.path().join("data").exists(), "{arguments:?}");
    }
    let output = replay(&folder, &["--dry-run", "--index", "BAD INDEX", "logs"]);
    assert!(said(&output).contains("no index can have this name; it becomes bad_index"), "{}", said(&output));
}

async fn links() {
    let folder = folder();
    let logs = logs(&folder);
    logs.put("a/app.log", b"a line\n");
    std::os::unix::fs::symlink("app.log", logs.folder.join("a/link.log")).expect("a link");
    fs::hard_link(logs.folder.join("a/app.log"), logs.folder.join("a/same.log")).expect("a link");
    run(Command::new("tar")
        .arg("-C")
        .arg(&logs.folder)
        .args(["-cf", "a.tar", "a"])
        .current_dir(folder.path()));
    let output = replay(&folder, &["--dry-run", "--since", "30d", "a.tar"]);
    assert_exit(&output, 0);
    let said = said(&output);
    for word in ["a symbolic link, passed over", "a hard link, passed over"] {
        assert!(said.contains(word), "no `{word}` in {said}");
    }
}

async fn container() {
    let folder = folder();
    let (logs, id) = (logs(&folder), "0123456789abcdef".repeat(4));
    let line = r#"{"log":"a line\n","stream":"stdout","time":"2026-11-01T10:00:00Z"}"#;
    let config = r#"{"Name":"/shop-1","Config":{"Labels":{"team":"a"}}}"#;
    let (first, rest) = (line.replace("a line\\n", "half and "), line.replace("a line", "half"));
    logs.put(&format!("a/{id}/{id}-json.log"), format!("{rest}\n").as_bytes());
    logs.put(&format!("a/{id}/{id}-json.log.1"), format!("{line}\n{first}\n").as_bytes());
    logs.put(&format!("a/{id}/config.v2.json"), config.as_bytes());
    logs.put(&format!("a/{id}/hostconfig.json"), br#"{"LogConfig":{"Config":{"labels":"team"}}}"#);
    // The newest comes first.
    let [log, old] = ["", ".1"].map(|number| format!("{id}-json.log{number}"));
    let members = [log, old, "config.v2.json".to_owned(), "hostconfig.json".to_owned()];
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&logs.folder).args(["-czf", "a.tar.gz"]).current_dir(folder.path());
    run(tar.args(members.map(|name| format!("a/{id}/{name}"))));
    let output = replay(&folder, &["--output", "stdout", "a.tar.gz"]);
    assert_exit(&output, 0);
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let documents: Vec<Value> = lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect();
    let told = documents.iter().map(|document| {
        ["message", "container_name", "team", "tag"].map(|name| document[name].as_str().unwrap_or_default())
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    let of = |message| [message, "shop-1", "a", "shop-1"];
    assert_eq!(told, [of("a line"), of("half and half")], "{documents:?}");
}

/// A record of so many objects, one in the other.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

/// As Fluentd's `out_forward` sends it, of which the ack is lost: the buffer's file lies there still.
async fn sent_chunk() {
    const ID: u128 = 0x5f1e_0a2b_3c4d_5e6f_7081_92a3_b4c5_d6e7;
    let target = Target::start().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let daemon = Forebay::start(Setup { port: free_port(), ..Setup::tables(tables) }).await;
    let entry = |n: u32| rmp_serde::to_vec(&(1_777_885_951, json!({ "n": n }))).expect("in memory");
    let payload = gzip(&(0..6).flat_map(entry).collect::<Vec<u8>>());
    let chunk = BASE64_STANDARD.encode(ID.to_be_bytes()) + "\n";
    let option = |name: &str, value: &str| (Packed::from(name), Packed::from(value));
    let options = Packed::Map(vec![option("compressed", "gzip"), option("chunk", &chunk)]);
    let sent = Packed::Array(vec!["app.web".into(), Packed::Binary(payload.clone()), options]);
    let mut frame = Vec::new();
    rmpv::encode::write_value(&mut frame, &sent).expect("in memory");
    daemon.client().await.send_acked(&frame, &chunk).await.expect("acked");
    daemon.until_drained().await;
    let folder = folder();
    let logs = logs(&folder);
    logs.put(&format!("fsb.app.web.b{ID:032x}.buf"), &payload);
    let url = target.url().to_string();
    assert_exit(&replay(&folder, &["--elasticsearch", &url, "--report", "report.json", "logs"]), 0);
    let report = report(&folder);
    assert_eq!((sum(&report, "indexed"), sum(&report, "before")), (0, 6), "{report:#}");
    assert_eq!(target.documents().len(), 6);
}
