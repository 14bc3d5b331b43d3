//! Receipts: resolved by a sync or a delivery, by nothing else.

use super::*;

#[tokio::test]
async fn a_receipt_is_resolved_when_its_batch_is_synced_whatever_the_target_does() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [1, 2], Some(&receipt));
    receipt.resolve();
    assert!(waiter.safe().await);
    let crashed = crash(dir.path());
    assert_eq!(drain(&open(options(), crashed.path())).await, [1, 2]);
    assert_eq!(buffer.stats().disk_events, 0, "it is sent from memory");
    assert_eq!(drain(&buffer).await, [1, 2]);
}

#[tokio::test]
async fn one_sync_serves_many_that_wait() {
    let dir = directory();
    let buffer = open(BufferOptions { segment_bytes: ByteSize::mib(1), ..options() }, dir.path());
    let waiters: Vec<_> = (0..500)
        .map(|n| {
            let (receipt, waiter) = Receipt::new();
            give(&buffer, [n], Some(&receipt));
            receipt.resolve();
            waiter
        })
        .collect();
    for waiter in waiters {
        assert!(waiter.safe().await);
    }
    let syncs = buffer.shared().metrics.syncs.get();
    assert!(syncs < 500, "{syncs} syncs");
}

#[tokio::test]
async fn a_disk_that_fails_resolves_nothing_and_everything_once_it_is_mended() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let aside = dir.path().join("aside");
    std::fs::rename(dir.path().join("segments"), &aside).expect("the disk goes away");
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [1], Some(&receipt));
    receipt.resolve();
    let mut waiter = std::pin::pin!(waiter.safe());
    until(&buffer, "a fault", |buffer| buffer.stats().disk_fault.is_some()).await;
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiter).await.is_err());
    std::fs::rename(&aside, dir.path().join("segments")).expect("the disk comes back");
    assert!(waiter.await);
    until(&buffer, "no fault", |buffer| buffer.stats().disk_fault.is_none()).await;
}

#[tokio::test]
async fn a_delivery_resolves_the_receipts_that_a_failing_disk_does_not() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    std::fs::remove_dir(dir.path().join("segments")).expect("the disk goes away");
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [1], Some(&receipt));
    receipt.resolve();
    assert_eq!(drain(&buffer).await, [1]);
    assert!(waiter.safe().await);
}

#[tokio::test]
async fn a_stop_that_cannot_spill_says_what_is_lost_and_fails_the_receipts() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    std::fs::remove_dir(dir.path().join("segments")).expect("the disk goes away");
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [1, 2, 3], Some(&receipt));
    receipt.resolve();
    let report = buffer.stop(Duration::from_millis(50)).await;
    assert_eq!((report.spilled_events, report.lost_events), (0, 3));
    assert!(report.fault.is_some());
    drop(buffer);
    assert!(!waiter.safe().await);
}

#[tokio::test]
async fn the_receipt_of_a_batch_without_documents_is_resolved_at_once() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    let (receipt, waiter) = Receipt::new();
    give(&buffer, [], Some(&receipt));
    receipt.resolve();
    assert!(waiter.safe().await);
}

#[tokio::test]
async fn what_many_wait_for_comes_out_in_the_order_in_which_it_came() {
    let dir = directory();
    let buffer = open(
        BufferOptions { batch_documents: 1_000, batch_bytes: ByteSize::kib(64), ..options() },
        dir.path(),
    );
    let aside = dir.path().join("aside");
    std::fs::rename(dir.path().join("segments"), &aside).expect("the disk goes away");
    let mut waiters = Vec::new();
    for n in 0..300 {
        let (receipt, waiter) = Receipt::new();
        give(&buffer, [n], Some(&receipt));
        receipt.resolve();
        waiters.push(waiter);
    }
    std::fs::rename(&aside, dir.path().join("segments")).expect("the disk comes back");
    for waiter in waiters {
        assert!(waiter.safe().await);
    }
    assert_eq!(drain(&buffer).await, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_group_that_no_disk_takes_is_delivered_all_the_same() {
    let dir = directory();
    let buffer = open(options(), dir.path());
    std::fs::remove_dir(dir.path().join("segments")).expect("the disk goes away");
    let (receipt, waiter) = Receipt::new();
    for n in 0..3 {
        give(&buffer, [n], Some(&receipt));
    }
    receipt.resolve();
    assert_eq!(drain(&buffer).await, [0, 1, 2]);
    assert!(waiter.safe().await);
}
