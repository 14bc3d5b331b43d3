//! What operators do by hand with a buffer and with dead letters, with the real program on a real daemon's files.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::load::{self, numbers, sources};
use crate::common::node::{Version, shared};
use crate::common::process::free_port;
use crate::common::sequence::assert_every_one_once;
use crate::common::target::Target;
use crate::common::{story, story_with};

/// Events in a buffer whose target is away.
const EVENTS: u64 = 500;

/// The buffer first, then the letters.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("commands::a_buffer_is_listed_verified_and_printed_as_it_lies", looked_at),
        story("commands::a_flipped_byte_is_named_with_its_segment_and_offset", flipped_byte),
        story("commands::a_buffer_moves_to_another_machine_and_every_document_arrives_once", moved),
        story("commands::a_drain_delivers_what_waits_and_says_so_where_it_cannot", drained),
        story_with(
            &[Version::Elasticsearch8.part()],
            "commands::dead_letters_are_sent_again_once_the_mapping_is_mended_and_never_twice",
            replayed,
        ),
    ]
}

/// A daemon that was killed with acked events on its disk, because its target is away.
async fn killed_with_a_backlog() -> Forebay {
    let nowhere = format!("[elasticsearch]\nhosts = [\"http://127.0.0.1:{}\"]\n", free_port());
    let mut daemon = Forebay::start(Setup::tables(nowhere)).await;
    load::send(daemon.forward, "kept", 0..EVENTS).await;
    daemon.kill().await;
    daemon
}

fn forebay(arguments: &[&str], data: &Path) -> Output {
    let folder = TempDir::new().expect("a temporary folder");
    let data = data.display().to_string();
    run_to_end(&[arguments, &["--data-dir", &data]].concat(), folder.path())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn printed(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON a line")).collect()
}

async fn looked_at() {
    let daemon = killed_with_a_backlog().await;
    let listed = forebay(&["buffer", "ls", "--json"], &daemon.data());
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let listed = printed(&listed).remove(0);
    assert!(listed.to_string().contains("\"kept\":500"), "{listed}");
    assert_eq!(forebay(&["buffer", "verify"], &daemon.data()).status.code(), Some(0));
    let documents = forebay(&["buffer", "cat"], &daemon.data());
    assert_every_one_once(0..EVENTS, numbers(&printed(&documents)));
    let others = forebay(&["buffer", "cat", "--tag", "others.**"], &daemon.data());
    assert!(others.stdout.is_empty(), "{}", text(&others.stdout));
}

async fn flipped_byte() {
    let daemon = killed_with_a_backlog().await;
    let segments = std::fs::read_dir(daemon.data().join("buffer/segments")).expect("segments");
    let mut paths: Vec<_> = segments.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    let path = paths.first().expect("a segment");
    let mut bytes = std::fs::read(path).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).expect("a file that can be written");
    let verified = forebay(&["buffer", "verify"], &daemon.data());
    let told = text(&verified.stdout) + &text(&verified.stderr);
    assert_eq!(verified.status.code(), Some(1), "{told}");
    let name = path.file_name().expect("a name").to_string_lossy();
    assert!(told.contains(&*name) && told.contains("bytes ") && told.contains("checksum"), "{told}");
}

async fn moved() {
    let daemon = killed_with_a_backlog().await;
    let folder = TempDir::new().expect("a temporary folder");
    let export = folder.path().join("node-1.seg");
    let path = export.display().to_string();
    let exported = forebay(&["buffer", "export", &path], &daemon.data());
    assert!(exported.status.success(), "{}", text(&exported.stderr));

    let target = Target::start().await;
    let tables = format!("[elasticsearch]\nhosts = [\"{}\"]\n", target.url());
    let mut other = Forebay::start(Setup::tables(tables)).await;
    let refused = forebay(&["buffer", "import", &path], &other.data());
    assert_ne!(refused.status.code(), Some(0), "a daemon works on it");
    assert!(other.stop().await.success());
    for _ in 0..2 {
        let imported = forebay(&["buffer", "import", &path], &other.data());
        assert!(imported.status.success(), "{}", text(&imported.stderr));
    }
    other.start_again().await;
    let metrics = other.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_recovered_total"), EVENTS as f64, "a second import adds nothing");
    let documents: Vec<_> = target.documents().into_values().map(|stored| stored.document).collect();
    assert_every_one_once(0..EVENTS, numbers(&documents));
}

async fn drained() {
    let daemon = killed_with_a_backlog().await;
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let data = daemon.data();
    let in_vain = forebay(&["buffer", "drain", "--elasticsearch", &nowhere, "--timeout", "1s"], &data);
    assert_eq!(in_vain.status.code(), Some(1), "{}", text(&in_vain.stderr));
    let target = Target::start().await;
    let url = target.url().to_string();
    let drain = move || forebay(&["buffer", "drain", "--elasticsearch", &url], &data);
    let output = tokio::task::spawn_blocking(drain).await.expect("no panic");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let documents: Vec<_> = target.documents().into_values().map(|stored| stored.document).collect();
    assert_every_one_once(0..EVENTS, numbers(&documents));
}

async fn replayed() {
    let node = shared(Version::Elasticsearch8).await;
    let properties = json!({ "@timestamp": { "type": "date" }, "n": { "type": "byte" } });
    let mapping = json!({ "mappings": { "dynamic": "strict", "properties": properties } });
    node.api.put("letters", mapping).await;
    let tables = format!("{}index = \"letters\"\nindex_fallback = \"letters\"\n", node.table());
    let daemon = Forebay::start(Setup::tables(tables)).await;
    load::send(daemon.forward, "letters", 0..60).await;
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 60.0, "neither message nor tag is mapped");
    let listed = forebay(&["dead-letters", "ls", "--json"], &daemon.data());
    assert!(text(&listed.stdout).contains("mapping"), "{} {}", text(&listed.stdout), text(&listed.stderr));
    let shown = forebay(&["dead-letters", "show", "--tag", "letters"], &daemon.data());
    assert!(shown.status.success() && !shown.stdout.is_empty(), "{}", text(&shown.stderr));

    let mended = json!({ "properties": { "message": { "type": "text" }, "tag": { "type": "keyword" }, "event": { "type": "object", "dynamic": true } } });
    node.api.put("letters/_mapping", mended).await;
    let (url, data) = (node.api.url.clone(), daemon.data());
    let replay = move || forebay(&["dead-letters", "replay", "--json", "--elasticsearch", &url], &data);
    for _ in 0..2 {
        let again = replay.clone();
        let output = tokio::task::spawn_blocking(again).await.expect("no panic");
        assert_eq!(output.status.code(), Some(0), "{} {}", text(&output.stdout), text(&output.stderr));
    }
    let held = node.api.documents("letters", 60).await;
    assert_every_one_once(0..60, numbers(sources(&held)));
}
