//! Forebay's own segments and dead letters.

use std::path::Path;
use std::sync::Arc;

use prometheus_client::registry::Registry;
use serde_json::json;

use super::rig::{Rig, reading, values};
use crate::buffer::{Buffer, BufferOptions};
use crate::input::file::{Kind, Reading};
use crate::metrics::Metrics;
use crate::units::ByteSize;

/// A folder with a segment in which documents wait.
async fn segment(folder: &Path) -> std::path::PathBuf {
    let options = BufferOptions { min_free: ByteSize(0), ..BufferOptions::default() };
    let (buffer, _) =
        Buffer::open(options, folder, Metrics::new(&mut Registry::default())).expect("a buffer");
    let mut open = buffer.take_open();
    for (n, tag) in [(1, "app.web"), (2, "app.web"), (3, "app.db")] {
        let action = format!(r#"{{"create":{{"_index":"logs-{n}","_id":"id-{n}"}}}}"#);
        open.bytes().extend_from_slice(format!("{action}\n{{\"n\":{n}.0}}\n").as_bytes());
        open.end_document(&Arc::from(tag));
    }
    buffer.give_open(open);
    buffer.stop(std::time::Duration::from_secs(20)).await;
    let mut found = std::fs::read_dir(folder.join("segments")).expect("a folder");
    found
        .find_map(|entry| {
            Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|own| own == "seg"))
        })
        .expect("a segment")
}

#[tokio::test]
async fn what_waits_in_a_segment_goes_where_it_was_to_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = segment(folder.path()).await;
    let read = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(&path).expect("a file");
        let mut rig = Rig::new();
        assert_eq!(rig.read(&bytes, &Reading { path: Some(&path), ..reading() }), Kind::Segment);
        let documents = rig.documents();
        assert_eq!(rig.remarks, [""; 0]);
        // Cut inside of its last record.
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
        rig.read(&bytes, &Reading { path: Some(&path), ..reading() });
        (documents, rig.documents().len(), rig.remarks.clone())
    });
    let (documents, torn, remarks) = read.await.expect("no panic");
    let told: Vec<_> = documents.iter().map(|d| (&*d.index, &*d.id, &*d.line)).collect();
    assert_eq!(
        told,
        [
            ("logs-1", "id-1", "{\"n\":1.0}"),
            ("logs-2", "id-2", "{\"n\":2.0}"),
            ("logs-3", "id-3", "{\"n\":3.0}")
        ]
    );
    assert_eq!((torn, remarks.len()), (0, 1), "{remarks:?}");
}

#[test]
fn what_a_segments_marks_say_was_delivered_is_left_out() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/segment-v2/segments/00000000000000000001.seg");
    let mut rig = Rig::new();
    rig.read(b"FOREBAYS", &Reading { path: Some(&path), ..reading() });
    assert!(
        rig.remarks.contains(&"documents that were delivered passed over: 4".to_owned()),
        "{:?}",
        rig.remarks
    );
}

#[test]
fn a_segment_that_is_no_file_of_its_own_is_told() {
    let mut rig = Rig::new();
    assert_eq!(rig.read(b"FOREBAYS\x02\0\0\0", &reading()), Kind::Segment);
    assert_eq!(
        rig.remarks,
        [
            "nothing can be read from byte 0 on: a segment can be read from a file of its own alone: unpack it first"
        ]
    );
}

#[test]
fn letters_bring_their_documents_unless_they_are_settled() {
    let letter = |n: u32| {
        format!(
            r#"{{"time":"t","event_time":"t","reason":"mapping","type":"x","status":400,"error":"e","index":"logs-{n}","id":"id-{n}","tag":"app","document":{{"n":{n}}}}}"#
        )
    };
    let refused = r#"{"time":"t","reason":"limit","type":"depth","error":"e","id":"","tag":"t","peer":"p","events":1,"bytes":1,"hash":"h","original":"AA=="}"#;
    let text = [&letter(1), &letter(2), refused, "{\"torn\":", &letter(3)].join("\n");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dead-letters-20260504T091231.ndjson");
    let settled = path.with_extension("settled");
    std::fs::write(settled, format!("{}\n", letter(1).len() + 1)).expect("written");
    let mut rig = Rig::new();
    assert_eq!(rig.read(text.as_bytes(), &Reading { path: Some(&path), ..reading() }), Kind::DeadLetters);
    let documents = rig.documents();
    assert_eq!(values(&documents, "n"), [json!(1), json!(3)]);
    assert_eq!((&*documents[1].index, &*documents[1].id), ("logs-3", "id-3"));
    assert_eq!(
        rig.remarks,
        [
            "letters that are settled passed over: 1",
            "letters without a document passed over: 1",
            "lines that are no letters not taken: 1",
        ]
    );
}
