//! Each limit: what it refuses, and where that is seen.

use super::frames::{Mode, array, binary, entry, event_time, forward, frames, map, number, numbered, text};
use super::*;
use crate::input::forward::{ForwardOptions, Listener};

fn limits() -> LimitOptions {
    LimitOptions::default()
}

#[tokio::test]
async fn a_frame_over_its_limit_is_passed_over_and_acked_and_those_around_it_are_taken() {
    let rig = Rig::with(options(), LimitOptions { frame_bytes: ByteSize::kib(1), ..limits() });
    let chunk = || [("chunk", text("c"))];
    let (big, many) = (binary(&[7; 100_000]), array(&vec![entry(0); 1_000]));
    for frame in [array(&[text("big"), big, map(&chunk())]), array(&[text("big"), many, map(&chunk())])] {
        let mut peer = rig.connect();
        peer.send(&[forward(&[entry(1)], &[]), frame.clone(), forward(&[entry(2)], &[])].concat()).await;
        peer.expect(&[b"\x81\xa3ack".to_vec(), text("c")].concat()).await;
        assert!(matches!(peer.close().await, Ended::ByPeer));
        assert_eq!(rig.numbers().await, [1, 2]);
        let letter = rig.letters().pop().expect("a letter");
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&frame));
        assert_eq!((&letter["tag"], &letter["type"]), (&"big".into(), &"frame_bytes".into()), "{letter}");
        assert_eq!((&letter["bytes"], &letter["hash"]), (&frame.len().into(), &hash.into()), "{letter}");
        assert_eq!(letter["original"], "", "{letter}");
    }
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "frame_bytes"), 2);
}

#[tokio::test]
async fn a_frame_over_what_is_passed_over_ends_the_connection_before_its_bytes_come() {
    let limits = LimitOptions { frame_bytes: ByteSize::kib(1), skip_bytes: ByteSize::kib(2), ..limits() };
    let rig = Rig::with(options(), limits);
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[])).await;
    peer.send(b"\x92\xa1t\xc6\x00\x01\x00\x00").await;
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::Malformed(_)), "{ended}");
    assert_eq!(rig.numbers().await, [1]);
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "skip_bytes"), 1);
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "skip_bytes"), 1);
}

#[tokio::test]
async fn a_record_or_a_body_over_its_limit_is_refused_and_what_follows_is_taken() {
    let record = |record: Vec<u8>| forward(&[array(&[event_time(1_700_000_000, 0), record])], &[]);
    let deep = (0..5).fold(number(1), |inner, _| array(&[inner]));
    let bottomless = (0..400).fold(number(1), |inner, _| array(&[inner]));
    let wide = map(&[("a", number(1)), ("b", array(&[number(1), number(2), number(3)]))]);
    let zeros = map(&[("zeros", text(&"0".repeat(2 << 20)))]);
    let bomb = frames(Mode::Gzip, "t", &[array(&[event_time(1_700_000_000, 0), zeros])], &[]);
    for (key, frame, limits) in [
        ("depth", record(map(&[("deep", deep)])), LimitOptions { depth: 5, ..limits() }),
        ("depth", record(map(&[("deep", bottomless)])), LimitOptions { depth: usize::MAX, ..limits() }),
        ("fields", record(wide), LimitOptions { fields: 4, ..limits() }),
        (
            "string_bytes",
            record(map(&[("nested", array(&[text(&"x".repeat(2_000))]))])),
            LimitOptions { string_bytes: ByteSize::kib(1), ..limits() },
        ),
        (
            "decompressed_bytes",
            bomb.clone(),
            LimitOptions { decompressed_bytes: ByteSize::mib(1), ..limits() },
        ),
        ("decompression_ratio", bomb, LimitOptions { decompression_ratio: 2, ..limits() }),
    ] {
        let rig = Rig::with(options(), limits);
        let mut peer = rig.connect();
        peer.send(&[frame, forward(&[entry(1)], &[])].concat()).await;
        assert!(matches!(peer.close().await, Ended::ByPeer), "{key}");
        assert_eq!(rig.numbers().await, [1], "{key}");
        assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, key), 1, "{key}");
        assert_eq!(rig.count(|metrics| &metrics.events_refused, "limit"), 1, "{key}");
        assert_eq!((&rig.letters()[0]["reason"], &rig.letters()[0]["type"]), (&"limit".into(), &key.into()));
        assert_eq!(rig.metrics().events_received.get(), 2, "{key}");
    }
}

#[tokio::test]
async fn a_silent_connection_is_closed_after_its_time_and_what_it_sent_is_taken() {
    let rig = Rig::with(options(), LimitOptions { idle_timeout: Duration::from_millis(20), ..limits() });
    let mut peer = rig.connect();
    peer.send(&[forward(&[entry(1)], &[]), vec![0x92, 0xa1]].concat()).await;
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::Idle(_)), "{ended}");
    assert_eq!(rig.numbers().await, [1]);
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "idle_timeout"), 1);
}

#[tokio::test]
async fn a_frame_that_trickles_in_is_given_up_after_its_time_and_those_before_it_are_taken() {
    let rig = Rig::with(options(), LimitOptions { frame_timeout: Duration::from_millis(50), ..limits() });
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[])).await;
    // Never silent for long: it is the frame that takes too long, not a pause in it.
    while !peer.served.is_finished() {
        peer.stream.write_all(b"\x93").await.ok();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ended = peer.served.await.expect("no panic");
    assert!(matches!(ended, Ended::FrameTooSlow(_)), "{ended}");
    assert_eq!(rig.numbers().await, [1]);
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "frame_timeout"), 1);
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "frame_timeout"), 1);
}

#[tokio::test]
async fn a_peer_that_takes_no_acks_is_not_read_further_and_closed_after_its_time() {
    let rig = Rig::with(options(), LimitOptions { ack_timeout: Duration::from_millis(200), ..limits() });
    let mut peer = rig.connect();
    let chunk = text(&"c".repeat(500));
    let frame = forward(&[entry(1)], &[("chunk", chunk)]).repeat(100);
    // More than all pipes on the way take, if what is acked is not read.
    let sending = async { while peer.stream.write_all(&frame).await.is_ok() {} };
    timeout(LONG, sending).await.expect("closed in time");
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::AcksNotTaken(_)), "{ended}");
    assert_eq!(rig.count(|metrics| &metrics.connections_closed, "ack_timeout"), 1);
    assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, "ack_timeout"), 1);
    let pipe = 256 << 10;
    let taken = rig.metrics().events_received.get() as usize;
    assert!(taken < 3 * pipe / 500, "{taken} chunks were taken although their acks were not");
}

#[tokio::test]
async fn a_connection_is_not_read_while_too_much_of_it_waits_for_its_ack() {
    let frame = |n| forward(&[entry(n)], &[("chunk", text(&n.to_string()))]);
    let in_flight_bytes = ByteSize(2 * frame(1).len() as u64);
    let nowhere = BufferOptions { disk: ByteSize(1), ..options() };
    let rig = Rig::with(nowhere, LimitOptions { in_flight_bytes, ..limits() });
    let mut peer = rig.connect();
    peer.send(&(1..=5).flat_map(frame).collect::<Vec<_>>()).await;
    let word = "in_flight_bytes";
    rig.until("it waits", |rig| rig.count(|metrics| &metrics.limits_exceeded, word) == 1).await;
    assert_eq!(rig.metrics().events_received.get(), 2);
    assert_eq!(rig.metrics().acks_sent.get(), 0);
    // Taken by the target, they are acked, and the next ones come.
    let mut numbers = Vec::new();
    while numbers.len() < 5 {
        numbers.extend(rig.numbers().await);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    for n in 1..=5_u64 {
        peer.expect(&[b"\x81\xa3ack".to_vec(), text(&n.to_string())].concat()).await;
    }
}

#[tokio::test]
async fn a_frame_larger_than_may_be_in_flight_goes_alone() {
    let rig = Rig::with(options(), LimitOptions { in_flight_bytes: ByteSize(1), ..limits() });
    let mut peer = rig.connect();
    for n in 1..=3 {
        peer.send(&forward(&[entry(n)], &[("chunk", text("c"))])).await;
    }
    for _ in 1..=3 {
        peer.expect(b"\x81\xa3ack\xa1c").await;
    }
    assert_eq!(rig.numbers().await, [1, 2, 3]);
}

#[tokio::test]
async fn connections_beyond_their_limits_are_refused_and_the_others_go_on() {
    for (key, limits) in [
        ("connections", LimitOptions { connections: 1, ..limits() }),
        ("connections_per_address", LimitOptions { connections_per_address: 1, ..limits() }),
    ] {
        let rig = Rig::new();
        let options = ForwardOptions { listen: "127.0.0.1:0".into(), limits, ..ForwardOptions::default() };
        let listener = Listener::bind(options).await.expect("a port");
        let address = listener.address();
        let serving =
            tokio::spawn(listener.serve(Arc::clone(&rig.shared), rig.stop.clone(), rig.kill.clone()));
        let mut first = tokio::net::TcpStream::connect(&address).await.expect("room for one");
        rig.until("the first is accepted", |rig| rig.metrics().connections.get() == 1).await;
        let mut second = tokio::net::TcpStream::connect(&address).await.expect("the kernel takes it");
        assert_eq!(second.read(&mut [0; 1]).await.ok().unwrap_or(0), 0, "closed at once");
        assert_eq!(rig.count(|metrics| &metrics.connections_closed, key), 1);
        assert_eq!(rig.count(|metrics| &metrics.limits_exceeded, key), 1);
        first.write_all(&forward(&[entry(1)], &[])).await.expect("open");
        rig.until("its event is there", |rig| rig.shared.buffer().stats().events == 1).await;
        rig.stop.cancel();
        timeout(LONG, serving).await.expect("an end in time").expect("no panic");
        assert_eq!(rig.metrics().connections.get(), 0);
    }
}

#[tokio::test]
async fn the_last_of_many_names_that_are_the_same_is_the_one_that_stays() {
    let rig = Rig::new();
    let names = ["n", ".n", "n.", "..n..", " .n"];
    let pairs: Vec<_> = (0..1_000_u64).map(|n| (names[n as usize % names.len()], number(n))).collect();
    let frame = array(&[text("t"), event_time(1_700_000_000, 0), map(&pairs)]);
    rig.take(&[frame, array(&[text("t"), vec![0xc0], numbered(5)])].concat()).await;
    assert_eq!(rig.numbers().await, [999, 5]);
}
