//! Lines of real programs, in `fixtures/lines/FORMAT/NAME.log`, and the documents they become, beside them: `NAME.plain` and
//! `NAME.ecs`, one for each line, in both schemas. `plain/` has lines that are of no format.
//!
//! `cargo test --lib write_the_documents_anew -- --ignored` writes those documents. They are to be read before they are committed:
//! the point of them is what a person finds right, not what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::encode::{Encoder, IdBase};
use crate::event::{Fields, Timestamp};
use crate::parse::{Format, Parse, Schema};

/// 2026-11-28T12:00:00Z: when the lines arrive.
const ARRIVAL: i64 = 1_795_867_200;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lines")
}

/// Each file with the format that its folder names.
pub(super) fn files() -> Vec<(PathBuf, Option<Format>)> {
    let mut files = Vec::new();
    for folder in fs::read_dir(folder()).expect("fixtures").map(|entry| entry.expect("an entry").path()) {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if !folder.is_dir() || name == "traces" {
            continue;
        }
        let format = Format::named(&name);
        assert!(format.is_some() || ["plain", "ansi"].contains(&name.as_str()), "no format is called {name}");
        let entries = fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("an entry").path());
        files.extend(
            entries
                .filter(|path| path.extension().is_some_and(|end| end == "log"))
                .map(|path| (path, format)),
        );
    }
    files.sort();
    files
}

/// Lines of real programs are not all UTF-8, and have `\r`, NUL and the like in them.
pub(super) fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).expect("a file");
    let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if bytes.is_empty() {
        Vec::new()
    } else {
        whole.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }
}

/// A pipeline, and what its readers remember.
struct Rig {
    pipelines: Pipelines,
    course: Course,
}

impl Rig {
    fn new(parse: Parse, schema: Schema) -> Self {
        let options = PipelineOptions { parse, schema, tag_field: None, ..PipelineOptions::default() };
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        Self {
            pipelines: Pipelines::compile(&[options], defaults).expect("good options"),
            course: Course::default(),
        }
    }

    /// The format of `line` and its document.
    fn document(&mut self, line: &[u8]) -> (Option<&'static str>, String) {
        let arena = Bump::new();
        let mut fields = Fields::default();
        fields.push("message".into(), Value::Text(line));
        let pipeline = Arc::clone(self.pipelines.choose("t").expect("one"));
        let mut event = Event { time: Timestamp::new(ARRIVAL, 0).expect("a time"), tag: "t", fields };
        self.course.seen.clear();
        pipeline.read(&mut event, &arena, &mut self.course);
        pipeline.apply(&mut event);
        let format = self.course.seen.lines_read().next().map(|(format, _)| format);
        let mut out = Vec::new();
        Encoder::default().write(
            &mut out,
            &pipeline.destination("t"),
            &event,
            IdBase::of_chunk(b"", b"", b""),
            1,
        );
        let text = String::from_utf8(out).expect("UTF-8");
        let document = text.lines().nth(1).expect("a document").replacen("\"event.sequence\":1,", "", 1);
        serde_json::from_str::<serde_json::Value>(&document)
            .unwrap_or_else(|why| panic!("{why}: {document}"));
        (format, document)
    }
}

/// One line of a file of documents: the format's name, a tab, the document.
fn shown((format, document): &(Option<&'static str>, String)) -> String {
    format!("{}\t{document}\n", format.unwrap_or("-"))
}

const SCHEMAS: [(Schema, &str); 2] = [(Schema::Plain, "plain"), (Schema::Ecs, "ecs")];

/// How the lines of a folder are read: by themselves where a line tells its format.
fn parse(format: Option<Format>) -> Parse {
    match format {
        Some(format) if !format.is_automatic() => Parse::Formats(vec![format.into()]),
        _ => Parse::Auto,
    }
}

#[test]
fn each_line_becomes_the_document_beside_it() {
    let mut wrong = Vec::new();
    for (path, format) in files() {
        for (schema, end) in SCHEMAS {
            let expected = fs::read_to_string(path.with_extension(end)).unwrap_or_default();
            let mut rig = Rig::new(parse(format), schema);
            let mut expected = expected.split_terminator('\n');
            for line in lines(&path) {
                let found = shown(&rig.document(&line));
                let line = String::from_utf8_lossy(&line);
                let expected = expected.next().unwrap_or("nothing");
                if found.trim_end() != expected {
                    wrong.push(format!(
                        "{}\n  line     {line}\n  expected {expected}\n  found    {found}",
                        path.display()
                    ));
                }
            }
            assert_eq!(expected.next(), None, "{} has documents of no line", path.display());
        }
    }
    assert!(wrong.is_empty(), "{} lines\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "writes the documents anew; see the module's words"]
fn write_the_documents_anew() {
    for (path, format) in files() {
        for (schema, end) in SCHEMAS {
            let mut rig = Rig::new(parse(format), schema);
            let documents: String = lines(&path).iter().map(|line| shown(&rig.document(line))).collect();
            fs::write(path.with_extension(end), documents).expect("fixtures can be written");
        }
    }
}

/// How many lines `auto` reads as what they are.
#[derive(Default)]
pub(super) struct Measure {
    pub(super) all: u32,
    pub(super) right: u32,
    /// Lines that a program of a format printed, and that do not tell it for sure: left as they are, which is right.
    pub(super) unsure: u32,
    wrong: BTreeSet<String>,
}

/// `auto` over the lines of all formats that it knows, and over those that have none. No line of none is claimed.
pub(super) fn measure() -> Measure {
    let mut measure = Measure::default();
    for (path, format) in files().into_iter().filter(|(_, format)| format.is_none_or(Format::is_automatic)) {
        if path.parent().is_some_and(|folder| folder.ends_with("ansi")) {
            continue;
        }
        let is_unsure =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("not_surely_"));
        let mut rig = Rig::new(Parse::Auto, Schema::Plain);
        for line in lines(&path) {
            let (found, _) = rig.document(&line);
            let line = String::from_utf8_lossy(&line);
            measure.all += 1;
            measure.unsure += u32::from(is_unsure);
            if found == format.map(Format::name) {
                measure.right += 1;
            } else {
                measure.wrong.insert(format!("{found:?} in place of {format:?}: {line}"));
            }
            assert!(found.is_none() || format.is_some(), "{found:?} is claimed of {line}");
        }
    }
    measure
}

#[test]
fn a_line_is_recognised_as_what_its_folder_says_and_no_line_of_none_is_claimed() {
    let Measure { all, right, wrong, .. } = measure();
    assert!(right * 100 >= all * 98, "{right} of {all} are right\n{wrong:#?}");
}
