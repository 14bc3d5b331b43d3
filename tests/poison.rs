//! What no rule can read, sent to the real daemon: it loses only itself, is acked, and can be looked at afterwards.

use libtest_mimic::Trial;
use rmp::encode;
use serde_json::{Value, json};

use crate::common::daemon::{Forebay, Setup, run_to_end};
use crate::common::forward::{Client, Mode, frame};
use crate::common::load::{numbered, numbers, sources};
use crate::common::node::{Version, shared};
use crate::common::sequence::assert_every_one_once;
use crate::common::{story, story_with, until};

/// The poison first, then what is said of it.
pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story_with(
            &[Version::Elasticsearch8.part()],
            "poison::among_good_events_it_is_a_dead_letter_and_acked_and_the_good_ones_are_in_elasticsearch",
            among_good_ones,
        ),
        story(
            "poison::letters_of_a_chunk_that_is_sent_again_after_a_crash_have_the_ids_that_they_had",
            sent_again,
        ),
        story("poison::bytes_that_are_no_frame_are_told_by_offset_and_hash_and_never_shown", unreadable),
        story("poison::json_is_spoken_and_acked_beside_msgpack", json_beside_msgpack),
        story("poison::a_listener_gives_tags_and_reads_milliseconds_as_it_is_told", told_by_the_listener),
    ]
}

/// A Forward frame whose `bad` entries stand between good ones.
pub(crate) fn mixed(numbers: std::ops::Range<u64>, chunk: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let count = numbers.end - numbers.start;
    encode::write_array_len(&mut out, 3).expect("memory");
    encode::write_str(&mut out, "poison").expect("memory");
    encode::write_array_len(&mut out, 2 * count as u32).expect("memory");
    for number in numbers {
        let entry = (number, json!({ "n": number }));
        out.extend(rmp_serde::to_vec(&entry).expect("memory"));
        // In turn: no record, no time, no pair, no array.
        let bad = [json!([number, null]), json!(["no time", {"n": 1}]), json!([number]), json!(number)];
        out.extend(rmp_serde::to_vec(&bad[(number % 4) as usize]).expect("memory"));
    }
    out.extend(rmp_serde::to_vec(&json!({ "chunk": chunk })).expect("memory"));
    out
}

async fn among_good_ones() {
    let node = shared(Version::Elasticsearch8).await;
    let mut daemon = Forebay::start(Setup::tables(node.table())).await;
    let mut client = daemon.client().await;
    for round in 0..20 {
        let chunk = format!("mixed {round}");
        client.send_acked(&mixed(round * 10..(round + 1) * 10, &chunk), &chunk).await.expect("an ack");
    }
    let held = node.api.documents("logs-poison-default", 200).await;
    assert_every_one_once(0..200, numbers(sources(&held)));
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_events_received_total"), 400.0);
    assert_eq!(metrics.sum("forebay_events_refused_total"), 200.0);
    assert_eq!(metrics.sum("forebay_events_dead_letter_total"), 200.0);
    assert_eq!(metrics.sum("forebay_events_dropped_total"), 0.0);
    assert_eq!(daemon.stop().await.code(), Some(0));

    let data = daemon.data().display().to_string();
    let listed = run_to_end(&["dead-letters", "ls", "--json", "--data-dir", &data], &daemon.data());
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert!(listed.to_string().contains("unexpected"), "{listed}");
    let letters = daemon.dead_letters();
    assert_eq!(letters.len(), 200);
    assert!(
        letters.iter().all(|letter| letter["tag"] == "poison" && letter["original"] != ""),
        "{letters:?}"
    );
    let log = Value::Array(daemon.log()).to_string();
    assert!(log.contains("events were refused and are kept as dead letters"), "{log}");
    assert!(!log.contains("no time"), "a payload is in the log: {log}");
}

async fn sent_again() {
    let mut daemon =
        Forebay::start(Setup { port: crate::common::process::free_port(), ..Setup::default() }).await;
    let bytes = mixed(0..10, "again");
    daemon.client().await.send_acked(&bytes, "again").await.expect("an ack");
    let first = daemon.dead_letters();
    assert_eq!(first.len(), 10, "the letters are on the disk before the ack");
    daemon.kill().await;
    daemon.start_again().await;
    daemon.client().await.send_acked(&bytes, "again").await.expect("an ack");
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    let ids = |letters: &[Value]| letters.iter().map(|letter| letter["id"].clone()).collect::<Vec<_>>();
    let letters = daemon.dead_letters();
    assert_eq!(ids(&letters[10..]), ids(&first), "they are known again by their ids");
}

async fn unreadable() {
    let mut daemon = Forebay::start(Setup::default()).await;
    let good = frame(Mode::Forward, "before", &[numbered(1)], None);
    let mut client = daemon.client().await;
    client.send(&[&good[..], b"\xc1 swordfish"].concat()).await.expect("the daemon reads");
    assert_eq!(client.ack().await.expect("a clean end"), None, "it is closed");
    let said = until("the end of the connection to be told", async || {
        let log = daemon.log();
        let told = log.iter().find(|line| line["fields"]["frame_at"] == good.len());
        told.cloned().ok_or(log)
    })
    .await;
    let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(b"\xc1 swordfish"));
    assert_eq!((&said["level"], &said["fields"]["hash"]), (&"WARN".into(), &hash.into()), "{said}");
    assert_eq!(said["fields"]["bytes"], 11, "{said}");
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_connections_closed_total{reason=\"malformed\"}"), 1.0);
    assert_eq!(daemon.stop().await.code(), Some(0));
    assert_eq!(numbers(&daemon.written()), [1]);
    assert!(!Value::Array(daemon.log()).to_string().contains("swordfish"), "a payload is in the log");
}

async fn json_beside_msgpack() {
    let mut daemon = Forebay::start(Setup::default()).await;
    let (mut json, mut msgpack) = (daemon.client().await, daemon.client().await);
    for number in 0..100 {
        let chunk = format!("c{number}");
        let record = json!({"n": number, "text": "}]\\\"é"});
        let text = json!(["app.json", 1_736_937_000, record, {"chunk": chunk}]).to_string();
        let (head, tail) = text.as_bytes().split_at(number as usize % text.len());
        json.send(head).await.expect("the daemon reads");
        let one = frame(Mode::Message, "app.msgpack", &[numbered(1_000 + number)], Some(&chunk));
        msgpack.send_acked(&one, &chunk).await.expect("an ack");
        json.send(tail).await.expect("the daemon reads");
        assert_eq!(json.json_ack().await.expect("an ack"), Some(chunk));
    }
    daemon.until_drained().await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    let documents = daemon.written();
    assert_every_one_once((0..100).chain(1_000..1_100), numbers(&documents));
    let of_json = documents.iter().filter(|document| document["tag"] == "app.json");
    assert!(of_json.clone().count() == 100 && of_json.into_iter().all(|one| one["text"] == "}]\\\"é"));
}

async fn told_by_the_listener() {
    let port = crate::common::process::free_port();
    let tables = format!(
        "[[forward]]\nlisten = \"127.0.0.1:{port}\"\n\n\
         [[forward]]\nlisten = \"127.0.0.1:0\"\ntag = \"all\"\nadd_tag_prefix = \"edge\"\ntime_milliseconds = true\n"
    );
    let mut daemon = Forebay::start(Setup::tables(tables)).await;
    let second = daemon.addresses("forward")[1];
    let event = json!(["web", 1_736_937_000_123_u64, {"n": 1}, {"chunk": "c"}]);
    let bytes = rmp_serde::to_vec(&event).expect("memory");
    for address in [daemon.forward, second] {
        let mut client = Client::connect(address).await.expect("a listener");
        client.send_acked(&bytes, "c").await.expect("an ack");
    }
    let metrics = daemon.until_drained().await;
    assert_eq!(metrics.sum("forebay_values_mended_total{kind=\"time\"}"), 1.0);
    assert_eq!(daemon.stop().await.code(), Some(0));
    let documents = daemon.written();
    let told: Vec<_> = documents.iter().map(|one| (&one["tag"], &one["forebay.time"])).collect();
    assert_eq!(told, [(&json!("web"), &json!(1_736_937_000_123_u64)), (&json!("edge.all"), &Value::Null)]);
    assert_eq!(documents[1]["@timestamp"], "2025-01-15T10:30:00.123000000Z");
}
