//! A line in every format: the first byte says which, or that it is to be found out.
//!
//! - No grammar panics or takes for ever, and what a line became is JSON.
//! - Nothing is invented: a text is a slice of the line, unless a backslash in it had a meaning, or it is one of our own words.
//! - A line that does not fit leaves nothing behind.
//! - What is found out without being told is what is found out when asked again, whatever the stream's last format was.
#![no_main]

use bumpalo::Bump;
use forebay::encode::{Encoder, IdBase};
use forebay::event::{Event, Fields, Timestamp, Value};
use forebay::parse::{Format, Level, Parse, Schema, Stream, Streams, Style, read_line};

/// 2026-11-28T12:00:00Z
const ABOUT: i64 = 1_795_867_200;

libfuzzer_sys::fuzz_target!(|input: (u8, bool, &str)| {
    let (which, is_ecs, line) = input;
    let schema = if is_ecs { Schema::Ecs } else { Schema::Plain };
    let style = Style { schema, ..Style::default() };
    let mut streams = Streams::default();
    let format = Format::ALL.get(usize::from(which)).copied();
    let Some(format) = format else {
        let alone = read(line, &Parse::Auto, &style, &mut streams);
        // Another format is remembered now, if the line had one.
        for other in Format::ALL {
            let _remembered = read(line, &Parse::Formats(vec![(*other).into()]), &style, &mut streams);
        }
        assert_eq!(read(line, &Parse::Auto, &style, &mut streams), alone);
        return;
    };
    let _read = read(line, &Parse::Formats(vec![format.into()]), &style, &mut streams);
});

/// The format that was found, and the document.
fn read(line: &str, parse: &Parse, style: &Style, streams: &mut Streams) -> (Option<&'static str>, String) {
    let arena = Bump::new();
    let time = Timestamp::new(ABOUT, 0).expect("in range");
    let mut event = Event { time, tag: "t", fields: Fields::default() };
    let stream = Stream { id: 7, last: streams };
    let read = read_line(line, parse, style, &mut event, stream, &arena);
    if read.is_none() {
        assert_eq!((event.fields.len(), event.time), (0, time));
    }
    let may_unescape = line.contains(['\\', '"', '%']);
    for field in event.fields.iter() {
        let Value::Text(text) = field.value else { continue };
        let text = std::str::from_utf8(text).expect("UTF-8");
        assert!(may_unescape || line.contains(text) || is_ours(&field.name, text), "{}: {text}", field.name);
    }
    let mut out = Vec::new();
    let destination = forebay::encode::Destination::new(
        "logs".parse::<forebay::encode::IndexTemplate>().expect("a template").into(),
        "logs",
        "t",
    );
    Encoder::default().write(&mut out, &destination, &event, IdBase::from_bytes([7; 16]), 9);
    let text = String::from_utf8(out).expect("UTF-8");
    let document = text.lines().nth(1).expect("a document").to_owned();
    serde_json::from_str::<serde_json::Value>(&document).expect("JSON");
    (read.map(|read| read.format), document)
}

/// Levels, and times that were kept apart.
fn is_ours(name: &str, text: &str) -> bool {
    Level::of_word(text).is_some_and(|level| level.as_str() == text)
        || name.ends_with("parsed.time")
        || name.contains("facility")
        || name.contains("severity")
}
