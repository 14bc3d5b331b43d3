//! Stories about readers of what lies on disk already: a rehearsal, and the end.

use std::sync::Mutex;

use super::*;

#[tokio::test]
async fn what_is_taken_at_once_is_safe_when_it_was_given_and_is_never_queued() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let taken: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let into = Arc::clone(&taken);
    buffer.take_at_once(move |batch| into.lock().expect("unpoisoned").push(batch.bytes.to_vec()));
    let (receipt, mut waiter) = Receipt::patient();
    give(&buffer, [1, 2], Some(&receipt));
    give(&buffer, [3], None);
    give(&buffer, [], None);
    receipt.resolve();
    assert!(waiter.is_safe_now());
    let stats = buffer.stats();
    assert_eq!((stats.events, stats.memory_bytes), (0, 0));
    let taken = taken.lock().expect("unpoisoned");
    assert_eq!(*taken, [&b"1\n2\n"[..], b"3\n"]);
}

#[tokio::test]
async fn when_no_more_is_to_come_what_is_open_does_not_wait_for_its_age() {
    let dir = directory();
    let buffer = open(BufferOptions { batch_age: Duration::from_secs(3_600), ..options() }, dir.path());
    give(&buffer, [1], None);
    let waiting = tokio::spawn({
        let buffer = buffer.clone();
        async move { pop(&buffer).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    buffer.hurry();
    let delivery = waiting.await.expect("popped");
    assert_eq!(documents(&delivery), [1]);
    delivery.delivered();
    give(&buffer, [2], None);
    assert_eq!(documents(&pop(&buffer).await), [2]);
}
