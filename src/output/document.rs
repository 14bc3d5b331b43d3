//! Changes to single fields of a document that leave every other value as it is, byte for byte.
//!
//! An object is read one level deep, values as they stand, so that no number loses a digit and no name its place. A path
//! is taken as Elasticsearch takes it: `a.b` is the field of that name, or `b` in the object `a`, also where that is one
//! of a list. Everything here allocates: it is for documents that were refused, not for the path.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object, its fields in order.
pub(super) struct Document {
    fields: Vec<(String, Box<RawValue>)>,
}

impl Document {
    /// Nothing where `bytes` are no JSON object.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether it has a field of just this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(own, _)| own == name)
    }

    /// Adds a field, its value JSON; what has the path already is gone.
    pub(super) fn set(&mut self, path: &str, value: Box<RawValue>) {
        self.take(path);
        self.fields.push((path.into(), value));
    }

    /// Adds a field, its value text; what has the path already is gone.
    pub(super) fn set_text(&mut self, path: &str, text: &str) {
        if let Ok(value) = serde_json::value::to_raw_value(text) {
            self.set(path, value);
        }
    }

    /// Removes what is at `path` and gives it back: a value, or a list of them where lists lead to several.
    pub(super) fn take(&mut self, path: &str) -> Option<Box<RawValue>> {
        let mut taken = Vec::new();
        self.take_all(path, &mut taken);
        match taken.len() {
            0 | 1 => taken.pop(),
            _ => serde_json::value::to_raw_value(&taken).ok(),
        }
    }

    fn take_all(&mut self, path: &str, taken: &mut Vec<Box<RawValue>>) {
        let fields = std::mem::take(&mut self.fields);
        for (name, mut value) in fields {
            if name == path {
                taken.push(value);
                continue;
            }
            let below = path.strip_prefix(&*name).and_then(|rest| rest.strip_prefix('.'));
            if let Some(changed) = below.and_then(|rest| take_below(&value, rest, taken)) {
                value = changed;
            }
            self.fields.push((name, value));
        }
    }

    /// Removes the fields whose names begin with `path` and a dot, and gives them back as one object: what a name with
    /// dots puts below another field.
    pub(super) fn take_below_name(&mut self, path: &str) -> Option<Box<RawValue>> {
        let below = |name: &str| Some(name.strip_prefix(path)?.strip_prefix('.')?.to_owned());
        let (mut kept, mut taken) = (Vec::new(), Vec::new());
        for (name, value) in std::mem::take(&mut self.fields) {
            match below(&name) {
                Some(rest) => taken.push((rest, value)),
                None => kept.push((name, value)),
            }
        }
        self.fields = kept;
        if taken.is_empty() { None } else { RawValue::from_string(Self { fields: taken }.write()).ok() }
    }

    /// Splits off the fields that `keep` does not hold of.
    pub(super) fn split(self, keep: impl Fn(&str) -> bool) -> (Self, Self) {
        let (kept, rest) = self.fields.into_iter().partition(|(name, _)| keep(name));
        (Self { fields: kept }, Self { fields: rest })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// As JSON on one line.
    pub(super) fn write(&self) -> String {
        let mut out = String::from("{");
        for (at, (name, value)) in self.fields.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            // why: a string can always be written.
            out.push_str(&serde_json::to_string(name).unwrap_or_default());
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        out
    }
}

/// A value as text: a string's own, anything else as it is in JSON.
pub(super) fn text(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// `value` without what is at `path` in it; nothing where there is nothing.
fn take_below(value: &RawValue, path: &str, taken: &mut Vec<Box<RawValue>>) -> Option<Box<RawValue>> {
    let before = taken.len();
    let json = match value.get().as_bytes().first()? {
        b'{' => {
            let mut object = Document::read(value.get().as_bytes())?;
            object.take_all(path, taken);
            object.write()
        }
        b'[' => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
            let without = |item: Box<RawValue>| take_below(&item, path, taken).unwrap_or(item);
            let items: Vec<Box<RawValue>> = items.into_iter().map(without).collect();
            serde_json::to_string(&items).ok()?
        }
        _ => return None,
    };
    if taken.len() == before { None } else { RawValue::from_string(json).ok() }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Document { fields })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn document(json: &str) -> Document {
        Document::read(json.as_bytes()).expect("an object")
    }

    #[test]
    fn a_field_is_taken_by_its_path_and_the_rest_stays_as_it_was() {
        for (before, path, taken, after) in [
            (r#"{"b":1.50,"a":"x"}"#, "a", r#""x""#, r#"{"b":1.50}"#),
            (r#"{"a.b":12345678901234567890123,"c":1}"#, "a.b", "12345678901234567890123", r#"{"c":1}"#),
            (r#"{"a":{"b": [1] ,"c":1e400}}"#, "a.b", "[1]", r#"{"a":{"c":1e400}}"#),
            (r#"{"a.x":{"b.y":{"c":0}}}"#, "a.x.b.y.c", "0", r#"{"a.x":{"b.y":{}}}"#),
            (
                r#"{"a":[{"n":1},{"n":"x","m":2},3,[{"n":4}]]}"#,
                "a.n",
                r#"[1,"x",4]"#,
                r#"{"a":[{},{"m":2},3,[{}]]}"#,
            ),
            (r#"{"a.b":1,"a":{"b":2}}"#, "a.b", "[1,2]", r#"{"a":{}}"#),
        ] {
            let mut document = document(before);
            let found = document.take(path).expect(before);
            assert_eq!((found.get(), document.write().as_str()), (taken, after), "{before}");
        }
    }

    #[test]
    fn what_is_not_there_changes_nothing() {
        let json = r#"{"a":{"b":1},"ab":2,"l":[1, 2]}"#;
        for path in ["", "b", "a.c", "a.b.c", "l.a", "a."] {
            let mut document = document(json);
            assert!(document.take(path).is_none(), "{path}");
            assert_eq!(document.write(), json);
        }
    }

    #[test]
    fn a_value_is_text_as_people_read_it() {
        let mut document = document(r#"{"s":"a\n\u0041","o":{"x": 1},"n":null}"#);
        let mut of = |path| text(&document.take(path).expect(path));
        assert_eq!([of("s"), of("o"), of("n")], ["a\nA", r#"{"x": 1}"#, "null"]);
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_are_a_document_or_none(bytes: Vec<u8>, path: String) {
            if let Some(mut document) = Document::read(&bytes) {
                document.take(&path);
                prop_assert!(Document::read(document.write().as_bytes()).is_some());
            }
        }

        #[test]
        fn a_field_that_is_set_is_there_once(name in "[a-c.]{1,5}", json in r#"\{("[a-c]":([0-9]|\{"[a-c]":0\}),){0,4}"z":0\}"#) {
            let mut document = document(&json);
            document.set_text(&name, "x");
            let taken = document.take(&name).expect("set");
            prop_assert_eq!(taken.get(), "\"x\"");
            prop_assert!(document.take(&name).is_none());
        }
    }
}
