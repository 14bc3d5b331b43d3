//! The part of `docs/formats.md` between two marks is what `fixtures/lines` says: a table of the formats, and for each an
//! example line with its document.
//!
//! `cargo test --lib write_the_page_anew -- --ignored` writes that part; the rest of the page is written by hand.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::auto_fixtures::{self, Measure};
use super::line_fixtures::files;
use crate::event::{Fields, Value};
use crate::parse::{Format, json_object};

const BEGIN: &str = "<!-- From fixtures/lines, by `cargo test --lib write_the_page_anew -- --ignored`. -->\n";
const END: &str = "<!-- End of what is from fixtures/lines. -->\n";

/// What the fixtures say of one name of a format.
#[derive(Default)]
struct Entry {
    format: Option<Format>,
    /// The plain names that its lines are read to, in the order in which they come.
    names: Vec<String>,
    /// Its first line that can be shown, and the documents that it becomes.
    example: Option<(String, String, String)>,
}

/// By the folder's name.
fn entries() -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::<String, Entry>::new();
    for (path, format) in files().into_iter().filter(|(_, format)| format.is_some()) {
        let folder =
            path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("a folder");
        let entry = entries.entry(folder.to_owned()).or_default();
        entry.format = format;
        let text = fs::read(&path).expect("a file");
        let documents = |end| fs::read_to_string(path.with_extension(end)).unwrap_or_default();
        let (plain, ecs) = (documents("plain"), documents("ecs"));
        for ((line, plain), ecs) in text.split(|byte| *byte == b'\n').zip(plain.lines()).zip(ecs.lines()) {
            entry.read(line, plain, ecs);
        }
    }
    entries
}

impl Entry {
    fn read(&mut self, line: &[u8], plain: &str, ecs: &str) {
        let read_as = self.format.map_or("-", Format::name);
        let document = |shown: &str| shown.strip_prefix(read_as)?.strip_prefix('\t').map(str::to_owned);
        let (Some(plain), Some(ecs)) = (document(plain), document(ecs)) else { return };
        // A sender's own names, of which there may be any, say nothing of the format.
        for (name, _) in members(&plain) {
            if name != "@timestamp" && !self.names.contains(&name) && self.names.len() < NAMES {
                self.names.push(name);
            }
        }
        let line = str::from_utf8(line).ok().filter(|line| can_be_shown(line));
        if let Some(line) = line.filter(|_| self.example.is_none()) {
            self.example = Some((line.to_owned(), plain, ecs));
        }
    }
}

/// More names than a format has that chooses them itself.
const NAMES: usize = 16;

fn can_be_shown(line: &str) -> bool {
    line.len() <= 400 && !line.contains("```") && line.chars().all(|char| char == '\t' || !char.is_control())
}

/// The members of a document in their order, each value in its JSON text.
fn members(document: &str) -> Vec<(String, String)> {
    let mut fields = Fields::default();
    json_object(document, 1, &mut fields).expect("a document");
    let text = |value: &Value<'_>| match value {
        Value::Json(json) | Value::Scalar(json) => (*json).to_owned(),
        other => panic!("{other:?} is no JSON text"),
    };
    fields.iter().map(|field| (field.name.to_string(), text(&field.value))).collect()
}

/// What `auto` makes of all lines, in words.
fn measured() -> String {
    let Measure { all, right, unsure, named, timed, .. } = auto_fixtures::measure();
    let percent = f64::from(right * 1_000 / all) / 10.0;
    format!(
        "\nOf all {all} lines of these formats and of none, shuffled into one stream, `auto` makes of {right} what they are ({percent} %). It \
         claims none\nfor a format that it does not have, and each of the {timed} times that it takes stands in its line. A line that does \
         not surely tell its\nformat is right where it stays a message: {unsure} that a program of a format printed, by an impossible date or \
         without a level, and\n{named} of formats that have to be named. What is left are near misses and lines that are not UTF-8.\n",
    )
}

fn page_part() -> String {
    let entries = entries();
    let mut part = measured();
    part.push_str("\n| name | format | `auto` | fields |\n|---|---|---|---|\n");
    for (name, entry) in &entries {
        let Some(format) = entry.format else { continue };
        let auto = if format.is_automatic() { "yes" } else { "to be named" };
        let fields: Vec<_> = entry.names.iter().map(|name| format!("`{name}`")).collect();
        writeln!(part, "| [`{name}`](#{name}) | `{}` | {auto} | {} |", format.name(), fields.join(" "))
            .expect("room");
    }
    for (name, entry) in &entries {
        let Some((line, plain, ecs)) = &entry.example else { continue };
        write!(part, "\n### {name}\n\n```\n{line}\n```\n\n`plain`, `ecs`:\n\n```json\n").expect("room");
        for document in [plain, ecs] {
            let members: Vec<_> =
                members(document).iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
            writeln!(part, "{{\n{}\n}}", members.join(",\n")).expect("room");
        }
        part.push_str("```\n");
    }
    part.push('\n');
    part
}

fn page() -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let text = fs::read_to_string(&path).expect("the page");
    (path, text)
}

/// What stands before the marked part, it, and what stands behind it.
fn parts(page: &str) -> (&str, &str, &str) {
    let (before, rest) = page.split_once(BEGIN).expect("the first mark");
    let (part, after) = rest.split_once(END).expect("the second mark");
    (before, part, after)
}

#[test]
fn the_page_of_formats_says_what_the_fixtures_say() {
    let (_, page) = page();
    let (_, found, _) = parts(&page);
    let expected = page_part();
    let differs = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "docs/formats.md differs from line {differs:?} of its marked part on; the module's words say how to write it anew"
    );
}

#[test]
fn each_format_is_on_the_page() {
    let entries = entries();
    for format in Format::ALL {
        let shown = entries.values().any(|entry| entry.format == Some(*format) && entry.example.is_some());
        assert!(shown, "{} has no line in fixtures/lines", format.name());
    }
}

#[test]
#[ignore = "writes the page anew; see the module's words"]
fn write_the_page_anew() {
    let (path, page) = page();
    let (before, _, after) = parts(&page);
    fs::write(path, format!("{before}{BEGIN}{}{END}{after}", page_part())).expect("the page can be written");
}
