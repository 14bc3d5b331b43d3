//! A format of one's own and lines: the first byte says whether it is a regex, grok or dissect and what goes along; the first
//! line is the pattern, then come a time's form, a pattern for grok and a type where the first byte has them, then lines.
//!
//! - What is compiled or refused is so at once, whatever the pattern; a fault names its key and says why.
//! - No line panics or takes for ever, and what it became is JSON.
//! - Nothing is invented: a text is a slice of the line, or words of it side by side where dissect joins parts.
//! - A line that does not fit leaves nothing behind, and one that fits comes to the same when read again.
#![no_main]

use std::sync::Arc;

use bumpalo::Bump;
use forebay::encode::{Destination, Encoder, IdBase, IndexTemplate};
use forebay::event::{Event, Fields, Timestamp, Value};
use forebay::parse::{Grammar, Level, Own, OwnOptions, Parse, Schema, Stream, Streams, Style, read_line};

/// 2026-11-28T12:00:00Z
const ABOUT: i64 = 1_795_867_200;

libfuzzer_sys::fuzz_target!(|input: (u8, bool, &str)| {
    let (which, is_ecs, text) = input;
    let mut rest = text.split('\n');
    let options = options(which, &mut rest);
    let own = match Own::compile("own", &options) {
        Ok(own) => own,
        Err(fault) => {
            assert!(!fault.key.is_empty() && !fault.why.is_empty(), "{fault}");
            return;
        }
    };
    let joins = options.dissect.is_some_and(|pattern| pattern.contains("%{+"));
    let parse = Parse::Formats(vec![Grammar::Own(Arc::new(own))]);
    let schema = if is_ecs { Schema::Ecs } else { Schema::Plain };
    let style = Style { schema, ..Style::default() };
    for line in rest {
        assert_eq!(read(line, &parse, &style, joins), read(line, &parse, &style, joins));
    }
});

/// What the first byte and the first lines say.
fn options<'a>(which: u8, lines: &mut impl Iterator<Item = &'a str>) -> OwnOptions {
    let pattern = lines.next().map(str::to_owned);
    let mut options = match which % 3 {
        0 => OwnOptions { regex: pattern, ..OwnOptions::default() },
        1 => OwnOptions { grok: pattern, ..OwnOptions::default() },
        _ => OwnOptions { dissect: pattern, ..OwnOptions::default() },
    };
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    if which & 0x80 != 0 {
        options.time = lines.next().map(str::to_owned);
    }
    if which & 0x40 != 0 {
        options.patterns.extend(lines.next().and_then(pair));
    }
    if which & 0x20 != 0 {
        options.types.extend(lines.next().and_then(pair));
    }
    options
}

/// The document, where the line fits.
fn read(line: &str, parse: &Parse, style: &Style, joins: bool) -> Option<String> {
    let (arena, mut streams) = (Bump::new(), Streams::default());
    let time = Timestamp::new(ABOUT, 0).expect("in range");
    let mut event = Event { time, tag: "t", fields: Fields::default() };
    let stream = Stream { id: 7, last: &mut streams };
    let read = read_line(line, parse, style, &mut event, stream, &arena);
    if read.is_none() {
        assert_eq!((event.fields.len(), event.time), (0, time));
        return None;
    }
    for field in event.fields.iter() {
        let Value::Text(text) = field.value else { continue };
        let text = std::str::from_utf8(text).expect("UTF-8");
        let stands = |part| line.contains(part);
        let is_of_line = stands(text) || (joins && text.split(' ').all(stands));
        assert!(is_of_line || is_ours(&field.name, text), "{}: {text}", field.name);
    }
    Some(document(&event))
}

fn document(event: &Event<'_>) -> String {
    let index = "logs".parse::<IndexTemplate>().expect("a template");
    let mut out = Vec::new();
    let id = IdBase::from_bytes([7; 16]);
    Encoder::default().write(&mut out, &Destination::new(index.into(), "logs", "t"), event, id, 9);
    let text = String::from_utf8(out).expect("UTF-8");
    let document = text.lines().nth(1).expect("a document").to_owned();
    serde_json::from_str::<serde_json::Value>(&document).expect("JSON");
    document
}

/// Levels, and times that were kept apart.
fn is_ours(name: &str, text: &str) -> bool {
    Level::of_word(text).is_some_and(|level| level.as_str() == text) || name.ends_with("parsed.time")
}
