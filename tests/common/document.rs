//! Documents as stories compare them: field for field, times by what they mean.

use serde_json::{Map, Value};

/// Asserts that `document` is `expected` and nothing beside. `@timestamp` is compared as a time, and not at all where
/// `expected` has null for it; `event.sequence` is left to whoever looks at the order.
pub(crate) fn assert_same(document: &Value, expected: &Value) {
    let (found, wanted) = (comparable(document, expected), comparable(expected, expected));
    assert_eq!(found, wanted, "the document is on the left, what was expected on the right");
}

/// Asserts that documents in the order of arrival have growing sequences.
pub(crate) fn assert_sequences_grow<'a>(documents: impl IntoIterator<Item = &'a Value>) {
    let mut last = None;
    for document in documents {
        let sequence = document["event.sequence"].as_u64();
        assert!(sequence.is_some(), "no sequence in {document}");
        assert!(last < sequence, "{sequence:?} after {last:?}");
        last = sequence;
    }
}

fn comparable(document: &Value, expected: &Value) -> Map<String, Value> {
    let mut fields = document.as_object().expect("a document is an object").clone();
    let sequence = fields.remove("event.sequence");
    assert!(sequence.is_none_or(|number| number.is_u64()), "event.sequence is a number");
    let time = fields.remove("@timestamp").expect("a document has a time");
    if !expected["@timestamp"].is_null() {
        fields.insert("@timestamp".into(), Value::String(timestamp(&time).to_string()));
    }
    fields
}

/// A document's time; it ends in `Z` and has nine fraction digits at most.
pub(crate) fn timestamp(value: &Value) -> jiff::Timestamp {
    let text = value.as_str().expect("a time is text");
    let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len() - 1);
    assert!(text.ends_with('Z') && fraction <= 9, "{text} is not a time in UTC");
    text.parse().expect("a time of RFC 3339")
}
