//! Lines of real programs, in `fixtures/lines/FORMAT/NAME.log`, and the documents they become, beside them: `NAME.plain` and
//! `NAME.ecs`, one for each line, in both schemas. `plain/` has lines that are of no format.
//!
//! `cargo test --lib write_the_documents_anew -- --ignored` writes those documents. They are to be read before they are committed:
//! the point of them is what a person finds right, not what the code does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::encode::{Encoder, IdBase};
use crate::event::{Fields, Timestamp};
use crate::parse::{Format, Parse, Schema};

/// 2026-11-28T12:00:00Z: when the lines arrive.
pub(super) const ARRIVAL: i64 = 1_795_867_200;

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
pub(super) struct Rig {
    pipelines: Pipelines,
    course: Course,
}

impl Rig {
    pub(super) fn new(parse: Parse, schema: Schema) -> Self {
        let options = PipelineOptions { parse, schema, tag_field: None, ..PipelineOptions::default() };
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        Self {
            pipelines: Pipelines::compile(&[options], defaults).expect("good options"),
            course: Course::default(),
        }
    }

    /// The format of `line` and its document.
    pub(super) fn document(&mut self, line: &[u8]) -> (Option<&'static str>, String) {
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

#[test]
fn each_format_has_twenty_lines_or_more() {
    let mut lines = BTreeMap::<_, usize>::new();
    for (path, _) in files() {
        let folder = path.parent().expect("a folder").to_owned();
        *lines.entry(folder).or_default() += self::lines(&path).len();
    }
    lines.retain(|_, lines| *lines < 20);
    assert!(lines.is_empty(), "{lines:#?}");
}
