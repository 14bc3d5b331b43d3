//! Damage that hides where the next record begins: all records outside of it are delivered, and nothing that only looks like
//! one.

use std::path::PathBuf;

use super::damage::{bounds, recovered};
use super::*;
use crate::buffer::disk::record::MARKER;
use crate::metrics::reason;

/// A directory with one segment of so many records, four documents each, and that segment.
async fn spilled(records: u32) -> (TempDir, PathBuf, Vec<u8>) {
    let dir = directory();
    let buffer = open(BufferOptions { segment_bytes: ByteSize::mib(1), ..options() }, dir.path());
    (0..records).for_each(|n| give(&buffer, 4 * n..4 * n + 4, None));
    buffer.stop(LONG).await;
    let [segment] = segments(dir.path()).try_into().expect("one segment");
    let bytes = std::fs::read(&segment).expect("its bytes");
    (dir, segment, bytes)
}

/// The documents of all records but these.
fn without(records: u32, lost: std::ops::Range<u32>) -> Vec<u32> {
    (0..4 * records).filter(|document| !lost.contains(&(document / 4))).collect()
}

#[tokio::test]
async fn a_page_of_zeros_costs_the_records_that_it_touches_wherever_it_lies() {
    let (_dir, segment, whole) = spilled(300).await;
    let bounds = bounds(&whole);
    for from in (4_096..whole.len() - 4_096).step_by(3_001) {
        let mut bytes = whole.clone();
        bytes[from..from + 4_096].fill(0);
        let (documents, metrics, _) = recovered(&bytes, &segment).await;
        let first = bounds.iter().filter(|start| **start <= from).count() as u32 - 1;
        let behind = bounds.iter().filter(|start| **start < from + 4_096).count() as u32;
        assert_eq!(documents, without(300, first..behind), "zeros from {from}");
        assert!(reason(&metrics.recovery_skipped, "checksum").get() >= 1);
    }
}

#[tokio::test]
async fn the_first_page_of_a_closed_segment_costs_the_records_in_it() {
    let (dir, segment, mut bytes) = spilled(300).await;
    let behind = bounds(&bytes).iter().filter(|start| **start < 4_096).count() as u32;
    bytes[..4_096].fill(0);
    std::fs::write(&segment, bytes).expect("a wounded segment");
    assert_eq!(drain(&open(options(), dir.path())).await, without(300, 0..behind));
}

#[tokio::test]
async fn two_damaged_heads_in_a_row_cost_two_records() {
    let (_dir, segment, whole) = spilled(6).await;
    let bounds = bounds(&whole);
    for at in 0..44 {
        let mut bytes = whole.clone();
        bytes[bounds[2] + at] ^= 0x11;
        bytes[bounds[3] + at] ^= 0x11;
        let (documents, ..) = recovered(&bytes, &segment).await;
        assert_eq!(documents, without(6, 2..4), "byte {at} of both");
    }
}

#[tokio::test]
async fn bytes_that_come_in_between_cost_no_more_than_the_record_they_are_in() {
    let (_dir, segment, whole) = spilled(6).await;
    let bounds = bounds(&whole);
    for at in bounds[2]..bounds[3] {
        let mut bytes = whole.clone();
        bytes.splice(at..at, [0; 100]);
        let (documents, ..) = recovered(&bytes, &segment).await;
        let lost = if at == bounds[2] { 0..0 } else { 2..3 };
        assert_eq!(documents, without(6, lost), "in front of byte {at}");
    }
}

#[tokio::test]
async fn bytes_that_are_missing_cost_the_records_they_were_of() {
    let (_dir, segment, whole) = spilled(6).await;
    let bounds = bounds(&whole);
    for length in [1, 44, bounds[4] - bounds[3], bounds[4] - bounds[3] + 1] {
        for at in bounds[3]..bounds[4] {
            let mut bytes = whole.clone();
            bytes.drain(at..at + length);
            let (documents, ..) = recovered(&bytes, &segment).await;
            let behind = bounds.iter().filter(|start| **start < at + length).count() as u32;
            // More, where what is left of two records makes a whole one.
            let least = without(6, 3..behind);
            assert!(least.iter().all(|document| documents.contains(document)), "{length} bytes at {at}");
            assert!(documents.is_sorted() && documents.iter().all(|document| *document < 24));
        }
    }
}

/// A part that holds a record with fitting checksums, of another segment.
async fn forged(record: &[u8]) -> (TempDir, PathBuf, Vec<u8>) {
    let dir = directory();
    let buffer = open(options(), dir.path());
    give(&buffer, 0..4, None);
    buffer.keep_part([b"in front".as_slice(), record].concat(), None);
    give(&buffer, 4..8, None);
    buffer.stop(LONG).await;
    let [segment] = segments(dir.path()).try_into().expect("one segment");
    let bytes = std::fs::read(&segment).expect("its bytes");
    (dir, segment, bytes)
}

#[tokio::test]
async fn a_record_that_a_peer_made_up_in_a_part_is_not_taken_for_one_whatever_is_damaged() {
    let (_other, _, other) = spilled(3).await;
    let made_up = &other[bounds(&other)[2]..];
    let (_dir, segment, whole) = forged(made_up).await;
    let inner = memchr::memmem::rfind(&whole, made_up).expect("the record that was made up");
    let bounds = bounds(&whole);
    let part = bounds.iter().filter(|start| **start < inner).count() - 1;
    for at in 0..inner + 44 {
        let mut bytes = whole.clone();
        bytes[36.max(at.saturating_sub(60))..at.max(36)].fill(0);
        let (documents, ..) = recovered(&bytes, &segment).await;
        assert!(documents.iter().all(|document| *document < 8), "{documents:?}");
    }
    let mut bytes = whole.clone();
    bytes[bounds[part] + 4] ^= 1;
    let (documents, ..) = recovered(&bytes, &segment).await;
    assert_eq!(documents, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_segment_of_markers_is_searched_once_and_not_once_for_each() {
    let (_dir, segment, mut bytes) = spilled(2).await;
    let last = bounds(&bytes)[1];
    let rest = bytes.split_off(last);
    (0..1 << 18).for_each(|_| bytes.extend_from_slice(MARKER));
    bytes.extend_from_slice(&rest);
    let (documents, ..) = recovered(&bytes, &segment).await;
    assert_eq!(documents, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_segment_without_a_salt_ends_where_a_length_is_lost() {
    let (_dir, segment, mut bytes) = spilled(3).await;
    bytes[12..16].fill(0);
    let crc = crc32c::crc32c(&bytes[..32]);
    bytes[32..36].copy_from_slice(&crc.to_le_bytes());
    let (documents, ..) = recovered(&bytes, &segment).await;
    assert_eq!(documents.len(), 12, "readable as it is");
    let second = bounds(&bytes)[1];
    bytes[second + 5] ^= 1;
    let (documents, ..) = recovered(&bytes, &segment).await;
    assert_eq!(documents, [0, 1, 2, 3]);
}
