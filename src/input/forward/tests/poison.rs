//! What can never be taken: it loses only itself, and its sender does not send it for ever.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::frames::{array, binary, entry, event_time, forward, map, number, numbered, text};
use super::*;
use crate::input::Retag;

fn ack(chunk: &str) -> Vec<u8> {
    [b"\x81\xa3ack".to_vec(), text(chunk)].concat()
}

fn original(letter: &Json) -> Vec<u8> {
    BASE64_STANDARD.decode(letter["original"].as_str().expect("a text")).expect("base64")
}

#[tokio::test]
async fn a_frame_that_is_none_is_a_dead_letter_with_its_bytes_and_is_acked_where_its_chunk_can_be_found() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    let chunk = || map(&[("chunk", text("c"))]);
    let compressed = map(&[("compressed", text("lzma")), ("chunk", text("c"))]);
    for (frame, tag) in [
        (array(&[number(7), array(&[entry(1)]), chunk()]), ""),
        (array(&[text("t"), vec![0xc0], vec![0xc0], chunk()]), "t"),
        (array(&[text("t"), event_time(1, 0), text("no map"), chunk()]), "t"),
        (array(&[text("t"), binary(b"xz"), compressed]), "t"),
        (array(&[text("t"), event_time(1, 0), numbered(1), chunk(), number(1)]), "t"),
    ] {
        let before = rig.letters().len();
        peer.send(&frame).await;
        if frame[0] == 0x95 {
            // Five elements: the last is taken for the options, and names no chunk.
            peer.send(&forward(&[entry(3)], &[("chunk", text("c"))])).await;
        }
        peer.expect(&ack("c")).await;
        let letters = rig.letters();
        let letter = letters.get(before).expect("a letter that is on the disk before the ack");
        assert_eq!((letters.len(), &letter["tag"]), (before + 1, &tag.into()), "{letter}");
        assert_eq!(letter["reason"], "unexpected", "{letter}");
        let bytes = original(letter);
        assert!(frame.windows(bytes.len()).any(|part| part == bytes), "{letter}");
    }
    assert!(matches!(peer.close().await, Ended::ByPeer));
    assert_eq!(rig.numbers().await, [3]);
}

#[tokio::test]
async fn one_bad_entry_among_good_ones_loses_only_itself() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    let bottomless = (0..300).fold(number(1), |inner, _| array(&[inner]));
    let deep = array(&[event_time(1, 0), map(&[("deep", bottomless)])]);
    let nil = array(&[event_time(1, 0), vec![0xc0]]);
    peer.send(&forward(&[entry(1), deep.clone(), entry(2), nil.clone(), entry(3)], &[("chunk", text("c"))]))
        .await;
    peer.expect(&ack("c")).await;
    peer.close().await;
    let letters = rig.letters();
    assert_eq!(letters.iter().map(original).collect::<Vec<_>>(), [deep, nil]);
    let ids: std::collections::HashSet<_> = letters.iter().map(|letter| letter["id"].to_string()).collect();
    assert!(ids.len() == 2 && !ids.contains("\"\""), "{ids:?}");
    assert_eq!((rig.metrics().events_received.get(), rig.metrics().events_dead_letter.get()), (5, 2));
    assert_eq!(rig.numbers().await, [1, 2, 3]);
}

#[tokio::test]
async fn metrics_and_traces_are_acked_and_counted_and_never_taken_for_logs() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    for signal in [1, 2] {
        let options = [("fluent_signal", number(signal)), ("chunk", text("c"))];
        peer.send(&array(&[text("metrics"), binary(b"\x01\x02"), map(&options)])).await;
        peer.expect(&ack("c")).await;
    }
    peer.send(&forward(&[entry(1)], &[("fluent_signal", number(0))])).await;
    peer.close().await;
    assert_eq!(rig.numbers().await, [1]);
    assert_eq!(rig.count(|metrics| &metrics.events_dropped, "signal"), 2);
    assert_eq!((rig.metrics().events_received.get(), rig.letters().len()), (3, 0));
}

#[tokio::test]
async fn no_ack_is_sent_for_what_was_refused_while_its_letter_cannot_be_written() {
    let rig = Rig::new();
    std::fs::remove_dir_all(rig.dead_letters.path()).expect("a folder");
    let mut peer = rig.connect();
    let nil = array(&[event_time(1, 0), vec![0xc0]]);
    peer.send(&forward(&[entry(1), nil], &[("chunk", text("c"))])).await;
    let errors = |rig: &Rig| crate::metrics::kind(&rig.metrics().errors, "dead_letters").get();
    rig.until("the disk takes no letter", |rig| errors(rig) > 0).await;
    assert_eq!((rig.metrics().acks_sent.get(), rig.metrics().events_dead_letter.get()), (0, 0));
    std::fs::create_dir(rig.dead_letters.path()).expect("a folder");
    peer.expect(&ack("c")).await;
    assert_eq!((rig.letters().len(), rig.metrics().events_dead_letter.get()), (1, 1));
    peer.close().await;
    assert_eq!(rig.numbers().await, [1]);
}

#[tokio::test]
async fn a_stop_without_time_left_does_not_wait_for_letters_that_cannot_be_written() {
    let rig = Rig::new();
    std::fs::remove_dir_all(rig.dead_letters.path()).expect("a folder");
    let mut peer = rig.connect();
    peer.send(&forward(&[vec![0xc0]], &[("chunk", text("c"))])).await;
    let errors = |rig: &Rig| crate::metrics::kind(&rig.metrics().errors, "dead_letters").get();
    rig.until("the disk takes no letter", |rig| errors(rig) > 0).await;
    rig.stop.cancel();
    rig.kill.cancel();
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::NotAcked | Ended::Stopping), "{ended}");
    assert_eq!(rig.count(|metrics| &metrics.events_dropped, "letter"), 1);
    assert_eq!((rig.metrics().acks_sent.get(), rig.metrics().events_received.get()), (0, 1));
}

#[tokio::test]
async fn a_listener_gives_tags_of_its_own_also_to_docker_lines_that_came_in_parts() {
    let rig = Rig::new();
    let retag = Retag { tag: String::new(), prefix: "edge".into() };
    let mut peer = rig.connect_as(Origin { retag, ..Origin::default() });
    peer.send(&forward(&[entry(1)], &[])).await;
    for (ordinal, last) in [("1", "false"), ("2", "true")] {
        let record = map(&[
            ("log", text(ordinal)),
            ("partial_message", text("true")),
            ("partial_id", text("4f3b")),
            ("partial_ordinal", text(ordinal)),
            ("partial_last", text(last)),
        ]);
        peer.send(&array(&[text("docker"), event_time(1_700_000_000, 5), record])).await;
    }
    peer.close().await;
    let tags: Vec<_> = rig.documents().await.iter().map(|document| document.body["tag"].clone()).collect();
    assert_eq!(tags, ["edge.app.web", "edge.docker"]);
}

#[tokio::test]
async fn a_tag_over_its_limit_is_cut_and_counted() {
    let rig = Rig::with(options(), LimitOptions { tag_bytes: ByteSize(16), ..LimitOptions::default() });
    rig.take(&array(&[text(&"t".repeat(17)), array(&[entry(1)])])).await;
    assert_eq!(rig.documents().await[0].body["tag"], "t".repeat(16));
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "tag_bytes"), 1);
}

#[tokio::test]
async fn json_is_spoken_where_the_first_byte_says_so_and_acked_in_json() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    peer.send(br#"["app.web",1700000000,{"n":1},{"chunk":"Y2h1bms=\n"}]"#).await;
    peer.expect(br#"{"ack":"Y2h1bms=\n"}"#).await;
    peer.send(
        b"\n [\"app.web\",[[1700000000,{\"n\":2}],[1700000000.5,{\"n\":3}],[1,null]],{\"chunk\":\"d\"}]\r\n",
    )
    .await;
    peer.expect(br#"{"ack":"d"}"#).await;
    peer.send(br#"["app.web",[[0,{"n":4}]]]["app.web",null,{"n":5}]"#).await;
    assert!(matches!(peer.close().await, Ended::ByPeer));
    assert_eq!(rig.letters().len(), 1);
    let documents = rig.documents().await;
    let numbers: Vec<_> = documents.iter().map(|document| document.body["n"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5].map(Some));
    assert_eq!(documents[2].body["@timestamp"], "2023-11-14T22:13:20.500000000Z");
}

#[tokio::test]
async fn broken_json_ends_the_connection_and_what_came_before_it_is_taken() {
    let rig = Rig::new();
    let ended = rig.take(br#"["t",1,{"n":1}] ["t",1,{"n":2]}"#).await;
    let Ended::Malformed(unreadable) = ended else { panic!("{ended}") };
    assert_eq!((unreadable.at, unreadable.bytes), (16, 15));
    assert_eq!(unreadable.hash, xxhash_rust::xxh3::xxh3_128(br#"["t",1,{"n":2]}"#));
    assert_eq!(rig.numbers().await, [1]);
}

#[tokio::test]
async fn json_over_its_limit_is_passed_over_and_acked() {
    let rig = Rig::with(options(), LimitOptions { frame_bytes: ByteSize::kib(1), ..LimitOptions::default() });
    let mut peer = rig.connect();
    let long = "]\\\"".repeat(100_000);
    peer.send(format!(r#"["big",1,{{"log":"{long}"}},{{"chunk":"c"}}]["t",1,{{"n":1}}]"#).as_bytes()).await;
    peer.expect(br#"{"ack":"c"}"#).await;
    assert!(matches!(peer.close().await, Ended::ByPeer));
    let letter = rig.letters().pop().expect("a letter");
    assert_eq!((&letter["tag"], &letter["type"]), (&"big".into(), &"frame_bytes".into()));
    assert_eq!(rig.numbers().await, [1]);
}
