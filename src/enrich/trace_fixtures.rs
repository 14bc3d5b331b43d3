//! Output of real programs with stack traces in it, `fixtures/lines/traces/LANGUAGE.log`, and the events that it becomes, beside
//! it: `LANGUAGE.events`. A line each: which lines of the output they are, the format that was recognised, the document.
//!
//! `cargo test --lib write_the_events_anew -- --ignored` writes those events. They are to be read before they are committed: the
//! point of them is what a person finds right, not what the code does.

use std::fs;
use std::path::{Path, PathBuf};

use super::line_fixtures::lines;
use super::walk::{End, Given, Walk, Walked, line_record};
use super::*;
use crate::event::Timestamp;

/// 2026-11-28T16:00:00Z: when the lines arrive.
const ARRIVAL: i64 = 1_795_881_600;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lines/traces");
    let entries = fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    files.sort();
    files
}

/// The events of a container that prints `lines`, each over docker's driver, as one line a piece.
fn events(lines: &[Vec<u8>]) -> Vec<String> {
    let options = PipelineOptions { tag_field: None, ..PipelineOptions::default() };
    let defaults = Defaults { index: "i", fallback: "f", host: "h" };
    let pipelines = Pipelines::compile(&[options], defaults).expect("good options");
    let mut walk = Walk::new(pipelines, PartialOptions::default(), MultilineOptions::default());
    let time = Timestamp::new(ARRIVAL, 0).expect("a time");
    let mut walked = Vec::new();
    for line in lines {
        let record = line_record(line, None);
        let given = Given { tag: "t", time, id: None, record: &record };
        walked.extend(walk.take(&given).expect("a record"));
    }
    walked.extend(walk.finish());
    let mut next = 1;
    let shown = |event: &Walked| {
        let from = next;
        next += event.lines;
        let End::Document { document, .. } = &event.end else { panic!("{:?}", event.end) };
        let format = event.reading.format.as_deref().unwrap_or("-");
        format!("{from}-{}\t{format}\t{}", next - 1, without_sequence(document))
    };
    let events = walked.iter().map(shown).collect();
    assert_eq!(next, lines.len() + 1, "each line is of one event");
    events
}

/// A number that each document has differs with those before it.
fn without_sequence(document: &str) -> String {
    let (before, rest) = document.split_once("\"event.sequence\":").expect("a sequence");
    let (_, after) = rest.split_once(',').expect("a member behind it");
    format!("{before}{after}")
}

#[test]
fn the_output_of_each_language_becomes_the_events_beside_it() {
    let files = files();
    assert_eq!(files.len(), 8, "a file for each language: {files:?}");
    for path in files {
        let expected = fs::read_to_string(path.with_extension("events")).unwrap_or_default();
        let found = events(&lines(&path));
        let expected: Vec<_> = expected.lines().collect();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{}", path.display());
        }
        assert_eq!(found.len(), expected.len(), "{}", path.display());
    }
}

#[test]
#[ignore = "writes the events anew; see the module's words"]
fn write_the_events_anew() {
    for path in files() {
        let events = events(&lines(&path)).join("\n") + "\n";
        fs::write(path.with_extension("events"), events).expect("fixtures can be written");
    }
}
