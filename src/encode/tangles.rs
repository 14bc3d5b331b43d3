//! Documents of names with dots beside objects, read as Elasticsearch reads them: dots and objects are one tree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::differential::strict;
use super::tests::{encode, packed};
use crate::decode::read_record;
use crate::event::Fields;

/// Notes below `path` what is a value and what is an object; or says which is both.
fn note(json: &Json, path: &str, tree: &mut BTreeMap<String, bool>) -> Result<(), String> {
    let is_object = json.is_object();
    if tree.insert(path.to_owned(), is_object).is_some_and(|before| before != is_object) {
        return Err(format!("`{path}` is a value and an object"));
    }
    for (name, value) in json.as_object().into_iter().flatten() {
        let mut inner = path.to_owned();
        let parts: Vec<&str> = name.split('.').collect();
        for (index, part) in parts.iter().enumerate() {
            inner = format!("{inner}/{part}");
            let is_last = index + 1 == parts.len();
            if !is_last && tree.insert(inner.clone(), true) == Some(false) {
                return Err(format!("`{inner}` is a value and an object"));
            }
        }
        note(value, &inner, tree)?;
    }
    Ok(())
}

/// The document as it was written, from msgpack and from a line's JSON, once Elasticsearch would take it.
fn taken(record: &Json) -> Json {
    let (bytes, line) = (packed(record), record.to_string());
    let (mut of_bytes, mut of_line) = (Fields::default(), Fields::default());
    read_record(&bytes, &mut of_bytes).expect("a record");
    crate::parse::json_object(&line, 1, &mut of_line).expect("JSON");
    of_line.settle();
    let [document, other] = [of_bytes, of_line].map(|fields| {
        let (lines, _) = encode(fields);
        strict(lines.lines().nth(1).expect("two lines"))
    });
    assert_eq!(document, other, "{record}");
    note(&document, "", &mut BTreeMap::new()).unwrap_or_else(|why| panic!("{why}: {document} of {record}"));
    document
}

/// The values in a document or a record, in order.
fn values(json: &Json) -> Vec<i64> {
    fn add(json: &Json, values: &mut Vec<i64>) {
        match json {
            Json::Object(members) => members.values().for_each(|value| add(value, values)),
            other => values.extend(other.as_i64()),
        }
    }
    let mut all = Vec::new();
    add(json, &mut all);
    all.sort_unstable();
    all
}

fn tangled() -> impl Strategy<Value = Json> {
    const NAMES: &[&str] = &[
        "a",
        "b",
        "a.b",
        "a.b.c",
        "b.a",
        "a.value",
        "event",
        "event.sequence",
        "sequence",
        "@timestamp",
        "@timestamp.a",
        "field_@timestamp",
        "field_@timestamp.a",
        "field_event_sequence.b",
        "a_",
        "a-b",
        "value",
    ];
    let leaf = (1000..2000_i64).prop_map(Json::from);
    let object = |inner: BoxedStrategy<Json>| {
        let members = proptest::collection::btree_map(proptest::sample::select(NAMES), inner, 0..5);
        members.prop_map(|members| json!(members))
    };
    let value = leaf.prop_recursive(4, 30, 5, move |inner| object(inner.boxed()));
    proptest::collection::btree_map(proptest::sample::select(NAMES), value, 0..7)
        .prop_map(|members| json!(members))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_name_is_a_value_and_an_object_and_no_value_is_lost(record in tangled()) {
        let mut written = values(&taken(&record));
        let ours = written.iter().position(|value| *value == 42).expect("the sequence");
        written.remove(ours);
        prop_assert_eq!(written, values(&record));
    }
}

#[test]
fn an_object_into_which_a_name_leads_that_meets_a_value_is_spread() {
    for (record, expected) in [
        (json!({"a": {"b": 1, "c": 2}, "a.b.c": 3}), json!({"a.b.value": 1, "a.c": 2, "a.b.c": 3})),
        (json!({"a": {"b": {"c": 1}}, "a.b": 2}), json!({"a.b.c": 1, "a.b.value": 2})),
        (json!({"a": {"b": {"c": 1}}, "a.b.c.d": 2}), json!({"a.b.c.value": 1, "a.b.c.d": 2})),
        (json!({"a": {"b.c": 1}, "a.b": 2}), json!({"a.b.c": 1, "a.b.value": 2})),
        (json!({"x": {"a": {"b": 1}, "a.b.c": 2}}), json!({"x": {"a.b.value": 1, "a.b.c": 2}})),
        (
            json!({"@timestamp": {"a": 1}, "@timestamp.a.b": 2}),
            json!({"field_@timestamp.a.value": 1, "field_@timestamp.a.b": 2}),
        ),
        (
            json!({"field_@timestamp": 1, "@timestamp.b": 2}),
            json!({"field_@timestamp": 1, "field_@timestamp_.b": 2}),
        ),
        // Nothing is met here, and the sender's form stays.
        (
            json!({"log": {"logger": "x"}, "log.level": "INFO"}),
            json!({"log": {"logger": "x"}, "log.level": "INFO"}),
        ),
        (json!({"a": {"b": {"c": 1}}, "a.b.d": 2}), json!({"a": {"b": {"c": 1}}, "a.b.d": 2})),
    ] {
        let mut document = taken(&record);
        document
            .as_object_mut()
            .expect("an object")
            .retain(|name, _| name != "event.sequence" && name != "@timestamp");
        assert_eq!(document, expected, "{record}");
    }
}

#[test]
fn many_names_that_lead_into_a_large_object_cost_no_square_of_them() {
    let members: serde_json::Map<_, _> = (0..9_000).map(|n| (format!("m{n}"), json!(n))).collect();
    let mut record = serde_json::Map::new();
    record.insert("a".to_owned(), Json::Object(members));
    (0..9_000).for_each(|n| drop(record.insert(format!("a.m{n}.x"), json!(n))));
    let document = taken(&Json::Object(record));
    assert_eq!(document["a.m8999.value"], json!(8_999));
    assert_eq!(document.as_object().map(serde_json::Map::len), Some(18_002));
}
