//! Any valid record, in every encoding that msgpack has for it, against the plain conversion in `reference`.

use std::collections::HashSet;

use proptest::prelude::*;
use rmpv::{Utf8String, Value};
use serde_json::Value as Json;

use super::reference::Members;
use super::reference::{document, msgpack, rfc3339, same};
use super::*;
use crate::decode::{Body, Entries};
use crate::event::Timestamp;

/// Names that collide, that must be mended, or that every document has.
fn name() -> impl Strategy<Value = Value> {
    const KNOWN: &[&str] = &[
        "a",
        "b",
        "a.",
        ".a",
        "a.b",
        "a. .b",
        "event",
        "event.value",
        "event.sequence",
        "event.sequence.x.y",
        "event.sequence.x_y",
        "sequence",
        "a.b.c",
        "@timestamp",
        "@timestamp.x",
        "field_@timestamp",
        "_id",
        "_id.x",
        "_raw",
        "",
        " ",
    ];
    prop_oneof![
        4 => proptest::sample::select(KNOWN).prop_map(Value::from),
        2 => "[a-e_.@ é\\x00\\x1c\"]{0,8}".prop_map(Value::from),
        1 => scalar(),
        1 => (1..30_usize).prop_map(|parts| Value::from(vec!["p"; parts].join("."))),
        1 => (500..600_usize).prop_map(|length| Value::from("ä.".repeat(length / 3))),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-200_i64..300).prop_map(Value::from),
        any::<f32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,80}|[\\x00-\\x7f]{0,20}".prop_map(Value::from),
        bytes().prop_map(|bytes| Value::String(text_of(bytes))),
        bytes().prop_map(Value::Binary),
        (any::<i8>(), bytes()).prop_map(|(kind, bytes)| Value::Ext(kind, bytes)),
        (proptest::sample::select(vec![-1_i8, 0]), proptest::collection::vec(any::<u8>(), 8))
            .prop_map(|(kind, bytes)| Value::Ext(kind, bytes)),
    ]
}

/// A str that need not be UTF-8, as a peer may send it.
fn text_of(bytes: Vec<u8>) -> Utf8String {
    let head = [0xd9, bytes.len() as u8];
    match rmpv::decode::read_value(&mut &[&head[..], &bytes].concat()[..]) {
        Ok(Value::String(text)) => text,
        other => panic!("a str: {other:?}"),
    }
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 60, 6, |inner| {
        let pairs = proptest::collection::vec((name(), inner.clone()), 0..6).boxed();
        prop_oneof![
            3 => pairs.clone().prop_map(Value::Map),
            1 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            // Deeper than any index takes, as a map or as arrays.
            1 => (inner, 15..30_usize, any::<bool>()).prop_map(|(inner, depth, map)| {
                (0..depth).fold(inner, |inner, _| match map {
                    true => Value::Map(vec![(Value::from("d"), inner)]),
                    false => Value::Array(vec![inner]),
                })
            }),
            1 => (pairs, inner_names()).prop_map(|(pairs, name)| Value::Map(vec![(name, Value::Map(pairs))])),
        ]
    })
}

/// Keys that are no scalars.
fn inner_names() -> impl Strategy<Value = Value> {
    proptest::collection::vec(scalar(), 0..3).prop_map(Value::Array)
}

fn record() -> impl Strategy<Value = Vec<(Value, Value)>> {
    prop_oneof![
        9 => proptest::collection::vec((name(), value()), 0..12),
        // More than are compared one by one.
        1 => proptest::collection::vec((name(), scalar()), 30..60),
    ]
}

/// The document of a record, read from its bytes and written as the pass does it.
fn written(record: &[(Value, Value)]) -> Vec<u8> {
    let bytes = [vec![0x05], msgpack(&Value::Map(record.to_vec()))].concat();
    let mut fields = Fields::default();
    let read = Entries::new(&Body::Message(&bytes), 255, usize::MAX).next(&mut fields);
    let time = read.expect("an entry").expect("a good one").expect("a time");
    let event = Event { time, tag: "t", fields };
    let template: IndexTemplate = "logs".parse().expect("a template");
    let destination = Destination::new(Arc::new(template), "logs", "t");
    let mut out = Vec::new();
    Encoder::default().write(&mut out, &destination, &event, IdBase::from_bytes([7; 16]), 9);
    out
}

/// Reads JSON and refuses a name that is there twice in one object, as Elasticsearch does.
pub(crate) fn strict(json: &str) -> Json {
    fn names(json: &str) {
        let raw: Result<Members<'_>, _> = serde_json::from_str(json);
        match raw {
            Ok(Members(members)) => {
                let mut seen = HashSet::new();
                for (name, value) in members {
                    assert!(seen.insert(name.clone()), "{name:?} twice in {json}");
                    names(value.get());
                }
            }
            Err(_) if json.starts_with('[') => {
                let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(json).expect("an array");
                items.iter().for_each(|item| names(item.get()));
            }
            Err(_) => assert!(!json.starts_with('{'), "{json}"),
        }
    }
    names(json);
    serde_json::from_str(json).unwrap_or_else(|why| panic!("{why}: {json}"))
}

/// Holds the document of `record` against the plain conversion.
fn agrees(record: &[(Value, Value)]) {
    let out = String::from_utf8(written(record)).expect("UTF-8");
    let lines: Vec<&str> = out.split_terminator('\n').collect();
    let [_, line] = lines[..] else { panic!("two lines: {out:?}") };
    let mut ours = strict(line);
    let members = ours.as_object_mut().expect("an object");
    assert_eq!(members.remove("@timestamp"), Some(Json::from(rfc3339(5, 0))));
    assert_eq!(members.remove("event.sequence"), Some(Json::from(9)));
    let theirs = document(record);
    assert!(same(&ours, &theirs), "{}\n ours: {ours}\nplain: {theirs}", Value::Map(record.to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn the_document_of_any_record_is_what_the_plain_conversion_says(record in record()) {
        agrees(&record);
    }

    #[test]
    fn every_time_is_written_as_the_calendar_says(seconds in -62_167_219_200_i64..=253_402_207_200, nanos in 0..1_000_000_000_u32) {
        let mut writer = TimeWriter::default();
        let text = writer.text(Timestamp::new(seconds, nanos).expect("in range"));
        prop_assert_eq!(str::from_utf8(text).expect("ASCII"), rfc3339(seconds, u64::from(nanos)));
    }
}

#[test]
fn the_first_and_the_last_second_that_can_be_written_are() {
    for (seconds, text) in [
        (-62_167_219_200, "0000-01-01T00:00:00.000000000Z"),
        (253_402_207_200, "9999-12-30T22:00:00.000000000Z"),
    ] {
        let mut writer = TimeWriter::default();
        let written = writer.text(Timestamp::new(seconds, 0).expect("in range"));
        assert_eq!(str::from_utf8(written), Ok(text));
    }
}
