//! Buffers written by the buffer itself, moved, and read back by it.

mod wounds;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tempfile::TempDir;

use super::*;
use crate::buffer::{
    Buffer, BufferOptions, KeptPart, Receipt, SegmentCompression, Snapshot, StopReport, Survey,
};
use crate::metrics::Metrics;
use crate::units::ByteSize;

const LONG: Duration = Duration::from_secs(20);

/// Small batches and segments, nothing spilled for its age.
fn options() -> BufferOptions {
    BufferOptions {
        min_free: ByteSize(0),
        batch_bytes: ByteSize::kib(1),
        batch_age: Duration::from_millis(1),
        max_age: Duration::from_secs(3_600),
        segment_bytes: ByteSize(700),
        ..BufferOptions::default()
    }
}

fn open(dir: &Path) -> (Buffer, Vec<KeptPart>) {
    let metrics = Metrics::new(&mut Registry::default());
    let (buffer, parts) = Buffer::open(options(), dir, metrics).expect("a buffer");
    (buffer, parts.waiting)
}

/// Gives a batch with these documents.
fn give(buffer: &Buffer, tag: &str, numbers: std::ops::Range<u32>, receipt: Option<&Receipt>) {
    let tag = Arc::from(tag);
    let mut batch = buffer.take_open();
    for number in numbers {
        let document = format!(
            "{{\"create\":{{\"_id\":\"{tag}{number}\"}}}}\n{{\"@timestamp\":\"2025-01-15T10:30:{:02}.000000000Z\",\"n\":{number}}}\n",
            number % 60
        );
        batch.bytes().extend_from_slice(document.as_bytes());
        batch.end_document(&tag);
    }
    receipt.into_iter().for_each(|receipt| batch.attach(receipt));
    buffer.give_open(batch);
}

/// Gives batches of four and waits until each is on disk.
async fn give_safely(buffer: &Buffer, tag: &str, numbers: std::ops::Range<u32>) {
    for first in numbers.clone().step_by(4) {
        let (receipt, waiter) = Receipt::new();
        give(buffer, tag, first..numbers.end.min(first + 4), Some(&receipt));
        receipt.resolve();
        assert!(waiter.safe().await);
    }
}

async fn stop(buffer: Buffer) -> StopReport {
    buffer.stop(LONG).await
}

/// A directory with documents of `tag`, in segments of their own, and a part that waits.
async fn spilled(tag: &str, numbers: std::ops::Range<u32>) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let (buffer, _) = open(dir.path());
    give_safely(&buffer, tag, numbers).await;
    buffer.keep_part(format!("a part of {tag}").into_bytes(), None);
    stop(buffer).await;
    dir
}

/// How often each document is in the buffer, and the parts. It leaves the directory as it is.
async fn contents(dir: &Path) -> (BTreeMap<String, usize>, Vec<Vec<u8>>) {
    let copy = tempfile::tempdir().expect("a directory");
    copy_all(dir, copy.path());
    let (buffer, parts) = open(copy.path());
    let mut found = BTreeMap::new();
    while buffer.stats().events > 0 {
        let delivery = tokio::time::timeout(LONG, buffer.pop()).await.expect("in time").expect("a delivery");
        let text = String::from_utf8(delivery.bytes().to_vec()).expect("text");
        text.lines().step_by(2).for_each(|action| *found.entry(action.to_owned()).or_default() += 1);
        delivery.delivered();
    }
    (found, parts.into_iter().map(|part| part.bytes).collect())
}

/// Every document of these, once.
fn once(of: &[(&str, std::ops::Range<u32>)]) -> BTreeMap<String, usize> {
    let actions = of.iter().flat_map(|(tag, numbers)| {
        numbers.clone().map(move |number| (format!("{{\"create\":{{\"_id\":\"{tag}{number}\"}}}}"), 1))
    });
    actions.collect()
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if entry.is_dir() {
            fs::create_dir_all(&to).expect("a directory");
            copy_all(&entry, &to);
        } else {
            fs::copy(&entry, &to).expect("a copy");
        }
    }
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).expect("a file"))),
        }
    }
    found
}

fn snapshot(path: &Path) -> Snapshot {
    Snapshot::open(path).expect("a buffer")
}

#[tokio::test]
async fn what_waits_is_counted_by_segment_and_tag_and_nothing_is_touched() {
    let dir = spilled("app", 0..10).await;
    let (buffer, _) = open(dir.path());
    give_safely(&buffer, "web", 10..14).await;
    let before = files(dir.path());
    let survey = Survey::of(&snapshot(dir.path())).expect("a survey");
    assert_eq!(files(dir.path()), before);
    let total = survey.total();
    assert_eq!((total.unsettled, total.settled, total.parts, total.records), (14, 0, 1, 5));
    let (oldest, newest) = total.times.range.expect("documents with a time");
    assert_eq!(
        (oldest.as_str(), newest.as_str()),
        ("2025-01-15T10:30:00.000000000Z", "2025-01-15T10:30:13.000000000Z")
    );
    let tags: Vec<_> = survey.tags.iter().map(|(tag, count)| (&**tag, *count)).collect();
    assert_eq!((tags, survey.wounds.len()), (vec![("app", 10), ("web", 4)], 0));
}

#[tokio::test]
async fn an_export_is_a_segment_of_what_waits_with_its_ids_tags_and_parts() {
    let dir = spilled("app", 0..10).await;
    let (buffer, _) = open(dir.path());
    let first = tokio::time::timeout(LONG, buffer.pop()).await.expect("in time").expect("a delivery");
    assert_eq!(first.ends().len(), 8, "the first segment");
    first.delivered();
    stop(buffer).await;
    let file = dir.path().join("node.seg");
    let moved = export(&snapshot(dir.path()), Some(&file)).expect("an export");
    assert_eq!((moved.documents, moved.batches, moved.parts, moved.wounds.len()), (2, 1, 1, 0));
    assert_eq!(moved.bytes, fs::metadata(&file).expect("a file").len());
    let exported = Survey::of(&snapshot(&file)).expect("a survey");
    assert_eq!((exported.total().unsettled, exported.total().parts, exported.wounds.len()), (2, 1, 0));
    // It is a segment like any other.
    let other = tempfile::tempdir().expect("a directory");
    fs::create_dir(other.path().join("segments")).expect("a directory");
    fs::copy(&file, other.path().join("segments/00000000000000000001.seg")).expect("a copy");
    assert_eq!(contents(other.path()).await, (once(&[("app", 8..10)]), vec![b"a part of app".to_vec()]));
    let again = export(&snapshot(dir.path()), Some(&file)).expect_err("it is there");
    assert!(again.to_string().contains("there is a file of that name"), "{again}");
    assert!(!dir.path().join("node.seg.partial").exists());
}

#[tokio::test]
async fn a_part_whose_line_is_whole_is_not_moved() {
    let dir = tempfile::tempdir().expect("a directory");
    let (buffer, _) = open(dir.path());
    let (receipt, waiter) = Receipt::new();
    let part = buffer.keep_part(b"joined".to_vec(), Some(receipt));
    assert!(waiter.safe().await);
    let (receipt, waiter) = Receipt::new();
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(b"{}\n{}\n");
    batch.end_document(&Arc::from("tag"));
    batch.supersede(part);
    batch.attach(&receipt);
    buffer.give_open(batch);
    receipt.resolve();
    assert!(waiter.safe().await);
    // A mark of the part may not be there after a crash: what tells is the batch.
    fs::read_dir(dir.path().join("segments")).expect("segments").for_each(|entry| {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "done") {
            fs::remove_file(path).expect("marks");
        }
    });
    let moved = export(&snapshot(dir.path()), Some(&dir.path().join("export"))).expect("an export");
    assert_eq!((moved.documents, moved.parts), (1, 0));
    assert_eq!(Survey::of(&snapshot(dir.path())).expect("a survey").total().parts, 0);
}

#[tokio::test]
async fn buffers_are_merged_and_importing_again_changes_nothing() {
    let (ours, theirs, more) = (spilled("a", 0..6).await, spilled("b", 0..9).await, spilled("c", 0..5).await);
    let file = more.path().join("export");
    export(&snapshot(more.path()), Some(&file)).expect("an export");
    let sources = [snapshot(theirs.path()), snapshot(&file)];
    let moved = import(ours.path(), &options(), &sources).expect("an import");
    assert_eq!((moved.documents, moved.parts, moved.known, moved.wounds.len()), (14, 2, 0, 0));
    let merged = (
        once(&[("a", 0..6), ("b", 0..9), ("c", 0..5)]),
        ["a", "b", "c"].map(|tag| format!("a part of {tag}").into_bytes()).to_vec(),
    );
    assert_eq!(contents(ours.path()).await, merged);
    let before = files(ours.path());
    let moved = import(ours.path(), &options(), &sources).expect("an import");
    assert_eq!((moved.documents, moved.parts, moved.known), (0, 0, 16));
    assert_eq!(files(ours.path()), before);
    assert_eq!(contents(ours.path()).await, merged);
}

#[tokio::test]
async fn what_was_delivered_meanwhile_and_is_still_there_is_not_imported_again() {
    let (ours, theirs) = (tempfile::tempdir().expect("a directory"), spilled("b", 0..8).await);
    let in_one_segment = BufferOptions { segment_bytes: ByteSize::mib(1), ..options() };
    import(ours.path(), &in_one_segment, &[snapshot(theirs.path())]).expect("an import");
    let (buffer, _) = open(ours.path());
    let delivery = tokio::time::timeout(LONG, buffer.pop()).await.expect("in time").expect("a delivery");
    delivery.delivered();
    stop(buffer).await;
    // The part keeps the segment.
    let total = Survey::of(&snapshot(ours.path())).expect("a survey").total();
    assert_eq!((total.settled, total.unsettled, total.parts), (8, 0, 1));
    let moved = import(ours.path(), &options(), &[snapshot(theirs.path())]).expect("an import");
    assert_eq!((moved.documents, moved.parts, moved.known), (0, 0, 9));
    assert_eq!(contents(ours.path()).await.0, once(&[]));
}

#[tokio::test]
async fn an_import_that_was_cut_off_anywhere_is_completed_by_another() {
    let (ours, theirs) = (spilled("a", 0..4).await, spilled("b", 0..40).await);
    let whole = tempfile::tempdir().expect("a directory");
    copy_all(ours.path(), whole.path());
    import(whole.path(), &options(), &[snapshot(theirs.path())]).expect("an import");
    let old: Vec<_> =
        files(ours.path()).into_keys().map(|path| path.file_name().map(ToOwned::to_owned)).collect();
    let new: Vec<_> = files(&whole.path().join("segments")).into_iter().collect();
    let new: Vec<_> =
        new.into_iter().filter(|(path, _)| !old.contains(&path.file_name().map(ToOwned::to_owned))).collect();
    assert!(new.len() > 3, "{} segments", new.len());
    for placed in 0..=new.len() {
        let cut = tempfile::tempdir().expect("a directory");
        copy_all(ours.path(), cut.path());
        fs::create_dir_all(cut.path().join("import/segments")).expect("a directory");
        for (at, (path, bytes)) in new.iter().enumerate() {
            let folder = if at < placed { "segments" } else { "import/segments" };
            // What has not been put into place may be anything.
            let bytes = if at < placed { bytes.as_slice() } else { &bytes[..bytes.len() / 2] };
            fs::write(cut.path().join(folder).join(path.file_name().expect("a name")), bytes)
                .expect("a file");
        }
        let started = tempfile::tempdir().expect("a directory");
        copy_all(cut.path(), started.path());
        assert!(contents(started.path()).await.0.values().all(|times| *times == 1), "a start in between");
        let moved = import(cut.path(), &options(), &[snapshot(theirs.path())]).expect("an import");
        assert_eq!(moved.documents + moved.known, 40 + u64::from(moved.parts == 0), "{moved:?}");
        assert!(!cut.path().join("import").exists());
        assert_eq!(contents(cut.path()).await.0, once(&[("a", 0..4), ("b", 0..40)]), "{placed} in place");
    }
}

#[tokio::test]
async fn an_import_beyond_the_budget_is_refused_and_leaves_nothing() {
    let (ours, theirs) = (spilled("a", 0..4).await, spilled("b", 0..40).await);
    let before = files(ours.path());
    let small = BufferOptions { disk: ByteSize(2_000), ..options() };
    let refused = import(ours.path(), &small, &[snapshot(theirs.path())]).expect_err("no room");
    assert!(refused.to_string().contains("would exceed the disk budget of 2000"), "{refused}");
    assert_eq!(files(ours.path()), before);
    assert!(!ours.path().join("import").exists(), "a full disk is not made fuller");
    import(ours.path(), &options(), &[snapshot(theirs.path())]).expect("room");
    assert!(files(ours.path()).len() > before.len());
}

#[tokio::test]
async fn what_is_imported_is_compressed_as_the_buffer_is_and_known_either_way() {
    let fat = tempfile::tempdir().expect("a directory");
    let plain =
        BufferOptions { compression: SegmentCompression::None, batch_bytes: ByteSize::kib(64), ..options() };
    let (buffer, _) =
        Buffer::open(plain.clone(), fat.path(), Metrics::new(&mut Registry::default())).expect("a buffer");
    give(&buffer, "fat", 0..400, None);
    assert_eq!(stop(buffer).await.spilled_events, 400);
    let [ours, theirs] = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
    let packed = import(ours.path(), &options(), &[snapshot(fat.path())]).expect("an import");
    let unpacked = import(theirs.path(), &plain, &[snapshot(ours.path())]).expect("an import");
    assert_eq!((packed.documents, unpacked.documents), (400, 400));
    assert!(packed.bytes * 3 < unpacked.bytes, "{} to {}", unpacked.bytes, packed.bytes);
    let again = import(ours.path(), &options(), &[snapshot(theirs.path())]).expect("an import");
    assert_eq!((again.documents, again.known), (0, 400));
    assert_eq!(contents(ours.path()).await.0, once(&[("fat", 0..400)]));
}

#[tokio::test]
async fn a_buffer_that_is_in_use_is_read_and_neither_imported_nor_imported_into() {
    let (ours, theirs) = (spilled("a", 0..4).await, spilled("b", 0..4).await);
    let (running, _) = open(theirs.path());
    assert!(snapshot(theirs.path()).is_in_use() && !snapshot(ours.path()).is_in_use());
    let of_running = import(ours.path(), &options(), &[snapshot(theirs.path())]).expect_err("in use");
    assert!(matches!(of_running, TransferError::InUse(_)), "{of_running}");
    let into_running = import(theirs.path(), &options(), &[snapshot(ours.path())]).expect_err("in use");
    assert!(matches!(into_running, TransferError::Locked(_)), "{into_running}");
    let itself = import(ours.path(), &options(), &[snapshot(ours.path())]).expect_err("the same");
    assert!(matches!(itself, TransferError::Itself(_)), "{itself}");
    drop(running);
}

#[tokio::test]
async fn a_segment_of_version_1_is_exported_and_imported() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/segment-v1");
    let survey = Survey::of(&snapshot(&fixture)).expect("a survey");
    let total = survey.total();
    assert_eq!((total.unsettled, total.settled, total.parts, survey.wounds.len()), (5, 4, 1, 0));
    let dir = tempfile::tempdir().expect("a directory");
    let moved = import(dir.path(), &options(), &[snapshot(&fixture)]).expect("an import");
    assert_eq!((moved.documents, moved.parts), (5, 1));
    let (_, parts) = open(dir.path());
    assert_eq!(parts[0].bytes, b"a part that waits");
}
