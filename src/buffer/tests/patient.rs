//! Who can read again what it has read: nothing goes to disk for its sake, and nothing is told to be safe that is not.

use super::*;

#[tokio::test]
async fn a_patient_receipt_is_resolved_by_the_delivery_and_nothing_is_written_for_it() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let (receipt, waiter) = Receipt::patient();
    give(&buffer, [1, 2, 3, 4], Some(&receipt));
    receipt.resolve();
    let delivery = pop(&buffer).await;
    assert_eq!(documents(&delivery), [1, 2, 3, 4]);
    let mut waiter = std::pin::pin!(waiter.safe());
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiter).await.is_err(), "not safe yet");
    delivery.delivered();
    assert!(waiter.await);
    assert_eq!(segments(dir.path()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_patient_receipt_is_resolved_too_when_its_documents_are_written_for_their_age() {
    let dir = directory();
    let buffer = open(BufferOptions { max_age: Duration::from_millis(1), ..options() }, dir.path());
    let (receipt, waiter) = Receipt::patient();
    give(&buffer, [1], Some(&receipt));
    receipt.resolve();
    assert!(waiter.safe().await);
    let crashed = crash(dir.path());
    assert_eq!(drain(&open(options(), crashed.path())).await, [1]);
}

#[tokio::test]
async fn without_spilling_a_full_buffer_makes_readers_wait_and_a_stop_leaves_what_was_not_delivered_unsafe() {
    let dir = directory();
    let limits =
        BufferOptions { memory: ByteSize(64), max_age: Duration::from_millis(1), spill: false, ..options() };
    let buffer = open(limits, dir.path());
    let (receipt, waiter) = Receipt::patient();
    for n in 0..16 {
        give(&buffer, [n * 4 + 1_000, n * 4 + 1_001, n * 4 + 1_002, n * 4 + 1_003], Some(&receipt));
    }
    receipt.resolve();
    assert!(
        tokio::time::timeout(Duration::from_millis(300), buffer.ready()).await.is_err(),
        "it has no room"
    );
    let report = buffer.stop(LONG).await;
    assert_eq!((report.lost_events, report.spilled_events), (64, 0));
    drop(buffer);
    assert!(!waiter.safe().await);
    assert_eq!(segments(dir.path()), Vec::<std::path::PathBuf>::new());
}
