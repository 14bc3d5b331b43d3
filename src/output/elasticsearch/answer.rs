//! Reads the answer of a bulk request, borrowing from its bytes: a good item costs no allocation.
//!
//! Verdicts go by position, so an answer counts as unreadable unless it has exactly one item per document sent. The
//! `filter_path` of the request keeps every item for that reason: one that dropped the good items would drop their
//! positions too. With gzip (asked for by the client) an all-good answer is tiny on the wire all the same.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::verdict::{self, Obstacle, Reported, Verdict};

/// The request that the reader below understands the answer of.
pub(super) const PATH: &str = "_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store";

/// One document's verdict with what there is to say about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered { failure_store: bool },
    Duplicate,
    Again { overload: bool },
    Hold(Obstacle, Box<str>),
    Refused(Box<Refusal>),
}

/// Why a document will never be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One word of ours.
    pub(super) reason: &'static str,
    /// The target's word.
    pub(super) kind: String,
    pub(super) status: u16,
    /// The target's reason in words; may quote the document, so it goes into the dead letter and no log.
    pub(super) error: String,
}

/// An error that stands for a whole request.
#[derive(Default, Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(default)]
    status: u16,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    failure_store: Option<Cow<'a, str>>,
}

impl Item<'_> {
    fn outcome(&self) -> Outcome {
        let failure_store = self.failure_store.as_deref() == Some("used");
        let error = Reported::read(self.error);
        match verdict::of_item(self.status, failure_store, &error) {
            Verdict::Delivered { failure_store } => Outcome::Delivered { failure_store },
            Verdict::Duplicate => Outcome::Duplicate,
            Verdict::Again { overload } => Outcome::Again { overload },
            Verdict::Hold(obstacle) => Outcome::Hold(obstacle, error.text().into()),
            Verdict::Refused(reason) => Outcome::Refused(Box::new(Refusal::new(reason, self.status, &error))),
        }
    }
}

impl Refusal {
    pub(super) fn new(reason: &'static str, status: u16, error: &Reported<'_>) -> Self {
        Self { reason, kind: error.kind.to_string(), status, error: error.text() }
    }
}

/// Reads the error of a request that failed as a whole; nothing where the body is none of the target's.
pub(super) fn failure(body: &[u8]) -> Reported<'_> {
    let failure: Failure<'_> = serde_json::from_slice(body).unwrap_or_default();
    Reported::read(failure.error)
}

/// The outcome of each of the `expected` documents, in the order sent.
pub(super) fn outcomes(body: &[u8], expected: usize) -> Result<Vec<Outcome>, serde_json::Error> {
    if is_all_created(body, expected) {
        return Ok((0..expected).map(|_| Outcome::Delivered { failure_store: false }).collect());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let outcomes = reader.deserialize_map(Answer { expected })?;
    reader.end()?;
    Ok(outcomes)
}

/// Whether `body` is, to the letter, what Elasticsearch and OpenSearch say when all went well: the common case, told
/// by comparing bytes.
fn is_all_created(body: &[u8], expected: usize) -> bool {
    const ITEM: &[u8] = br#"{"create":{"status":201}},"#;
    let items = body
        .strip_prefix(br#"{"errors":false,"items":["#)
        .and_then(|items| items.strip_suffix(b"]}"))
        .filter(|items| items.len() + 1 == expected * ITEM.len());
    items.is_some_and(|items| {
        let mut chunks = items.chunks(ITEM.len());
        let last = chunks.next_back();
        chunks.all(|item| item == ITEM) && last == ITEM.strip_suffix(b",")
    })
}

struct Answer {
    expected: usize,
}

impl<'de> Visitor<'de> for Answer {
    type Value = Vec<Outcome>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of a bulk request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut outcomes = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "items" {
                outcomes = map.next_value_seed(Items { expected: self.expected })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match outcomes.len() {
            count if count == self.expected => Ok(outcomes),
            count => Err(A::Error::custom(format_args!("{count} items for {} documents", self.expected))),
        }
    }
}

struct Items {
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Vec<Outcome>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Outcome>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut outcomes = Vec::with_capacity(self.expected);
        while let Some(Op(item)) = items.next_element()? {
            if outcomes.len() == self.expected {
                return Err(A::Error::custom(format_args!("more items than {} documents", self.expected)));
            }
            outcomes.push(item.outcome());
        }
        Ok(outcomes)
    }
}

/// An item under the name of its operation, which is always ours.
struct Op<'a>(Item<'a>);

impl<'de> Deserialize<'de> for Op<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OpVisitor)
    }
}

struct OpVisitor;

impl<'de> Visitor<'de> for OpVisitor {
    type Value = Op<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one operation with its result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match map.next_entry::<IgnoredAny, Item<'de>>()? {
            Some((_, item)) if map.next_key::<IgnoredAny>()?.is_none() => Ok(Op(item)),
            _ => Err(A::Error::custom("an item is not one operation")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_go_by_position() {
        let body = br#"{"took":3,"errors":true,"items":[{"create":{"status":201}},
            {"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"bad \"x\""}}},
            {"create":{"status":409}},{"create":{"status":201,"failure_store":"used"}},{"create":{"status":429}}]}"#;
        let outcomes = outcomes(body, 5).expect("an answer");
        assert_eq!(outcomes.first(), Some(&Outcome::Delivered { failure_store: false }));
        let Some(Outcome::Refused(refusal)) = outcomes.get(1) else { panic!("{outcomes:?}") };
        assert_eq!((refusal.reason, refusal.error.as_str()), ("mapping", "bad \"x\""));
        assert_eq!(outcomes.get(2), Some(&Outcome::Duplicate));
        assert_eq!(outcomes.get(3), Some(&Outcome::Delivered { failure_store: true }));
        assert_eq!(outcomes.get(4), Some(&Outcome::Again { overload: true }));
    }

    #[test]
    fn an_all_good_answer_is_known_by_its_letters_and_only_then() {
        let answer = |items: &[&str]| format!(r#"{{"errors":false,"items":[{}]}}"#, items.join(","));
        let good = r#"{"create":{"status":201}}"#;
        assert!(is_all_created(answer(&[good, good, good]).as_bytes(), 3));
        assert!(is_all_created(answer(&[good]).as_bytes(), 1));
        for other in [r#"{"create":{"status":409}}"#, r#"{"create":{"status":201 }}"#] {
            assert!(!is_all_created(answer(&[good, other]).as_bytes(), 2));
            assert!(!is_all_created(answer(&[other, good]).as_bytes(), 2));
        }
        assert!(!is_all_created(answer(&[good, good]).as_bytes(), 3));
        assert!(!is_all_created(answer(&[]).as_bytes(), 0));
    }

    #[test]
    fn an_answer_that_is_cut_or_counts_otherwise_is_unreadable() {
        let body = br#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#;
        assert!(outcomes(body, 2).is_ok());
        assert!(outcomes(body, 1).is_err());
        assert!(outcomes(body, 3).is_err());
        for end in 0..body.len() {
            assert!(outcomes(body.get(..end).expect("a prefix"), 2).is_err(), "cut at {end}");
        }
        assert!(outcomes(br#"{"items":[{}, {}]}"#, 2).is_err());
        assert!(outcomes(b"[]", 0).is_err());
    }
}
