//! `[[pipeline.test]]`: what comes in, and what is expected of the document.
//!
//! A document says one thing in two ways: `{"a": {"b": 1}}` is `{"a.b": 1}` to Elasticsearch, and so to a test.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use super::walk::{End, Walked};

/// A test of a pipeline, as it is configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestOptions {
    /// A line, or several; or a record.
    pub input: Option<Value>,
    /// The tag that it comes with, where it matters.
    pub tag: Option<String>,
    /// Fields, and the values that they are to have.
    pub expect: Option<Vec<(String, Value)>>,
    /// Fields that are not to be there, nor anything below them.
    pub absent: Option<Vec<String>>,
    /// The index that the document is to go to.
    pub index: Option<String>,
    /// Whether the event is to end.
    pub dropped: Option<bool>,
    /// Where it is written.
    pub place: Whereabouts,
}

/// A place in a file, for people. It says nothing of what is configured there, so that any two are equal.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts(pub String);

impl PartialEq for Whereabouts {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Something that is not as it is expected to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What it is about.
    pub about: String,
    /// What is expected; none for nothing.
    pub expected: Option<String>,
    /// What there is; none for nothing.
    pub made: Option<String>,
}

impl fmt::Display for Difference {
    /// As in a diff: the line that is missing, and the one that is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = [('-', &self.expected), ('+', &self.made)]
            .into_iter()
            .filter_map(|(sign, value)| Some(format!("    {sign} {} = {}", self.about, value.as_ref()?)));
        f.write_str(&lines.by_ref().collect::<Vec<_>>().join("\n"))
    }
}

impl TestOptions {
    /// What differs between what is expected and the events that were made.
    pub fn differences(&self, walked: &[Walked]) -> Vec<Difference> {
        let [event] = walked else {
            return vec![difference("events", Some("1".into()), Some(walked.len().to_string()))];
        };
        match (&event.end, self.dropped.unwrap_or_default()) {
            (End::Dropped(_), true) => Vec::new(),
            (End::Dropped(reason), false) => {
                vec![difference("dropped", Some("false".into()), Some(format!("true ({reason})")))]
            }
            (End::Document { .. }, true) => {
                vec![difference("dropped", Some("true".into()), Some("false".into()))]
            }
            (End::Document { index, document, .. }, false) => self.of_document(index, document),
        }
    }

    fn of_document(&self, index: &str, document: &str) -> Vec<Difference> {
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let mut made = BTreeMap::new();
        spread("", &document, &mut made);
        let wrong = self.expect.iter().flatten().filter_map(|(name, expected)| {
            let found = made.get(name.as_str());
            let is_same = found.is_some_and(|found| same(name, expected, found));
            (!is_same)
                .then(|| difference(name, Some(expected.to_string()), found.map(|found| found.to_string())))
        });
        let below = |name: &str, field: &str| {
            field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let there = self.absent.iter().flatten().flat_map(|name| {
            let found = made.iter().filter(move |(field, _)| below(name, field));
            found.map(|(field, value)| difference(field, None, Some(value.to_string())))
        });
        let index = self.index.as_ref().filter(|expected| *expected != index).map(|expected| {
            let quoted = |name: &str| Some(Value::from(name).to_string());
            difference("index", quoted(expected), quoted(index))
        });
        wrong.chain(there).chain(index).collect()
    }
}

fn difference(about: &str, expected: Option<String>, made: Option<String>) -> Difference {
    Difference { about: about.to_owned(), expected, made }
}

/// All values by their dotted names; an array is a value, and so is an empty object.
fn spread<'v>(name: &str, value: &'v Value, into: &mut BTreeMap<String, &'v Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(member, value)| {
            let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
            spread(&name, value, into);
        }),
        value => drop(into.insert(name.to_owned(), value)),
    }
}

/// Numbers are the same whatever they are written like, and so are times.
fn same(name: &str, expected: &Value, found: &Value) -> bool {
    if let (Some(expected), Some(found)) = (expected.as_f64(), found.as_f64()) {
        return expected == found;
    }
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let is_same_time = || time(expected).is_some_and(|expected| Some(expected) == time(found));
    expected == found || (name == "@timestamp" && is_same_time())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::enrich::walk::Reading;

    fn walked(end: End) -> Walked {
        let reading = Reading { asked: Vec::new(), format: None, is_misfit: false };
        let (given, stages) = (Vec::new(), Vec::new());
        Walked { pipeline: 0, tag: "t".into(), lines: 1, given, reading, stages, end }
    }

    fn document(document: &Value) -> Walked {
        walked(End::Document { index: "i".into(), id: "1".into(), document: document.to_string() })
    }

    /// What the test's keys say of the document.
    fn told(test: &TestOptions, made: &Value) -> Vec<String> {
        test.differences(&[document(made)]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_document_that_is_as_expected_differs_in_nothing() {
        let expect = [
            ("@timestamp", json!("2024-01-15T11:30:45+01:00")),
            ("http.status", json!(500)),
            ("a.b", json!(["x", 1])),
            ("n", json!(1.0)),
        ];
        let test = TestOptions {
            expect: Some(expect.map(|(name, value)| (name.to_owned(), value)).to_vec()),
            absent: Some(vec!["htt".into(), "gone".into()]),
            index: Some("i".into()),
            ..TestOptions::default()
        };
        let made = json!({ "@timestamp": "2024-01-15T10:30:45.000Z", "http": { "status": 500.0, "x": {} },
                           "a.b": ["x", 1], "n": 1 });
        assert_eq!(told(&test, &made), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_told_with_both_values() {
        let test = TestOptions {
            expect: Some(vec![("level".into(), json!("WARN")), ("status".into(), json!(500))]),
            absent: Some(vec!["user".into()]),
            index: Some("other".into()),
            ..TestOptions::default()
        };
        let made = json!({ "level": "ERROR", "user": { "name": "ada" } });
        assert_eq!(
            told(&test, &made),
            [
                "    - level = \"WARN\"\n    + level = \"ERROR\"",
                "    - status = 500",
                "    + user.name = \"ada\"",
                "    - index = \"other\"\n    + index = \"i\"",
            ]
        );
    }

    #[test]
    fn an_event_that_ends_is_one_that_is_to_end() {
        let ends = TestOptions { dropped: Some(true), ..TestOptions::default() };
        let stays = TestOptions::default();
        let ended = [walked(End::Dropped("filtered"))];
        let made = [document(&json!({}))];
        assert_eq!(ends.differences(&ended), []);
        assert_eq!(ends.differences(&made).len(), 1);
        let told = stays.differences(&ended)[0].to_string();
        assert_eq!(told, "    - dropped = false\n    + dropped = true (filtered)");
    }

    #[test]
    fn an_input_that_makes_several_events_is_told() {
        let two = [document(&json!({})), document(&json!({}))];
        let told = TestOptions::default().differences(&two)[0].to_string();
        assert_eq!(told, "    - events = 1\n    + events = 2");
    }
}
