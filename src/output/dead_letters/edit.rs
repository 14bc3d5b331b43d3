//! What a replay changes in a document before it is sent: fields renamed, then removed, then set.
//!
//! A value that no edit names stays as it is, byte for byte. Paths are those of the index: `a.b` is also `b` in `a`.

use serde_json::value::RawValue;

use crate::output::document::Document;

/// One change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// The value of the first path gets the second; a document without it stays as it is. What has the second already is
    /// kept as `original.NAME`, as pipelines keep it.
    Rename(String, String),
    /// The field goes.
    Remove(String),
    /// The field gets this value, whether it was there or not.
    Set(String, Box<RawValue>),
}

impl Edit {
    /// `FIELD=VALUE`: JSON where the value is some, text otherwise.
    pub fn set(text: &str) -> Result<Self, String> {
        let (field, value) = pair(text, "FIELD=VALUE")?;
        // why: a document is one line, and no line end stands inside a JSON string.
        let line = value.replace(['\n', '\r'], " ");
        let value = RawValue::from_string(line).or_else(|_| serde_json::value::to_raw_value(value));
        value.map(|value| Self::Set(field.into(), value)).map_err(|fault| fault.to_string())
    }

    /// `FROM=TO`.
    pub fn rename(text: &str) -> Result<Self, String> {
        match pair(text, "FROM=TO")? {
            (_, "") => Err(format!("`{text}` names no new field; write FROM=TO")),
            (from, to) => Ok(Self::Rename(from.into(), to.into())),
        }
    }

    /// `FIELD`.
    pub fn remove(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("names no field".into()) } else { Ok(Self::Remove(text.into())) }
    }

    /// Renames come first, so that what is set has the last word.
    fn turn(&self) -> u8 {
        match self {
            Self::Rename(..) => 0,
            Self::Remove(_) => 1,
            Self::Set(..) => 2,
        }
    }
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once('=')
        .filter(|(field, _)| !field.is_empty())
        .ok_or_else(|| format!("`{text}` is not {form}"))
}

/// Changes in their order.
#[derive(Clone, Debug, Default)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Puts them in order.
    pub fn new(mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(Edit::turn);
        Self(edits)
    }

    /// The document after them, on one line.
    pub(super) fn apply(&self, document: &RawValue) -> Option<String> {
        if self.0.is_empty() {
            return Some(document.get().into());
        }
        let mut document = Document::read(document.get().as_bytes())?;
        for edit in &self.0 {
            match edit {
                Edit::Rename(from, to) => {
                    if let Some(value) = document.take(from) {
                        make_way(&mut document, to);
                        document.set(to, value);
                    }
                }
                Edit::Remove(path) => drop(document.take(path)),
                Edit::Set(path, value) => document.set(path, value.clone()),
            }
        }
        Some(document.write())
    }
}

fn make_way(document: &mut Document, path: &str) {
    let Some(before) = document.take(path) else { return };
    let mut name = format!("original.{path}");
    while document.has(&name) {
        name.insert_str(0, "original.");
    }
    document.set(&name, before);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_renamed_removed_and_set_and_the_rest_is_untouched() {
        let edits = Edits::new(vec![
            Edit::set("level=warn").expect("a pair"),
            Edit::set("n=1.50").expect("a pair"),
            Edit::set("o={\"x\": [1]}").expect("a pair"),
            Edit::set("empty=").expect("a pair"),
            Edit::remove("a.secret").expect("a field"),
            Edit::rename("level=severity").expect("a pair"),
            Edit::rename("none=some").expect("a pair"),
        ]);
        let document = r#"{"level":"x","a":{"secret":1,"b":0.10},"big":123456789012345678901}"#;
        let document = RawValue::from_string(document.into()).expect("JSON");
        assert_eq!(
            edits.apply(&document).expect("an object"),
            r#"{"a":{"b":0.10},"big":123456789012345678901,"severity":"x","level":"warn","n":1.50,"o":{"x": [1]},"empty":""}"#
        );
    }

    #[test]
    fn a_field_whose_name_another_gets_is_kept_under_a_name_of_its_own() {
        let edits = Edits::new(vec![Edit::rename("bad=message").expect("a pair")]);
        for (document, expected) in [
            (r#"{"message":"m","bad":1}"#, r#"{"original.message":"m","message":1}"#),
            (
                r#"{"message":"m","bad":1,"original.message":"o"}"#,
                r#"{"original.message":"o","original.original.message":"m","message":1}"#,
            ),
            (r#"{"message":"m"}"#, r#"{"message":"m"}"#),
        ] {
            let document = RawValue::from_string(document.into()).expect("JSON");
            assert_eq!(edits.apply(&document).expect("an object"), expected);
        }
    }

    #[test]
    fn what_names_no_field_is_refused() {
        for wrong in
            [Edit::set("x"), Edit::set("=1"), Edit::rename("a="), Edit::rename("=b"), Edit::remove("")]
        {
            assert!(wrong.is_err(), "{wrong:?}");
        }
    }
}
