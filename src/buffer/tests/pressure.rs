//! A target that takes nothing: memory stays within its share, the disk within its budget, and nothing is lost.

use super::*;

fn tight() -> BufferOptions {
    BufferOptions { memory: ByteSize(4_000), ..options() }
}

/// Gives batches of four documents as a reader would, until the buffer holds it back.
async fn fill(buffer: &Buffer, most: u32) -> u32 {
    for n in 0..most {
        if tokio::time::timeout(Duration::from_millis(300), buffer.ready()).await.is_err() {
            return n;
        }
        give_large(buffer, n);
    }
    most
}

/// One document of about 1,000 bytes, a batch of its own.
fn give_large(buffer: &Buffer, n: u32) {
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(format!("{n:01000}\n").as_bytes());
    batch.end_document(&Arc::from("tag"));
    buffer.give_open(batch);
}

#[tokio::test]
async fn what_memory_cannot_hold_goes_to_disk_and_comes_back_in_order() {
    let dir = directory();
    let buffer = open(tight(), dir.path());
    assert_eq!(fill(&buffer, 200).await, 200);
    until(&buffer, "memory below its share", |buffer| buffer.stats().memory_bytes <= 4_000).await;
    assert!(buffer.stats().disk_events >= 190, "{:?}", buffer.stats());
    assert!(segments(dir.path()).len() > 10, "segments roll");
    assert_eq!(drain(&buffer).await, (0..200).collect::<Vec<_>>());
    until(&buffer, "delivered segments deleted", |_| segments(dir.path()).is_empty()).await;
    until(&buffer, "memory free", |buffer| buffer.stats().memory_bytes == 0).await;
}

#[tokio::test]
async fn what_a_target_keeps_on_loan_does_not_keep_the_rest_from_the_disk() {
    let dir = directory();
    let buffer = open(tight(), dir.path());
    let mut loans = Vec::new();
    for n in 0..200 {
        tokio::time::timeout(LONG, buffer.ready()).await.expect("room");
        give_large(&buffer, n);
        loans.extend(tokio::time::timeout(Duration::from_millis(2), buffer.pop()).await.ok().flatten());
    }
    let lent: usize = loans.iter().map(|loan| loan.bytes().len()).sum();
    assert!((1_001..4_000).contains(&lent), "{lent} bytes are on loan");
    let mut delivered: Vec<u32> = loans.iter().flat_map(documents).collect();
    loans.into_iter().for_each(Delivery::delivered);
    delivered.extend(drain(&buffer).await);
    assert_eq!(delivered, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn batches_as_large_as_all_of_memory_leave_senders_room() {
    let dir = directory();
    let share = ByteSize::kib(64);
    let buffer = open(
        BufferOptions { memory: share, batch_bytes: share, batch_documents: 20_000, ..options() },
        dir.path(),
    );
    let mut loans = Vec::new();
    for n in 0..300 {
        tokio::time::timeout(LONG, buffer.ready()).await.expect("room");
        give_large(&buffer, n);
        loans.extend(tokio::time::timeout(Duration::from_millis(2), buffer.pop()).await.ok().flatten());
    }
    let largest = loans.iter().map(|loan| loan.bytes().len()).max();
    assert!(
        largest.is_some_and(|bytes| bytes <= share.as_usize() / 8 + 1_001),
        "a loan of {largest:?} bytes"
    );
    assert!(loans.len() >= 4, "{} loans", loans.len());
    let mut delivered: Vec<u32> = loans.iter().flat_map(documents).collect();
    loans.into_iter().for_each(Delivery::delivered);
    delivered.extend(drain(&buffer).await);
    assert_eq!(delivered, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_for_loans_to_come_back_hears_of_a_stop() {
    let dir = directory();
    let buffer = open(tight(), dir.path());
    (0..3).for_each(|n| give_large(&buffer, n));
    let loans = [pop(&buffer).await, pop(&buffer).await];
    let waiting = tokio::spawn({
        let buffer = buffer.clone();
        async move { buffer.pop().await.is_none() }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    assert_eq!(buffer.stop(LONG).await.lost_events, 0);
    assert!(tokio::time::timeout(LONG, waiting).await.expect("in time").expect("no panic"));
    drop(loans);
}

#[tokio::test]
async fn a_full_disk_holds_senders_back_and_lets_them_on_when_there_is_room() {
    let dir = directory();
    let buffer = open(BufferOptions { disk: ByteSize::kib(16), ..tight() }, dir.path());
    let taken = fill(&buffer, 1_000).await;
    assert!((15..40).contains(&taken), "{taken}");
    until(&buffer, "the disk is full", |buffer| buffer.stats().disk_fault.is_some()).await;
    let stats = buffer.stats();
    assert!(stats.disk_bytes <= stats.disk_limit, "{stats:?}");
    let waiting = tokio::spawn({
        let buffer = buffer.clone();
        async move { buffer.ready().await }
    });
    assert_eq!(drain(&buffer).await, (0..taken).collect::<Vec<_>>());
    tokio::time::timeout(LONG, waiting).await.expect("let on").expect("no panic");
    until(&buffer, "the fault is over", |buffer| buffer.stats().disk_fault.is_none()).await;
}

#[tokio::test]
async fn an_extent_of_any_number_of_batches_is_one_entry() {
    let dir = directory();
    let buffer = open(BufferOptions { segment_bytes: ByteSize::mib(8), ..tight() }, dir.path());
    assert_eq!(fill(&buffer, 500).await, 500);
    until(&buffer, "spilled", |buffer| buffer.stats().memory_bytes <= 4_000).await;
    assert!(buffer.shared().queue().entries() < 16, "{}", buffer.shared().queue().entries());
}

#[tokio::test]
async fn a_spilled_loan_that_is_dropped_goes_back_to_the_head() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    (0..6).for_each(|n| give(&buffer, 4 * n..4 * n + 4, None));
    buffer.stop(LONG).await;
    let again = open(options(), dir.path());
    let (first, second) = (pop(&again).await, pop(&again).await);
    assert_eq!((documents(&first), documents(&second)), (vec![0, 1, 2, 3], vec![4, 5, 6, 7]));
    drop(first);
    drop(second);
    assert_eq!(drain(&again).await, (0..24).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_loans_of_a_target_that_is_away_leave_senders_room() {
    let dir = directory();
    let options = BufferOptions { batch_bytes: ByteSize::kib(256), batch_documents: 20_000, ..options() };
    let buffer = open(options, dir.path());
    let mut lent = Vec::new();
    for n in 0..40 {
        tokio::time::timeout(LONG, buffer.ready()).await.expect("room in time");
        let (receipt, waiter) = Receipt::new();
        let mut batch = buffer.take_open();
        batch.bytes().extend_from_slice(format!("{n:065000}\n").as_bytes());
        batch.end_document(&Arc::from("tag"));
        batch.attach(&receipt);
        buffer.give_open(batch);
        receipt.resolve();
        assert!(waiter.safe().await);
        while n >= 7 && lent.len() < 4 {
            lent.push(pop(&buffer).await);
        }
    }
    assert_eq!(lent.len(), 4);
    drop(lent);
    assert_eq!(drain(&buffer).await, (0..40).collect::<Vec<_>>());
}
