//! Every form that a frame can have, cut anywhere.

use super::frames::{
    MODES, Mode, array, binary, entry, event_time, forward, frames, map, number, numbered, text,
};
use super::*;

#[tokio::test]
async fn every_mode_gives_the_same_documents() {
    for mode in MODES {
        let rig = Rig::new();
        let entries = [entry(1), entry(2), entry(3)];
        let ended = rig.take(&frames(mode, "app.web", &entries, &[])).await;
        assert!(matches!(ended, Ended::ByPeer), "{mode:?}: {ended}");
        for (document, n) in rig.documents().await.iter().zip(1_u64..) {
            let time = "2023-11-14T22:13:20.000000005Z";
            let body = serde_json::json!({"@timestamp": time, "n": n, "tag": "app.web"});
            assert_eq!(document.body, body, "{mode:?}");
        }
        assert_eq!(rig.metrics().events_received.get(), 3, "{mode:?}");
    }
}

#[tokio::test]
async fn options_may_be_missing_or_nil_or_empty_or_hold_what_nobody_knows() {
    let rig = Rig::new();
    let (tag, time) = (text("t"), event_time(1_700_000_000, 0));
    let unknown =
        map(&[("size", number(1)), ("later", array(&[map(&[]), vec![0xc0]])), ("chunk", vec![0xc0])]);
    let mut bytes = Vec::new();
    for option in [None, Some(vec![0xc0]), Some(map(&[])), Some(unknown)] {
        for head in [
            vec![tag.clone(), time.clone(), numbered(1)],
            vec![tag.clone(), array(&[entry(1)])],
            vec![tag.clone(), binary(&entry(1))],
        ] {
            bytes.extend(array(&[head, option.clone().into_iter().collect()].concat()));
        }
    }
    rig.take(&bytes).await;
    assert_eq!(rig.numbers().await, [1; 12]);
    assert_eq!(rig.metrics().acks_sent.get(), 0);
}

#[tokio::test]
async fn an_option_whose_key_has_members_is_passed_over_with_them() {
    let rig = Rig::new();
    let keyed = |key: Vec<u8>| [&[0x82][..], &key, &number(1), &text("chunk"), &text("c")].concat();
    let mut frames = Vec::new();
    for key in [array(&[text("chunk"), number(2)]), map(&[("chunk", text("d"))]), array(&[map(&[])])] {
        frames.extend(array(&[text("t"), array(&[entry(1)]), keyed(key)]));
    }
    let mut peer = rig.connect();
    peer.send(&frames).await;
    for _ in 0..3 {
        peer.expect(&map(&[("ack", text("c"))])).await;
    }
    peer.close().await;
    assert_eq!(rig.numbers().await, [1; 3]);
}

#[tokio::test]
async fn a_time_comes_in_many_forms_and_with_metadata_beside_it() {
    let extended = [&[0xc7, 8][..], &event_time(1_700_000_000, 250_000_000)[1..]].concat();
    let with_metadata = |time: &[u8]| array(&[time.to_vec(), map(&[("m", number(1))])]);
    let float = [&[0xcb][..], &1_700_000_000.25_f64.to_be_bytes()].concat();
    let whole = number(1_700_000_000);
    for (time, fraction) in [
        (event_time(1_700_000_000, 250_000_000), ".25"),
        (extended.clone(), ".25"),
        (float, ".25"),
        (whole.clone(), ".00"),
        (with_metadata(&extended), ".25"),
        (with_metadata(&whole), ".00"),
    ] {
        for frame in [
            array(&[text("t"), time.clone(), numbered(1)]),
            array(&[text("t"), array(&[array(&[time.clone(), numbered(1)])])]),
            array(&[text("t"), binary(&array(&[time.clone(), numbered(1)]))]),
        ] {
            let rig = Rig::new();
            rig.take(&frame).await;
            let documents = rig.documents().await;
            let at = documents[0].body["@timestamp"].as_str().expect("a text");
            assert!(at.starts_with(&format!("2023-11-14T22:13:20{fraction}")), "{time:x?}: {at}");
        }
    }
}

#[tokio::test]
async fn an_event_without_a_time_takes_the_time_at_which_it_came() {
    let rig = Rig::new();
    let frames: Vec<u8> = [vec![0xc0], number(0), event_time(0, 0)]
        .into_iter()
        .flat_map(|time| array(&[text("t"), time, numbered(1)]))
        .collect();
    let before = jiff::Timestamp::now();
    rig.take(&frames).await;
    for document in rig.documents().await {
        let at: jiff::Timestamp =
            document.body["@timestamp"].as_str().expect("a text").parse().expect("a time");
        assert!(before <= at && at <= jiff::Timestamp::now());
    }
}

#[tokio::test]
async fn heartbeats_and_peers_that_only_knock_leave_nothing() {
    let rig = Rig::new();
    assert!(matches!(rig.take(&[]).await, Ended::ByPeer));
    assert!(matches!(rig.take(&[0xc0, 0xc0]).await, Ended::ByPeer));
    rig.take(&[vec![0xc0], forward(&[entry(7)], &[]), vec![0xc0]].concat()).await;
    assert_eq!(rig.numbers().await, [7]);
    assert_eq!((rig.metrics().events_received.get(), rig.metrics().bytes_received.get() > 0), (1, true));
}

#[tokio::test]
async fn what_is_no_frame_costs_itself_and_what_is_no_msgpack_the_connection() {
    let rig = Rig::new();
    let wrong = [array(&[]), array(&[number(1), array(&[])]), array(&[text("t"), number(7)])].concat();
    let ended = rig.take(&[wrong, forward(&[entry(1)], &[])].concat()).await;
    assert!(matches!(ended, Ended::ByPeer), "{ended}");
    assert_eq!(rig.count(|metrics| &metrics.events_refused, "unexpected"), 3);
    let ended = rig.take(&[forward(&[entry(2)], &[]), vec![0xc1]].concat()).await;
    assert!(matches!(ended, Ended::Malformed(_)), "{ended}");
    assert_eq!(rig.numbers().await, [1, 2], "what came before it is taken");
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "malformed"), 1);
    assert_eq!(rig.metrics().events_received.get(), 5, "the books hold what was refused too");
}

#[tokio::test]
async fn another_protocol_is_told_by_its_first_byte_and_counts_as_no_event() {
    let rig = Rig::new();
    for other in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x02\x00", &map(&[])] {
        let ended = rig.take(other).await;
        assert!(matches!(ended, Ended::Malformed(_)), "{ended}");
    }
    assert_eq!(rig.metrics().events_received.get(), 0);
}

#[tokio::test]
async fn a_bomb_of_garbage_makes_a_hundred_letters_and_one_a_window_and_the_good_ones_in_it_are_taken() {
    let rig = Rig::new();
    let garbage = vec![0; 1 << 20];
    rig.take(&frames(Mode::Gzip, "t", &[garbage.clone(), entry(1), garbage], &[])).await;
    assert_eq!(rig.numbers().await, [1]);
    let letters = rig.letters();
    assert!((200..=250).contains(&letters.len()), "{}", letters.len());
    let events: u64 = letters.iter().map(|letter| letter["events"].as_u64().expect("a number")).sum();
    assert_eq!((events, rig.metrics().events_dead_letter.get()), (2 << 20, 2 << 20));
}
