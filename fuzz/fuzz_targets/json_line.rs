//! A line that may be a JSON object, against serde_json alone.
//!
//! - What is read as an object, serde_json reads as one, with the same names and values; what it reads, is read here,
//!   but for objects of more than 10,000 members.
//! - Through the whole pipeline the document is JSON on one line, and a line that was no object stays in it whole, but for
//!   colours.
#![no_main]

use std::sync::{Arc, LazyLock};

use bumpalo::Bump;
use forebay::encode::{Destination, Encoder, IdBase};
use forebay::enrich::{Course, Defaults, PipelineOptions, Pipelines};
use forebay::event::{Event, Fields, Timestamp, Value};
use forebay::parse::{Format, Parse, json_object};
use forebay_fuzz::reference::{self, members};
use serde_json::Value as Json;
use serde_json::value::RawValue;

static PIPELINES: LazyLock<Pipelines> = LazyLock::new(|| {
    let defaults = Defaults { index: "logs", fallback: "logs", host: "here" };
    let parse = Parse::Formats(vec![Format::Json.into()]);
    Pipelines::compile(&[PipelineOptions { parse, ..PipelineOptions::default() }], defaults)
        .expect("good options")
});

libfuzzer_sys::fuzz_target!(|line: &str| {
    let mut fields = Fields::default();
    let ours = json_object(line, 1, &mut fields);
    let theirs = members(line);
    match (ours, &theirs) {
        (Ok(()), Some(theirs)) => agrees(&fields, theirs),
        (Err(_), None) => assert_eq!(fields.len(), 0),
        (Err(_), Some(theirs)) => assert!(theirs.len() > 10_000),
        (Ok(()), None) => panic!("no JSON object"),
    }
    through_the_pipeline(line, theirs.is_some());
});

fn agrees(fields: &Fields<'_>, theirs: &[(String, &RawValue)]) {
    let ours = fields.iter().map(|field| match field.value {
        Value::Json(json) | Value::Scalar(json) => (field.name.to_string(), json),
        ref other => panic!("{other:?}"),
    });
    let theirs = theirs.iter().map(|(name, value)| (reference::name(name), value.get()));
    assert!(ours.eq(theirs), "{fields:?}");
}

fn through_the_pipeline(line: &str, is_object: bool) {
    let pipeline = PIPELINES.choose("t").expect("the defaults");
    let mut fields = Fields::default();
    fields.push("log".into(), Value::Text(line.as_bytes()));
    let time = Timestamp::new(5, 0).expect("in range");
    let mut event = Event { time, tag: "t", fields };
    let arena = Bump::new();
    pipeline.read(&mut event, &arena, &mut Course::default());
    pipeline.apply(&mut event);
    let mut out = Vec::new();
    let destination = Destination::new(Arc::new("logs".parse().expect("a template")), "logs", "t");
    Encoder::default().write(&mut out, &destination, &event, IdBase::from_bytes([7; 16]), 9);
    let text = std::str::from_utf8(&out).expect("UTF-8");
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let [_, document] = lines[..] else { panic!("two lines: {text:?}") };
    let document: Json = serde_json::from_str(document).expect("JSON");
    // Of several lines the first is read by itself.
    if !is_object && !line.contains(['\u{1b}', '\n']) {
        assert_eq!(document["message"], line);
    }
}
