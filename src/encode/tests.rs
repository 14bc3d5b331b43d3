//! Records in, documents out.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Destination, Encoder, IdBase, Mended};
use crate::decode::read_record;
use crate::event::{Event, Fields, Timestamp};

pub(super) fn encode(fields: Fields<'_>) -> (String, Mended) {
    let template = Arc::new("logs-{tag}-default".parse().expect("good"));
    let destination = Destination::new(template, "fallback", "ml-api");
    let time = Timestamp::new(1_705_314_645, 123_456_789).expect("in range");
    let event = Event { time, tag: "ml-api", fields };
    let mut encoder = Encoder::default();
    let mut out = Vec::new();
    encoder.write(&mut out, &destination, &event, IdBase::from_bytes([7; 16]), 42);
    (String::from_utf8(out).expect("UTF-8"), encoder.mended)
}

/// The document of a record, without the two fields that every document has.
fn document(record: &[u8]) -> (Json, Mended) {
    let mut fields = Fields::default();
    read_record(record, &mut fields).expect("a record");
    let (lines, mended) = encode(fields);
    let (_, document) = lines.trim_end().split_once('\n').expect("two lines");
    let mut document: Json = serde_json::from_str(document).unwrap_or_else(|why| panic!("{why}: {document}"));
    let object = document.as_object_mut().expect("an object");
    assert_eq!(object.remove("@timestamp"), Some(json!("2024-01-15T10:30:45.123456789Z")));
    assert_eq!(object.remove("event.sequence"), Some(json!(42)));
    (document, mended)
}

pub(super) fn packed(value: &impl serde::Serialize) -> Vec<u8> {
    rmp_serde::to_vec(value).expect("in memory")
}

#[test]
fn the_action_line_has_index_and_id() {
    let (lines, _) = encode(Fields::default());
    let action: Json = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    let id = action["create"]["_id"].as_str().expect("an id");
    assert_eq!(action["create"]["_index"], "logs-ml_api-default");
    assert_eq!(id.len(), super::ID_LENGTH);
}

#[test]
fn integers_of_every_width_are_exact() {
    let record =
        json!({"a": u64::MAX, "b": i64::MIN, "c": -1, "d": 0, "e": 65536, "f": -129, "g": [u32::MAX]});
    assert_eq!(document(&packed(&record)).0, record);
}

#[test]
fn floats_are_as_short_as_they_were_meant_and_what_is_no_number_is_null() {
    let record = [b"\x84\xa1a\xca".as_slice(), &0.1_f32.to_be_bytes(), b"\xa1b\xcb", &0.1_f64.to_be_bytes()];
    let rest =
        [b"\xa1c\xcb".as_slice(), &f64::NAN.to_be_bytes(), b"\xa1d\x91\xca", &f32::INFINITY.to_be_bytes()];
    let (document, mended) = document(&[record.concat(), rest.concat()].concat());
    assert_eq!(document.to_string(), r#"{"a":0.1,"b":0.1,"c":null,"d":[null]}"#);
    assert_eq!(mended.not_finite, 2);
}

#[test]
fn bytes_are_text_where_they_can_be_and_base64_where_not() {
    let (document, _) = document(b"\x83\xa1a\xc4\x02hi\xa1b\xc4\x02\xff\x00\xa1c\x91\xc4\x01\xff");
    assert_eq!(document, json!({"a": "hi", "b": "/wA=", "c": ["/w=="]}));
}

#[test]
fn extensions_are_times_where_they_are_and_base64_else() {
    let event_time = b"\xd7\x00\x65\xa5\x0a\x15\x00\x00\x00\x05".as_slice();
    let timestamp = b"\xd6\xff\x65\xa5\x0a\x15".as_slice();
    let record = [b"\x83\xa1a", event_time, b"\xa1b", timestamp, b"\xa1c\xd4\x09\xff"].concat();
    let (document, _) = document(&record);
    let (a, b) = ("2024-01-15T10:33:57.000000005Z", "2024-01-15T10:33:57.000000000Z");
    assert_eq!(document, json!({"a": a, "b": b, "c": "/w=="}));
}

#[test]
fn names_that_are_no_text_are_written_out() {
    let (document, _) = document(b"\x84\x01\x01\xc3\x02\xc4\x01k\x03\x91\x01\x04");
    assert_eq!(document, json!({"1": 1, "true": 2, "k": 3, "kQE": 4}));
}

#[test]
fn the_last_of_a_repeated_name_wins_at_every_level() {
    let (document, _) = document(b"\x83\xa1a\x01\xa1n\x83\xa1x\x01\xa1y\x02\xa1x\x03\xa1a\x02");
    assert_eq!(document, json!({"n": {"y": 2, "x": 3}, "a": 2}));
}

#[test]
fn names_that_elasticsearch_refuses_are_mended_at_every_level() {
    let record = json!({"_id": 1, "": 2, ".a..b.": 3, "n": {"": {"..": 1}, "_id": 2, "x.": 3}});
    let expected =
        json!({"field_id": 1, "empty": 2, "a.b": 3, "n": {"empty": {"empty": 1}, "_id": 2, "x": 3}});
    assert_eq!(document(&packed(&record)).0, expected);
}

#[test]
fn objects_too_deep_for_an_index_are_kept_as_text() {
    let mut record = json!("core");
    for _ in 0..25 {
        record = json!({ "n": record });
    }
    let (mut document, mended) = document(&packed(&record));
    assert_eq!(mended.too_deep, 1);
    for _ in 0..20 {
        document = document["n"].take();
    }
    assert_eq!(document, json!(r#"{"n":{"n":{"n":{"n":{"n":"core"}}}}}"#));
}

#[test]
fn names_that_every_document_has_are_moved_aside() {
    let (document, _) =
        document(&packed(&json!({"event": "login", "@timestamp": "bad", "event.sequence": 1})));
    let expected = json!({"event.value": "login", "field_@timestamp": "bad", "field_event_sequence": 1});
    assert_eq!(document, expected);
    let object = json!({"event": {"dataset": "x"}});
    assert_eq!(super::tests::document(&packed(&object)).0, object);
}

#[test]
fn names_below_one_that_is_moved_aside_stay_apart() {
    let (document, _) = document(&packed(&json!({"event.sequence.x.y": 1, "event.sequence.x_y": 2})));
    assert_eq!(document, json!({"field_event_sequence.x.y": 1, "field_event_sequence.x_y": 2}));
}

#[test]
fn a_value_with_the_name_of_an_object_is_kept_below_it() {
    for (record, expected) in [
        (json!({"log": "x", "log.level": "INFO"}), json!({"log.value": "x", "log.level": "INFO"})),
        (json!({"a.b.c": 1, "a.b": 2, "a": null}), json!({"a.b.c": 1, "a.b.value": 2, "a.value": null})),
        (json!({"a": 1, "a.value": 2}), json!({"a.value_": 1, "a.value": 2})),
        (json!({"a": 1, "a.value.b": 2}), json!({"a.value_": 1, "a.value.b": 2})),
        (json!({"event": 1, "event.value.b": 2}), json!({"event.value_": 1, "event.value.b": 2})),
        (json!({"a": [1], "a.b": 2}), json!({"a.value": [1], "a.b": 2})),
        (
            json!({"@timestamp": 1, "@timestamp.b": 2}),
            json!({"field_@timestamp.value": 1, "field_@timestamp.b": 2}),
        ),
        (json!({"a": {"c": 1}, "a.b": 2}), json!({"a": {"c": 1}, "a.b": 2})),
        (
            json!({"labels": {"app": "x", "app.kubernetes.io/name": "y"}}),
            json!({"labels": {"app.value": "x", "app.kubernetes.io/name": "y"}}),
        ),
        (
            json!({"labels": {"a.b.c": "x", "a": 1, "a.b": {"d": 1}, "event": 1}}),
            json!({"labels": {"a.b.c": "x", "a.value": 1, "a.b": {"d": 1}, "event": 1}}),
        ),
        (json!({"a": 1, "ab": 2, "ab.c-d": 3}), json!({"a": 1, "ab.value": 2, "ab.c-d": 3})),
        (
            json!({"event": {"sequence": 5, "kind": "x"}, "event.kind": "y"}),
            json!({"event.kind": "y", "field_event_sequence": 5, "event.kind_": "x"}),
        ),
    ] {
        assert_eq!(document(&packed(&record)).0, expected, "{record}");
        let line = record.to_string();
        let mut fields = Fields::default();
        crate::parse::json_object(&line, 1, &mut fields).expect("JSON");
        let (lines, _) = encode(fields);
        let (_, document) = lines.trim_end().split_once("\"event.sequence\":42,").expect("a document");
        assert_eq!(serde_json::from_str::<Json>(&format!("{{{document}")).expect("JSON"), expected, "{line}");
    }
}

#[test]
fn of_very_many_fields_each_name_is_looked_for_in_a_table() {
    let names = (0..5_000).flat_map(|n| [format!("a{n}"), format!("a{n}.b"), format!("@timestamp.{n}")]);
    let record = Json::Object(names.map(|name| (name, json!(1))).collect());
    let (document, _) = document(&packed(&record));
    let fields = document.as_object().expect("an object");
    assert_eq!(fields.len(), 15_000);
    for name in ["a0.value", "a4999.value", "a4999.b", "field_@timestamp.4999"] {
        assert!(fields.contains_key(name), "{name}");
    }
}

#[test]
fn nested_json_of_a_line_follows_the_same_rules() {
    let line = r#"{"n":{"a":1,"":2,"\u0062":[{"a":1,"a":2}], "_id" : {"x..y":null}},"plain":{"x":[1, 2.50,"\u00e9"]}}"#;
    let mut fields = Fields::default();
    crate::parse::json_object(line, 1, &mut fields).expect("JSON");
    let (lines, _) = encode(fields);
    let document = lines.lines().nth(1).expect("two lines");
    assert!(
        document.ends_with(
            r#""n":{"a":1,"empty":2,"b":[{"a":2}],"_id":{"x.y":null}},"plain":{"x":[1,2.50,"\u00e9"]}}"#
        ),
        "{document}"
    );
}

/// JSON values whose names need no mending, nested within the limit.
/// How often each name stands in the document, nested ones apart by their depth in text only.
fn count(lines: &str, name: &str) -> usize {
    lines.matches(&format!("\"{name}\":")).count()
}

#[test]
fn names_that_are_moved_aside_never_meet_one_that_is_there() {
    let record = json!({
        "event": 1, "event.value": 2, "event.sequence": 3, "field_event_sequence": 4, "event.sequence.of": 5,
        "@timestamp": 6, "field_@timestamp": 7, "@timestamp.of": 8,
    });
    let record = packed(&record);
    let mut fields = Fields::default();
    read_record(&record, &mut fields).expect("a record");
    let (lines, _) = encode(fields);
    for name in ["@timestamp", "event.sequence", "event.value", "field_event_sequence", "field_@timestamp"] {
        assert_eq!(count(&lines, name), 1, "{name}: {lines}");
    }
    assert!(!lines.contains("\"event.sequence.of\"") && !lines.contains("\"@timestamp.of\""), "{lines}");
    let values: i64 =
        document(&record).0.as_object().expect("an object").values().filter_map(Json::as_i64).sum();
    assert_eq!(values, 36, "no value is lost: {lines}");
}

#[test]
fn a_name_to_mend_at_every_level_costs_one_more_look_a_level_and_no_more() {
    let mut record = b"\xa1\xff".to_vec();
    for _ in 0..14 {
        record = [b"\x82\xa1m".as_slice(), &record, b"\xa1.\xc0"].concat();
    }
    let (_, mended) = document(&record);
    assert_eq!(mended.invalid_utf8, 1, "each time that it was written counts");
}

#[test]
fn dots_in_nested_names_count_as_depth() {
    let dotted = ["a"; 12].join(".");
    let value = json!({"deep": {"deeper": 1}});
    let (fits, mended) = document(&packed(&json!({"x": {"a.b": value}})));
    assert_eq!((&fits["x"]["a.b"], mended.too_deep), (&value, 0));
    for record in [
        json!({"x": {dotted.as_str(): {dotted.as_str(): {"leaf": 1}}}}),
        json!({"x": {dotted.as_str(): {"y": {"y": {"y": {"y": {"y": {"y": {"y": {"y": {}}}}}}}}}}}),
    ] {
        let (packed, _) = document(&packed(&record));
        assert!(depth_of(&packed) <= 20, "{packed}");
        let text = record["x"].to_string();
        let mut fields = Fields::default();
        fields.push("x".into(), super::Value::Json(&text));
        let (lines, _) = encode(fields);
        let document: Json = serde_json::from_str(lines.lines().nth(1).expect("two lines")).expect("JSON");
        assert!(depth_of(&document) <= 20, "{document}");
    }
}

/// Objects inside one another, each dot of a name one more, as Elasticsearch counts them.
fn depth_of(value: &Json) -> usize {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| name.matches('.').count() + depth_of(value)).max().unwrap_or(0)
        + usize::from(value.is_object())
}

#[test]
fn numbers_and_texts_of_a_line_that_no_index_takes_are_mended() {
    let digits = format!("0.{}", "1".repeat(2_000));
    for (json, written) in [
        ("1e999", "null"),
        ("-1E+400", "null"),
        ("-0", "-0"),
        ("1.50", "1.50"),
        ("1e-7", "1e-7"),
        (digits.as_str(), "0.1111111111111111"),
        (r#""a\ud800b""#, r#""a\ufffdb""#),
        (r#""\udc00\ud83d\ude00 \\ud800\uD83D""#, r#""\ufffd\ud83d\ude00 \\ud800\ufffd""#),
        (r#""\ud800\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (r#""\ud800\n""#, r#""\ufffd\n""#),
    ] {
        for (json, written) in
            [(json.to_owned(), written.to_owned()), (format!("[{json}]"), format!("[{written}]"))]
        {
            let mut fields = Fields::default();
            fields.push("x".into(), super::Value::Json(&json));
            let (lines, _) = encode(fields);
            assert!(lines.ends_with(&format!("\"x\":{written}}}\n")), "{json}: {lines}");
        }
    }
}

fn plain_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(|number: f64| Json::from((number * 8.0).round() / 8.0)),
        "\\PC{0,40}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::btree_map("[a-z@]{1,3}", inner, 0..20)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_record_becomes_the_same_json(fields in proptest::collection::btree_map("[a-z]{1,3}", plain_json(), 0..40)) {
        let record = Json::Object(fields.into_iter().collect());
        prop_assert_eq!(document(&packed(&record)).0, record);
    }

    #[test]
    fn whatever_the_bytes_a_record_that_is_read_becomes_one_line_of_json(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let mut fields = Fields::default();
        if read_record(&bytes, &mut fields).is_ok() {
            let (lines, _) = encode(fields);
            prop_assert_eq!(lines.matches('\n').count(), 2);
            for line in lines.lines() {
                prop_assert!(serde_json::from_str::<Json>(line).is_ok(), "{}", line);
            }
        }
    }
}
