//! What holds for every grammar, on the lines of the fixtures cut and put together at random.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bumpalo::Bump;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::event::{Event, Fields, Timestamp, Value};
use crate::parse::auto::fits as fits_format;
use crate::parse::known;
use crate::parse::sink::{Sink, Style};
use crate::parse::{Format, Parse, Schema, Stream, Streams, read_line};

/// Whether a grammar takes `line`.
pub(in crate::parse) fn fits(read: for<'a> fn(&'a str, &mut Sink<'_, 'a>) -> Option<()>, line: &str) -> bool {
    let (arena, style, mut fields) = (Bump::new(), Style::default(), Fields::default());
    let about = Timestamp::new(1_795_867_200, 0).expect("a time");
    read(line, &mut Sink::new(&mut fields, &style, about, &arena)).is_some()
}

/// All lines of all fixtures.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lines");
    let entries =
        |path: &Path| fs::read_dir(path).expect("fixtures").map(|entry| entry.expect("an entry").path());
    let folders = entries(&folder).filter(|path| path.is_dir());
    let mut files: Vec<_> = folders
        .flat_map(|folder| entries(&folder).collect::<Vec<_>>())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    files.sort();
    let texts = files.iter().map(|path| fs::read(path).expect("a file"));
    texts
        .flat_map(|text| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
});

/// What grammars look for, and what none of them expects.
const PIECES: [&str; 24] = [
    "",
    " ",
    "\"",
    "\\",
    "[",
    "]",
    ":",
    ", ",
    "=",
    "-",
    "/",
    "{",
    "}",
    "<34>",
    "0",
    "99999999999999999999",
    "ä",
    "\u{0}",
    "\" \"",
    "] [",
    "\" 200 ",
    "28/Nov/2026:12:11:09 +0000",
    "2026-11-28T12:11:09Z",
    "Nov 28 12:11:09",
];

fn cut(line: &str, at: Index) -> usize {
    let ends: Vec<_> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    *at.get(&ends)
}

/// The beginning of one line, a piece, and the end of another; often the same.
fn line() -> impl Strategy<Value = String> {
    let pick = (any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>(), any::<bool>());
    (pick, select(&PIECES[..])).prop_map(|((first, second, from, to, same), piece)| {
        let first: &String = first.get(&LINES);
        let second = if same { first } else { second.get(&LINES) };
        let (head, tail) = (cut(first, from), cut(second, if same { from } else { to }));
        format!("{}{piece}{}", first.split_at(head).0, second.split_at(tail).1)
    })
}

/// Reads `line` in `format`; that nothing is left where it does not fit, and that texts lie in the line where it does.
fn holds(format: Format, line: &str, schema: Schema) -> Result<(), TestCaseError> {
    let style = Style { schema, ..Style::default() };
    let (arena, mut fields) = (Bump::new(), Fields::default());
    let about = Timestamp::new(1_795_867_200, 0).expect("a time");
    let fits = fits_format(format, line, &mut Sink::new(&mut fields, &style, about, &arena));
    prop_assert!(fits || fields.is_empty(), "{:?} leaves fields behind", format);
    let inside = line.as_bytes().as_ptr_range();
    // What is escaped is no slice, nor is a word for syslog's number.
    let has_escapes = line.contains('\\') || (format == Format::Csv && line.contains("\"\""));
    let words = [known::FACILITY, known::SEVERITY].map(|known| known.name(schema));
    for field in fields.iter().filter(|field| !has_escapes && !words.contains(&field.name.as_ref())) {
        let text = match &field.value {
            Value::Text(text) => text,
            Value::Scalar(text) => text.as_bytes(),
            _ => continue,
        };
        let place = text.as_ptr_range();
        let lies_inside = inside.start <= place.start && place.end <= inside.end;
        prop_assert!(lies_inside, "{:?} invents {} in {}", format, field.name, line);
    }
    Ok(())
}

/// The time of `line` in `format`, if it fits without being named.
fn time(format: Format, line: &str) -> Option<Timestamp> {
    let (arena, style) = (Bump::new(), Style::default());
    let time = Timestamp::new(1_795_867_200, 0).expect("a time");
    let mut event = Event { time, tag: "t", fields: Fields::default() };
    let mut sink = Sink::new(&mut event.fields, &style, time, &arena);
    if !format.may_have(line) || !fits_format(format, line, &mut sink) {
        return None;
    }
    let (own, said) = sink.whole();
    said.settle(&mut event, own, &style, &arena);
    Some(event.time)
}

#[test]
fn a_line_fits_one_automatic_format_at_most() {
    let style = Style::default();
    let about = Timestamp::new(1_795_867_200, 0).expect("a time");
    let fits = |format: &Format, line: &str| {
        let (arena, mut fields) = (Bump::new(), Fields::default());
        fits_format(*format, line, &mut Sink::new(&mut fields, &style, about, &arena))
    };
    let fitting = |line: &String| {
        let all: Vec<_> = Format::candidates(line).filter(|format| fits(format, line)).collect();
        (all.len() > 1).then(|| format!("{all:?} {line}"))
    };
    let wrong: Vec<_> = LINES.iter().filter_map(fitting).collect();
    assert!(wrong.is_empty(), "{} lines\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_line_that_fits_two_formats_has_the_same_time_in_both() {
    for line in LINES.iter() {
        let times: Vec<_> =
            Format::ALL.iter().filter_map(|format| Some((format, time(*format, line)?))).collect();
        let is_one = times.windows(2).all(|pair| matches!(pair, [(_, one), (_, other)] if one == other));
        assert!(is_one, "{line}\n{times:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_line_panics_and_every_text_is_a_slice_of_it(line in line()) {
        for format in Format::ALL {
            holds(*format, &line, Schema::Plain)?;
            holds(*format, &line, Schema::Ecs)?;
        }
    }

    #[test]
    fn what_was_read_before_makes_no_other_document(line in line(), before in any::<Index>()) {
        let style = Style::default();
        let read = |last: &mut Streams, line: &str| {
            let (arena, fields) = (Bump::new(), Fields::default());
            let time = Timestamp::new(1_795_867_200, 0).expect("a time");
            let mut event = Event { time, tag: "t", fields };
            let format = read_line(line, &Parse::Auto, &style, &mut event, Stream { id: 1, last }, &arena);
            let format = format.map(|read| read.format);
            format!("{format:?} {:?} {:?}", event.time, event.fields.iter().collect::<Vec<_>>())
        };
        let mut last = Streams::default();
        let before: &String = before.get(&LINES);
        read(&mut last, before);
        prop_assert_eq!(read(&mut last, &line), read(&mut Streams::default(), &line));
    }
}
