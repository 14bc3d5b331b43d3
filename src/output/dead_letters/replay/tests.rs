//! Replays of a folder: what is sent, what is settled, what is left.

use super::*;
use crate::output::DeadLetterOptions;

fn options() -> ReplayOptions {
    ReplayOptions {
        filter: Filter::default(),
        limit: None,
        edits: Edits::default(),
        index: None,
        batch_bytes: 1 << 20,
        batch_documents: 2,
    }
}

fn begin(folder: &std::path::Path) -> Result<Replay, ReplayError> {
    Replay::begin(Letters::at(&DeadLetterOptions::default(), folder), options())
}

/// A folder with a file of three letters, and one of what never was a document.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let letter = |id: u8| format!("{{\"index\":\"a\",\"id\":\"{id}\",\"document\":{{\"n\":{id}}}}}\n");
    let text: String = (0..3).map(letter).chain(["{\"original\":\"\"}\n".to_owned()]).collect();
    let file = folder.path().join("dead-letters-20261123T120000.000000001Z.ndjson");
    std::fs::write(file, text).expect("a file");
    folder
}

#[test]
fn what_is_delivered_is_settled_for_good_and_what_comes_back_is_not() {
    let folder = folder();
    let replay = begin(folder.path()).expect("a replay");
    let first = replay.next().expect("a delivery");
    assert_eq!(first.ends().len(), 2);
    first.delivered();
    drop(replay.next().expect("a delivery"));
    assert!(matches!(begin(folder.path()), Err(ReplayError::Busy(_))));
    assert_eq!(replay.finish().expect("a tally"), Tally { matched: 3, skipped: 1, settled: 2 });
    drop(replay);
    let again = begin(folder.path()).expect("a replay");
    let rest = again.next().expect("a delivery");
    assert_eq!(&**rest.bytes(), b"{\"create\":{\"_id\":\"2\",\"_index\":\"a\"}}\n{\"n\":2}\n");
}

#[test]
fn a_letter_in_whose_place_another_stands_is_not_sent_although_a_kill_has_cost_its_mark() {
    let folder = folder();
    let later = "{\"index\":\"a\",\"id\":\"0\",\"document\":{\"n\":0},\"origin\":\"dead-letters-20261123T120000.000000001Z.ndjson:0\"}\n";
    let file = folder.path().join("dead-letters-20261123T130000.000000001Z.ndjson");
    std::fs::write(file, later).expect("a file");
    let replay = begin(folder.path()).expect("a replay");
    while let Some(delivery) = replay.next() {
        delivery.delivered();
    }
    assert_eq!(replay.finish().expect("a tally"), Tally { matched: 3, skipped: 1, settled: 3 });
    let left = std::fs::read_dir(folder.path()).expect("a listing").count();
    assert_eq!(left, 3, "the first file, its marks and the lock");
}

#[test]
fn deliveries_that_end_at_once_lose_no_mark() {
    let folder = tempfile::tempdir().expect("a folder");
    let letter = |id: u32| format!("{{\"index\":\"a\",\"id\":\"{id}\",\"document\":{{\"n\":{id}}}}}\n");
    let file = folder.path().join("dead-letters-20261123T120000.000000001Z.ndjson");
    std::fs::write(&file, (0..400).map(letter).collect::<String>()).expect("a file");
    let replay = begin(folder.path()).expect("a replay");
    let deliveries: Vec<_> = std::iter::from_fn(|| replay.next()).collect();
    assert_eq!(deliveries.len(), 200);
    std::thread::scope(|scope| {
        for delivery in deliveries {
            scope.spawn(|| delivery.delivered());
        }
    });
    assert_eq!(settled::read(&file).expect("marks").len(), 400);
    assert_eq!(replay.finish().expect("a tally"), Tally { matched: 400, skipped: 0, settled: 400 });
}
