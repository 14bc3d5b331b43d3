//! `fixtures/files`: a folder a kind, and in its `expected.json` what is to come of each file.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use super::rig::Rig;

#[derive(Deserialize)]
struct Expected {
    file: String,
    kind: String,
    #[serde(default)]
    remarks: Vec<String>,
    documents: Vec<Document>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Document {
    index: String,
    /// None where nobody outside of Forebay knows it.
    id: Option<String>,
    document: Json,
}

#[test]
fn every_file_brings_what_is_written_beside_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files");
    let mut seen = 0;
    for folder in std::fs::read_dir(root).expect("fixtures") {
        let folder = folder.expect("an entry").path();
        let Ok(text) = std::fs::read_to_string(folder.join("expected.json")) else { continue };
        let all: Vec<Expected> = serde_json::from_str(&text).expect("JSON");
        for expected in all {
            holds(&folder, &expected);
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen}");
}

fn holds(folder: &Path, expected: &Expected) {
    let path = folder.join(&expected.file);
    let bytes = std::fs::read(&path).expect("a file");
    let mut rig = Rig::new();
    let kind = rig.read_file(&path, &bytes);
    assert_eq!((kind.word(), &rig.remarks), (&*expected.kind, &expected.remarks), "{}", path.display());
    let found = rig.documents();
    assert_eq!(found.len(), expected.documents.len(), "{}", path.display());
    let documents: Vec<Document> = found
        .into_iter()
        .zip(&expected.documents)
        .map(|(found, expected)| Document {
            index: found.index,
            id: expected.id.as_ref().map(|_| found.id),
            document: found.body,
        })
        .collect();
    assert_eq!(documents, expected.documents, "{}", path.display());
    assert_eq!(rig.letters(), [Json::Null; 0], "{}", path.display());
}
