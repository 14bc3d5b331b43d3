//! Closed segments: an index beside them saves a start from reading them, and changes nothing else.

use super::*;
use crate::metrics::reason;

/// Three closed segments, documents 0..48, and the numbers of records that each may have.
async fn closed() -> TempDir {
    let dir = directory();
    let buffer = open(BufferOptions { segment_bytes: ByteSize(200), ..options() }, dir.path());
    for n in 0..12 {
        let (receipt, waiter) = Receipt::new();
        give(&buffer, 4 * n..4 * n + 4, Some(&receipt));
        receipt.resolve();
        assert!(waiter.safe().await);
    }
    buffer.stop(LONG).await;
    assert!(segments(dir.path()).len() > 3);
    dir
}

fn indexes(dir: &Path) -> Vec<std::path::PathBuf> {
    segments(dir).iter().map(|segment| segment.with_extension("idx")).filter(|path| path.exists()).collect()
}

#[tokio::test]
async fn every_closed_segment_has_an_index_and_a_start_finds_the_same_with_it_and_without() {
    let dir = closed().await;
    assert_eq!(indexes(dir.path()).len(), segments(dir.path()).len());
    let without = crash(dir.path());
    for index in indexes(without.path()) {
        std::fs::remove_file(index).expect("an index");
    }
    for copy in [crash(dir.path()), without] {
        let buffer = open(options(), copy.path());
        assert_eq!(buffer.stats().disk_events, 48);
        assert_eq!(drain(&buffer).await, (0..48).collect::<Vec<_>>());
        until(&buffer, "all files deleted", |_| {
            std::fs::read_dir(copy.path().join("segments")).expect("a directory").count() == 0
        })
        .await;
    }
}

#[tokio::test]
async fn with_an_index_a_start_does_not_read_the_records() {
    let dir = closed().await;
    for segment in segments(dir.path()) {
        let length = std::fs::metadata(&segment).expect("a segment").len();
        let header = std::fs::read(&segment).expect("a segment")[..36].to_vec();
        std::fs::write(&segment, header).expect("the header alone");
        std::fs::File::options()
            .write(true)
            .open(&segment)
            .and_then(|file| file.set_len(length))
            .expect("zeros");
    }
    assert_eq!(open(options(), dir.path()).stats().disk_events, 48);
}

#[tokio::test]
async fn a_damaged_index_or_one_of_another_segment_is_passed_over() {
    let dir = closed().await;
    let paths = indexes(dir.path());
    let mut damaged = std::fs::read(&paths[0]).expect("an index");
    damaged[80] ^= 1;
    std::fs::write(&paths[0], damaged).expect("a damaged index");
    std::fs::copy(&paths[2], &paths[1]).expect("an index in the wrong place");
    let buffer = open(options(), dir.path());
    assert_eq!(drain(&buffer).await, (0..48).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_delivered_of_an_indexed_segment_is_not_delivered_again() {
    let dir = closed().await;
    let buffer = open(options(), dir.path());
    let first = pop(&buffer).await;
    let gone = documents(&first).len() as u32;
    first.delivered();
    buffer.stop(LONG).await;
    assert_eq!(drain(&open(options(), dir.path())).await, (gone..48).collect::<Vec<_>>());
}

#[tokio::test]
async fn damage_that_an_index_hides_is_found_by_reading_counted_once_and_holds_up_no_segment() {
    let dir = closed().await;
    let segment = &segments(dir.path())[0];
    let mut bytes = std::fs::read(segment).expect("a segment");
    bytes[36 + 50] ^= 1;
    std::fs::write(segment, bytes).expect("a wounded segment");
    let buffer = open(options(), dir.path());
    assert_eq!(drain(&buffer).await, (4..48).collect::<Vec<_>>());
    assert_eq!(reason(&buffer.shared().metrics.events_dropped, "corrupt").get(), 4);
    until(&buffer, "all segments deleted", |_| segments(dir.path()).is_empty()).await;
    assert_eq!(std::fs::read_dir(dir.path().join("quarantine")).expect("quarantine").count(), 1);
}

#[tokio::test]
async fn a_segment_that_is_gone_is_given_up_after_some_tries_and_the_rest_is_delivered() {
    let dir = closed().await;
    let buffer = open(options(), dir.path());
    std::fs::remove_file(&segments(dir.path())[0]).expect("a segment goes away");
    let mut rest = Vec::new();
    while rest.last() != Some(&47) {
        let delivery = pop(&buffer).await;
        rest.extend(documents(&delivery));
        delivery.delivered();
    }
    assert_eq!(buffer.stats().events, 0);
    let lost = reason(&buffer.shared().metrics.events_dropped, "unreadable").get();
    assert_eq!(rest, (lost as u32..48).collect::<Vec<_>>());
    assert!((1..=16).contains(&lost), "{lost}");
}
