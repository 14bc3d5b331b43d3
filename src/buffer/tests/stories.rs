//! A healthy target: the disk stays idle, loans come back or do not, and a stop leaves nothing behind in memory.

use super::*;

#[tokio::test]
async fn a_batch_that_is_dropped_in_a_panic_keeps_the_documents_of_others() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    give(&buffer, 0..2, None);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut batch = buffer.take_open();
        batch.bytes().extend_from_slice(b"half a docu");
        std::panic::resume_unwind(Box::new("a fault in one connection"));
    }));
    assert!(panicked.is_err());
    assert_eq!(buffer.stats().events, 2);
    assert_eq!(drain(&buffer).await, [0, 1]);
}

#[tokio::test]
async fn documents_come_out_in_the_order_in_which_they_went_in_and_the_disk_stays_idle() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    for n in 0..10 {
        give(&buffer, 4 * n..4 * n + 4, None);
    }
    assert_eq!(buffer.stats().events, 40);
    assert_eq!(drain(&buffer).await, (0..40).collect::<Vec<_>>());
    assert_eq!(buffer.stats().memory_bytes, 0);
    assert!(segments(dir.path()).is_empty());
}

#[tokio::test]
async fn a_batch_that_is_not_full_leaves_when_it_is_old_enough() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let waiting = tokio::spawn({
        let buffer = buffer.clone();
        async move { documents(&pop(&buffer).await) }
    });
    tokio::task::yield_now().await;
    give(&buffer, [7], None);
    assert_eq!(waiting.await.expect("a loan"), [7]);
}

#[tokio::test]
async fn small_batches_are_lent_together_up_to_the_size_of_a_bulk_request() {
    let dir = directory();
    let options = BufferOptions { batch_documents: 3, ..options() };
    let buffer = open(options, dir.path());
    for n in 0..5 {
        let (receipt, waiter) = Receipt::new();
        give(&buffer, [n], Some(&receipt));
        receipt.resolve();
        assert!(waiter.safe().await, "it is a batch of its own");
    }
    assert_eq!(documents(&pop(&buffer).await), [0, 1, 2]);
}

#[tokio::test]
async fn a_single_batch_is_lent_without_a_copy_and_its_allocation_is_used_again() {
    let dir = directory();
    let buffer =
        open(BufferOptions { batch_bytes: ByteSize::kib(128), batch_documents: 1, ..options() }, dir.path());
    let mut batch = buffer.take_open();
    batch.bytes().resize(128 << 10, b'x');
    let written = batch.bytes().as_ptr();
    batch.end_document(&Arc::from("tag"));
    buffer.give_open(batch);
    let delivery = pop(&buffer).await;
    assert_eq!(delivery.bytes().as_ptr(), written);
    delivery.delivered();
    assert_eq!(buffer.take_open().bytes().as_ptr(), written);
}

#[tokio::test]
async fn a_loan_that_is_dropped_goes_back_to_the_head() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    give(&buffer, 0..4, None);
    give(&buffer, 4..8, None);
    let (first, second) = (pop(&buffer).await, pop(&buffer).await);
    drop(second);
    drop(first);
    assert_eq!(drain(&buffer).await, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_document_that_was_begun_and_not_ended_is_cut_off() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(b"1\n");
    batch.end_document(&Arc::from("tag"));
    batch.bytes().extend_from_slice(b"half of");
    buffer.give_open(batch);
    give(&buffer, [2], None);
    assert_eq!(drain(&buffer).await, [1, 2]);
}

#[tokio::test]
async fn a_stop_spills_what_is_open_queued_and_lent_and_a_start_brings_it_back_in_order() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    give(&buffer, 0..4, None);
    give(&buffer, 4..8, None);
    give(&buffer, 8..10, None);
    let lent = pop(&buffer).await;
    let report = buffer.stop(LONG).await;
    assert_eq!(report, super::super::StopReport { spilled_events: 10, lost_events: 0, fault: None });
    assert!(buffer.pop().await.is_none());
    drop(lent);
    assert_eq!(buffer.stop(LONG).await, report);
    let again = open(options(), dir.path());
    assert_eq!(again.stats().disk_events, 10);
    assert_eq!(drain(&again).await, (0..10).collect::<Vec<_>>());
    until(&again, "segments deleted", |_| segments(dir.path()).is_empty()).await;
}

#[tokio::test]
async fn a_stop_with_nothing_left_leaves_no_segment() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let (receipt, waiter) = Receipt::new();
    give(&buffer, 0..4, Some(&receipt));
    receipt.resolve();
    assert!(waiter.safe().await);
    assert_eq!(drain(&buffer).await, [0, 1, 2, 3]);
    assert_eq!(buffer.stop(LONG).await.spilled_events, 0);
    assert!(segments(dir.path()).is_empty());
}

#[tokio::test]
async fn a_second_daemon_is_refused_until_the_first_has_stopped() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let Err(fault) = Buffer::open(options(), dir.path(), metrics()) else {
        panic!("two daemons on a directory")
    };
    assert!(fault.is_retryable() && fault.to_string().contains("locked"), "{fault}");
    std::fs::remove_file(dir.path().join("lock")).expect("somebody cleans up");
    assert!(Buffer::open(options(), dir.path(), metrics()).is_err(), "the directory is locked, too");
    buffer.stop(LONG).await;
    open(options(), dir.path());
}

#[tokio::test]
async fn a_batch_that_the_target_does_not_take_is_on_disk_after_max_age_and_is_sent_from_memory() {
    let dir = directory();
    let buffer = open(BufferOptions { max_age: Duration::from_millis(40), ..options() }, dir.path());
    give(&buffer, 0..4, None);
    let lent = pop(&buffer).await;
    let spilled = |_: &Buffer| crate::metrics::reason(&buffer.shared().metrics.spills, "age").get() == 1;
    until(&buffer, "spilled by age", spilled).await;
    until(&buffer, "written", |buffer| buffer.stats().disk_bytes > 0).await;
    assert_eq!(buffer.stats().disk_events, 0);
    let crashed = crash(dir.path());
    assert_eq!(drain(&open(options(), crashed.path())).await, [0, 1, 2, 3]);
    lent.delivered();
    assert_eq!(buffer.stats().events, 0);
}
