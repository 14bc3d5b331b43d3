//! A stop, with and without room for what has come.

use super::frames::{entry, forward, text};
use super::*;

#[tokio::test]
async fn a_stop_takes_what_has_come_and_lets_the_connection_go() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[])).await;
    rig.stop.cancel();
    peer.send(&forward(&[entry(2)], &[("chunk", text("c"))])).await;
    peer.expect(b"\x81\xa3ack\xa1c").await;
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::Stopping), "{ended}");
    assert_eq!(rig.numbers().await, [1, 2]);
}

/// Frames of which one fills a tiny buffer.
fn flood() -> Vec<u8> {
    let entries: Vec<_> = (0..500).map(entry).collect();
    forward(&entries, &[]).repeat(4)
}

#[tokio::test]
async fn what_was_read_is_written_at_the_end_though_there_is_no_room_and_nobody_takes_it() {
    let rig = Rig::with(tiny(), LimitOptions::default());
    let mut peer = rig.connect();
    peer.send(&flood()).await;
    rig.until("it is full", |rig| {
        let stats = rig.shared.buffer().stats();
        stats.memory_bytes >= stats.memory_limit
    })
    .await;
    rig.stop.cancel();
    rig.kill.cancel();
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::Stopping), "{ended}");
    let (events, received) = (rig.shared.buffer().stats().events, rig.metrics().events_received.get());
    assert!(events >= 500 && events % 500 == 0, "whole frames: {events}");
    assert_eq!(events, received);
}

#[tokio::test]
async fn the_books_balance_while_a_connection_waits_for_room() {
    let rig = Rig::with(tiny(), LimitOptions::default());
    let mut peer = rig.connect();
    peer.send(&flood()).await;
    rig.until("it waits", |rig| {
        let stats = rig.shared.buffer().stats();
        stats.memory_bytes >= stats.memory_limit && stats.events == rig.metrics().events_received.get()
    })
    .await;
    assert_eq!(rig.numbers().await.len() as u64, rig.metrics().events_received.get());
    drop(peer);
}

#[tokio::test]
async fn late_lines_do_not_hold_up_a_stop_when_there_is_no_room() {
    let rig = Rig::with(tiny(), LimitOptions::default());
    let mut peer = rig.connect();
    peer.send(&flood()).await;
    rig.until("it is full", |rig| rig.shared.buffer().stats().memory_bytes >= 8 << 10).await;
    let mut pass = crate::input::Pass::new(Arc::clone(&rig.shared), rig.kill.clone());
    rig.kill.cancel();
    timeout(LONG, pass.room()).await.expect("no wait without an end");
}

#[tokio::test]
async fn a_chunk_that_was_cut_off_by_the_end_is_not_acked() {
    let rig = Rig::with(BufferOptions { disk: ByteSize(1), ..options() }, LimitOptions::default());
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[("chunk", text("c"))])).await;
    rig.until("the disk is full", |rig| rig.shared.buffer().stats().disk_fault.is_some()).await;
    rig.kill.cancel();
    let ended = timeout(LONG, peer.served).await.expect("an end in time").expect("no panic");
    assert!(matches!(ended, Ended::Stopping), "{ended}");
    let report = rig.shared.buffer().stop(Duration::from_millis(50)).await;
    assert_eq!((report.lost_events, rig.metrics().acks_sent.get()), (1, 0));
    drop(rig);
    let mut nothing = Vec::new();
    timeout(LONG, peer.stream.read_to_end(&mut nothing)).await.expect("closed in time").expect("a pipe");
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn a_peer_without_acks_hears_of_the_stop_while_it_is_still_read() {
    let rig = Rig::new();
    let mut peer = rig.connect();
    peer.send(&forward(&[entry(1)], &[])).await;
    rig.until("the first is taken", |rig| rig.metrics().events_received.get() == 1).await;
    rig.stop.cancel();
    let goodbye = timeout(LONG, peer.stream.read(&mut [0; 1])).await.expect("in time").expect("open");
    assert_eq!(goodbye, 0);
    peer.send(&forward(&[entry(2)], &[])).await;
    assert!(matches!(peer.close().await, Ended::ByPeer));
    assert_eq!(rig.numbers().await, [1, 2]);
}
