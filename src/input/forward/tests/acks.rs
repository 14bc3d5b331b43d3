//! Acks: true, byte for byte, and always there in the end.

use super::frames::{MODES, array, binary, entry, event_time, forward, frames, map, number, numbered, text};
use super::*;

fn ack(chunk: &[u8]) -> Vec<u8> {
    [b"\x81\xa3ack", chunk].concat()
}

#[tokio::test]
async fn an_ack_is_the_chunk_byte_for_byte() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    for chunk in [
        text("cGlrYWNodQ=="),
        binary(b"\xff\x00pika"),
        b"\xd9\x02ab".to_vec(),
        b"\xda\x00\x02ab".to_vec(),
        b"\xc6\x00\x00\x00\x01x".to_vec(),
        text(""),
    ] {
        peer.send(&forward(&[entry(1)], &[("chunk", chunk.clone())])).await;
        peer.expect(&ack(&chunk)).await;
    }
    peer.close().await;
    assert_eq!(rig.metrics().acks_sent.get(), 6);
    assert_eq!(rig.numbers().await, [1; 6]);
}

#[tokio::test]
async fn every_mode_is_acked_and_what_was_acked_is_there_after_a_crash() {
    for mode in MODES {
        let rig = Rig::new();
        let mut peer = rig.connect();
        peer.send(&frames(mode, "t", &[entry(1)], &[("chunk", text("c"))])).await;
        peer.expect(&ack(&text("c"))).await;
        let crashed = tempfile::tempdir().expect("a directory");
        copy(rig.directory.path(), crashed.path());
        let metrics = Metrics::new(&mut Registry::default());
        let (found, _) = Buffer::open(options(), crashed.path(), metrics).expect("a buffer");
        assert_eq!(found.stats().events, 1, "{mode:?}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file");
        }
    }
}

#[tokio::test]
async fn no_ack_is_sent_while_the_disk_takes_nothing_and_one_as_soon_as_the_target_has_it() {
    let rig = Rig::with(BufferOptions { disk: ByteSize(1), ..options() }, LimitOptions::default());
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[("chunk", text("c"))])).await;
    rig.until("the disk is full", |rig| rig.shared.buffer().stats().disk_fault.is_some()).await;
    assert_eq!(rig.metrics().acks_sent.get(), 0);
    assert_eq!(rig.numbers().await, [1]);
    peer.expect(&ack(&text("c"))).await;
}

#[tokio::test]
async fn more_chunks_in_one_read_than_may_wait_are_all_acked() {
    let rig = Rig::new();
    let chunk = |n: u64| text(&format!("{n:04}"));
    let message = |n: u64| forward(&[entry(n)], &[("chunk", chunk(n))]);
    let mut peer = rig.connect();
    // Grows the reads to what a busy connection takes at a time.
    peer.send(&forward(&vec![entry(0); 200_000], &[])).await;
    peer.send(&(0..5_000).flat_map(message).collect::<Vec<_>>()).await;
    peer.expect(&(0..5_000).flat_map(|n| ack(&chunk(n))).collect::<Vec<_>>()).await;
    peer.close().await;
}

#[tokio::test]
async fn refused_entries_are_dead_letters_and_the_chunk_is_acked_for_the_others() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    let no_record = array(&[event_time(1_700_000_000, 0), text("no map")]);
    let no_time = array(&[text("no time"), numbered(8)]);
    let entries = [entry(1), no_record, entry(2), number(5), no_time, array(&[]), entry(3)];
    for mode in [MODES[1], MODES[3], MODES[5], MODES[7]] {
        peer.send(&frames(mode, "t", &entries, &[("chunk", text("c"))])).await;
        peer.expect(&ack(&text("c"))).await;
    }
    // Nothing of these is good, and sent again they would be no better.
    peer.send(&forward(&[number(5)], &[("chunk", text("d"))])).await;
    peer.expect(&ack(&text("d"))).await;
    peer.send(&forward(&[], &[("chunk", text("e"))])).await;
    peer.expect(&ack(&text("e"))).await;
    peer.close().await;
    assert_eq!(rig.count(|metrics| &metrics.events_refused, "unexpected"), 4 * 4 + 1);
    assert_eq!((rig.metrics().events_dead_letter.get(), rig.letters().len()), (4 * 4 + 1, 4 * 4 + 1));
    assert_eq!(rig.metrics().events_received.get(), 4 * 7 + 1);
    assert_eq!(rig.numbers().await, [1, 2, 3].repeat(4));
}

#[tokio::test]
async fn a_chunk_that_is_sent_again_has_the_same_ids_whatever_its_events_say_of_their_time() {
    let timeless = |n| array(&[vec![0xc0], numbered(n)]);
    for mode in MODES {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let rig = Rig::new();
            rig.take(&frames(mode, "t", &[entry(1), timeless(2), entry(2)], &[("chunk", text("c"))])).await;
            ids.push(rig.documents().await.into_iter().map(|document| document.id).collect::<Vec<_>>());
            // why: the clock that ids are made of has to have moved on.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(ids[0], ids[1], "{mode:?}");
        assert_eq!(ids[0].len(), 3);
    }
}

#[tokio::test]
async fn an_entry_that_was_refused_keeps_its_place_among_the_ids() {
    let mut last = Vec::new();
    for fields in [1, 2_000] {
        let rig = Rig::with(options(), LimitOptions { fields, ..LimitOptions::default() });
        let wide = array(&[event_time(1_700_000_000, 0), map(&[("n", number(1)), ("m", number(1))])]);
        rig.take(&forward(&[wide, entry(2)], &[("chunk", text("c"))])).await;
        last.push(rig.documents().await.pop().expect("a document"));
    }
    assert_eq!(last[0], last[1], "or a 409 would speak of another event");
}

fn part(ordinal: u32, last: bool, log: &str) -> Vec<u8> {
    let record = map(&[
        ("container_name", text("/c")),
        ("log", text(log)),
        ("partial_message", text("true")),
        ("partial_id", text("4f3b")),
        ("partial_ordinal", text(&ordinal.to_string())),
        ("partial_last", text(if last { "true" } else { "false" })),
    ]);
    let chunk = map(&[("chunk", text(&format!("part {ordinal}")))]);
    array(&[text("docker.c"), event_time(1_700_000_000, 5), record, chunk])
}

#[tokio::test]
async fn docker_waits_for_the_ack_of_each_part_of_a_line_and_reconnects_in_between() {
    let rig = Rig::new();
    let texts = ["a".repeat(16 << 10), "b".repeat(16 << 10), "c".repeat(8 << 10)];
    for (text_, ordinal) in texts.iter().zip(1..) {
        let mut peer = rig.connect();
        peer.send(&part(ordinal, ordinal == 3, text_)).await;
        peer.expect(&ack(&text(&format!("part {ordinal}")))).await;
        peer.close().await;
    }
    let documents = rig.documents().await;
    let lines: Vec<_> = documents.iter().map(|document| document.body["message"].as_str()).collect();
    assert_eq!(lines, [Some(texts.concat().as_str())]);
    assert_eq!(documents[0].body.get("partial_id"), None);
    assert_eq!(rig.metrics().events_received.get(), 1);
}
