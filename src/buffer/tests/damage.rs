//! Wounded segments: never a panic, never a document that was not given, everything outside of the wound delivered.

use std::path::PathBuf;

use super::*;
use crate::buffer::{Snapshot, Survey};
use crate::metrics::reason;

/// A directory with one segment of four records, documents 0..16, and that segment.
async fn spilled() -> (TempDir, PathBuf, Vec<u8>) {
    let dir = directory();
    let buffer = open(options(), dir.path());
    (0..4).for_each(|n| give(&buffer, 4 * n..4 * n + 4, None));
    assert_eq!(buffer.stop(LONG).await.spilled_events, 16);
    let [segment] = segments(dir.path()).try_into().expect("one segment");
    let bytes = std::fs::read(&segment).expect("its bytes");
    (dir, segment, bytes)
}

/// Where the records begin, and where the last ends.
pub(super) fn bounds(bytes: &[u8]) -> Vec<usize> {
    let mut bounds = vec![36];
    while let Some(length) = bounds.last().and_then(|at| bytes.get(at + 4..at + 8)) {
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        bounds.push(bounds[bounds.len() - 1] + length);
    }
    bounds
}

pub(super) async fn recovered(bytes: &[u8], name: &Path) -> (Vec<u32>, Arc<Metrics>, TempDir) {
    let dir = directory();
    std::fs::create_dir_all(dir.path().join("segments")).expect("a directory");
    let name = name.file_name().expect("a name");
    std::fs::write(dir.path().join("segments").join(name), bytes).expect("a wounded segment");
    let metrics = metrics();
    let (buffer, _) = Buffer::open(options(), dir.path(), Arc::clone(&metrics)).expect("it always starts");
    (drain(&buffer).await, metrics, dir)
}

#[tokio::test]
async fn a_segment_cut_at_any_length_gives_every_whole_record_before_the_cut() {
    let (_dir, segment, whole) = spilled().await;
    let bounds = bounds(&whole);
    for length in 0..whole.len() {
        let (documents, metrics, _) = recovered(&whole[..length], &segment).await;
        let records = bounds.iter().filter(|end| **end <= length).count().saturating_sub(1);
        assert_eq!(documents, (0..4 * records as u32).collect::<Vec<_>>(), "cut at {length}");
        let torn = reason(&metrics.recovery_skipped, "torn").get();
        assert_eq!(torn, u64::from(!bounds.contains(&length)), "cut at {length}");
    }
}

#[tokio::test]
async fn a_flipped_byte_costs_no_more_than_its_record() {
    let (_dir, segment, whole) = spilled().await;
    let bounds = bounds(&whole);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        let (documents, metrics, dir) = recovered(&bytes, &segment).await;
        let wounded = bounds.iter().filter(|start| **start <= at).count();
        let before = if wounded == 0 { 0 } else { 4 * (wounded as u32 - 1) };
        // A new header is made in the place of a damaged one.
        let expected: Vec<u32> = (0..before).chain(4 * wounded as u32..16).collect();
        assert_eq!(documents, expected, "byte {at}");
        let cause = if wounded == 0 { "header" } else { "checksum" };
        assert_eq!(reason(&metrics.recovery_skipped, cause).get(), 1, "byte {at}");
        assert_eq!(
            std::fs::read_dir(dir.path().join("quarantine")).expect("quarantine").count(),
            1,
            "byte {at}"
        );
    }
}

#[tokio::test]
async fn damage_is_told_of_once() {
    let (dir, segment, mut bytes) = spilled().await;
    bytes[36 + 44] ^= 1;
    std::fs::write(&segment, bytes).expect("a wounded segment");
    std::fs::remove_file(segment.with_extension("idx")).expect("a segment that was not closed");
    for expected in [1, 0] {
        let metrics = metrics();
        let (buffer, _) =
            Buffer::open(options(), dir.path(), Arc::clone(&metrics)).expect("it always starts");
        assert_eq!(reason(&metrics.recovery_skipped, "checksum").get(), expected);
        let dropped = reason(&metrics.events_dropped, "corrupt").get();
        assert_eq!((metrics.events_recovered.get(), dropped), (12 + 4 * expected, 4 * expected));
        buffer.stop(LONG).await;
    }
}

#[tokio::test]
async fn zeros_that_a_power_cut_leaves_behind_are_a_torn_tail() {
    let (_dir, segment, mut bytes) = spilled().await;
    bytes.resize(bytes.len() + 10_000, 0);
    let (documents, metrics, _) = recovered(&bytes, &segment).await;
    assert_eq!(documents.len(), 16);
    assert_eq!(reason(&metrics.recovery_skipped, "torn").get(), 1);
}

#[tokio::test]
async fn a_segment_of_a_later_version_is_refused_with_advice_and_left_alone() {
    let (dir, segment, mut bytes) = spilled().await;
    bytes[8] = 3;
    let crc = crc32c::crc32c(&bytes[..32]);
    bytes[32..36].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&segment, &bytes).expect("a later segment");
    let Err(fault) = Buffer::open(options(), dir.path(), metrics()) else { panic!("version 3 was read") };
    assert!(!fault.is_retryable() && fault.to_string().contains("version 3"), "{fault}");
    assert_eq!(std::fs::read(&segment).expect("still there"), bytes);
}

#[tokio::test]
async fn a_segment_with_the_last_of_all_numbers_is_read_and_what_comes_next_has_a_number() {
    let (dir, segment, _) = spilled().await;
    let last = |extension| segment.with_file_name(format!("{}.{extension}", u64::MAX));
    std::fs::rename(&segment, last("seg")).expect("a name of its own");
    std::fs::rename(segment.with_extension("idx"), last("idx")).expect("the same");
    for n in [16, 20] {
        let buffer = open(options(), dir.path());
        give(&buffer, n..n + 4, None);
        buffer.stop(LONG).await;
    }
    let names: Vec<_> =
        segments(dir.path()).iter().map(|path| path.file_name().map(ToOwned::to_owned)).collect();
    let counted = |number: u64| Some(format!("{number:020}.seg").into());
    assert_eq!(names, [counted(1), counted(2), counted(u64::MAX)]);
    assert_eq!(drain(&open(options(), dir.path())).await, (0..24).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_record_with_a_sequence_that_leaves_no_next_one_is_set_aside() {
    let (_dir, segment, mut bytes) = spilled().await;
    let first = 36..bounds(&bytes)[1];
    bytes[first.start + 8..first.start + 16].fill(0xff);
    let crc = crc32c::crc32c(&bytes[first.start..first.start + 40]);
    bytes[first.start + 40..first.start + 44].copy_from_slice(&crc.to_le_bytes());
    let (documents, metrics, _) = recovered(&bytes, &segment).await;
    assert_eq!(documents, (4..16).collect::<Vec<_>>());
    assert_eq!(reason(&metrics.recovery_skipped, "malformed").get(), 1);
}

#[tokio::test]
async fn an_io_error_is_not_taken_for_corruption() {
    let (dir, segment, _) = spilled().await;
    std::fs::remove_file(&segment).expect("gone");
    std::fs::create_dir(&segment).expect("a directory where a file should be");
    let Err(fault) = Buffer::open(options(), dir.path(), metrics()) else { panic!("a directory was read") };
    assert!(matches!(fault, crate::buffer::OpenError::Io { .. }), "{fault}");
    assert!(segment.exists() && !dir.path().join("quarantine").exists());
}

#[tokio::test]
async fn damage_that_happens_after_the_start_is_counted_and_the_rest_delivered() {
    let (dir, segment, mut bytes) = spilled().await;
    let metrics = metrics();
    let (buffer, _) = Buffer::open(options(), dir.path(), Arc::clone(&metrics)).expect("a buffer");
    let second = bounds(&bytes)[1];
    bytes[second + 50] ^= 1;
    std::fs::write(&segment, bytes).expect("a wounded segment");
    let documents = drain(&buffer).await;
    assert_eq!(documents, (0..4).chain(8..16).collect::<Vec<_>>());
    assert_eq!(reason(&metrics.events_dropped, "corrupt").get(), 4);
}

/// What people are told of a directory: wounds, in words, and documents that wait.
fn told(dir: &Path) -> (Vec<String>, u64) {
    let survey = Survey::of(&Snapshot::open(dir).expect("a buffer")).expect("a survey");
    let causes = survey.wounds.iter().map(|wound| wound.cause.word().to_owned()).collect();
    (causes, survey.total().unsettled)
}

#[tokio::test]
async fn marks_whose_segment_a_daemon_has_just_removed_are_no_wound_beside_it() {
    let (dir, segment, _) = spilled().await;
    let orphan = segment.with_file_name(format!("{:020}.done", 99));
    let buffer = open(options(), dir.path());
    std::fs::write(&orphan, b"marks").expect("what is removed last");
    assert_eq!(told(dir.path()), (Vec::new(), 16));
    drop(buffer.stop(LONG).await);
    drop(buffer);
    until_unlocked(dir.path()).await;
    assert_eq!(told(dir.path()), (vec!["orphan".to_owned()], 16));
}

async fn until_unlocked(dir: &Path) {
    while Snapshot::open(dir).expect("a buffer").is_in_use() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_index_that_does_not_tell_what_is_there_is_told_of() {
    let (dir, segment, _) = spilled().await;
    let index = segment.with_extension("idx");
    let whole = std::fs::read(&index).expect("a closed segment has an index");
    assert_eq!(told(dir.path()), (Vec::new(), 16));
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 8;
        std::fs::write(&index, bytes).expect("a damaged index");
        assert_eq!(told(dir.path()), (vec!["index".to_owned()], 16), "byte {at}");
    }
    std::fs::remove_file(&index).expect("an index");
    assert_eq!(told(dir.path()), (Vec::new(), 16), "one that is not there is missed by nobody");
}

#[tokio::test]
async fn what_is_behind_a_damaged_header_is_read_and_stays_readable() {
    let (dir, segment, mut bytes) = spilled().await;
    bytes[..36].fill(0xff);
    std::fs::write(&segment, bytes).expect("a wounded segment");
    assert_eq!(told(dir.path()), (vec!["header".to_owned()], 16));
    for expected in [1, 0] {
        let metrics = metrics();
        let (buffer, _) =
            Buffer::open(options(), dir.path(), Arc::clone(&metrics)).expect("it always starts");
        assert_eq!(reason(&metrics.recovery_skipped, "header").get(), expected);
        assert_eq!(metrics.events_recovered.get(), 16);
        buffer.stop(LONG).await;
    }
    let buffer = open(options(), dir.path());
    assert_eq!(drain(&buffer).await, (0..16).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_file_that_is_no_segment_goes_to_quarantine_as_a_whole() {
    let (_dir, segment, _) = spilled().await;
    let strange =
        b"no segment at all, and longer than a header and the head of a record together are: a hundred bytes";
    let (documents, metrics, dir) = recovered(strange, &segment).await;
    assert!(documents.is_empty() && segments(dir.path()).len() <= 1);
    assert_eq!(reason(&metrics.recovery_skipped, "header").get(), 1);
    let quarantine = std::fs::read_dir(dir.path().join("quarantine")).expect("a quarantine");
    let kept: Vec<_> =
        quarantine.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file")).collect();
    assert_eq!(kept, [strange.to_vec()]);
}
