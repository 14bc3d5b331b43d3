//! Lines that are JSON objects. Values stay slices of the line, in their own JSON text.

use std::borrow::Cow;
use std::fmt;

use bumpalo::Bump;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{docker_json, flat, mongodb};
use crate::event::{self, Fields, Name, Value};
use crate::parse::ansi::without_escaped_colours;
use crate::parse::sink::{MAX_MEMBERS, Sink};

/// The line is no JSON object, or one of too many members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the line is no JSON object")]
pub struct NotJson;

/// Appends the members of the object `line` to `fields`, with names legal at `depth` but not settled; on an error `fields` is
/// what it was.
pub fn json_object<'a>(line: &'a str, depth: usize, fields: &mut Fields<'a>) -> Result<(), NotJson> {
    object(line, depth, fields).map(|_| ())
}

/// The same, answering whether the object is plain, so that no text in it has an escape.
fn object<'a>(line: &'a str, depth: usize, fields: &mut Fields<'a>) -> Result<bool, NotJson> {
    let before = fields.len();
    let member = |name, value| push(fields, before, depth, name, value);
    if let Some(plain) = flat::members(line, member) {
        if plain.is_compact {
            fields.set_object(line);
        }
        return Ok(true);
    }
    fields.truncate(before);
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let read = deserializer.deserialize_map(Members { fields, depth }).and_then(|()| deserializer.end());
    if read.is_err() {
        fields.truncate(before);
        return Err(NotJson);
    }
    Ok(false)
}

/// A line that is one object and nothing else.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let is_object = |text: &str| matches!(text.as_bytes(), [b'{', .., b'}']);
    // What JSON takes for blanks, and nothing else: a form feed is none of them.
    let text = if is_object(line) { line } else { line.trim_matches([' ', '\t', '\r', '\n']) };
    if !is_object(text) || mongodb::head(line).is_some() {
        return None;
    }
    if text.starts_with("{\"log\":\"") {
        if docker_json::read(text, sink).is_some() {
            return Some(());
        }
        sink.take_back();
    }
    sink.adopts();
    let before = sink.fields().len();
    let is_plain = object(text, 1, sink.fields()).ok()?;
    if !is_plain && let Some(clean) = without_escaped_colours(text, sink.arena) {
        sink.fields().truncate(before);
        object(clean, 1, sink.fields()).ok()?;
    }
    Some(())
}

/// Why `line` is no object, and where; looked for once it is known to be none.
pub(in crate::parse) fn why_not<'a>(line: &str, arena: &'a Bump) -> &'a str {
    match serde_json::from_str::<IgnoredAny>(line) {
        Err(error) if error.is_eof() => "it ends before its JSON does",
        Err(error) => {
            let (row, column) = (error.line(), error.column());
            bumpalo::format!(in arena, "line {}, byte {} is not expected there", row, column).into_bump_str()
        }
        Ok(IgnoredAny) if line.trim_start().starts_with('{') => {
            "it is of another format, or has too many members"
        }
        Ok(IgnoredAny) => "it is no object",
    }
}

/// Appends a member of a plain object; false where there are too many.
fn push<'a>(fields: &mut Fields<'a>, before: usize, depth: usize, name: &'a str, value: &'a str) -> bool {
    match Name::plain(name) {
        Some(name) => fields.push_both(name, Value::Scalar(value)),
        None => {
            fields.push(event::legal_name_unless_plain(Cow::Borrowed(name), depth), Value::Scalar(value));
        }
    }
    fields.len() <= before + MAX_MEMBERS
}

struct Members<'f, 'a> {
    fields: &'f mut Fields<'a>,
    depth: usize,
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let most = self.fields.len() + MAX_MEMBERS;
        while let Some((name, value)) = map.next_entry::<BorrowedName<'a>, &'a RawValue>()? {
            if self.fields.len() == most {
                return Err(serde::de::Error::custom("too many members"));
            }
            self.fields.push(event::legal_name(name.0, self.depth), Value::Json(value.get()));
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes in it.
pub struct BorrowedName<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for BorrowedName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = BorrowedName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(BorrowedName(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(BorrowedName(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_slices_of_the_line() {
        let line = r#"{"level":"INFO", "n" : 1.50, "o":{"a":[1, 2]}, "esc\u0061pe":null}"#;
        let mut fields = Fields::default();
        json_object(line, 1, &mut fields).expect("JSON");
        let read: Vec<_> = fields.iter().map(|field| (field.name.as_ref(), field.value)).collect();
        let json = Value::Json;
        assert_eq!(
            read,
            [
                ("level", json("\"INFO\"")),
                ("n", json("1.50")),
                ("o", json("{\"a\":[1, 2]}")),
                ("escape", json("null"))
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_told_with_the_place_where_it_stops() {
        let arena = Bump::new();
        for (line, why) in [
            ("", "it ends before its JSON does"),
            ("{\"a\":1", "it ends before its JSON does"),
            ("plain", "line 1, byte 1 is not expected there"),
            ("{\"a\":1} tail", "line 1, byte 9 is not expected there"),
            ("{\"a\":1,\n b}", "line 2, byte 2 is not expected there"),
            ("[1]", "it is no object"),
        ] {
            assert_eq!(why_not(line, &arena), why, "{line}");
        }
    }

    #[test]
    fn an_object_has_blanks_around_it_and_nothing_else() {
        use crate::parse::formats::tests::fits;
        assert!(fits(read, " \t{\"a\":1}\r"));
        assert!(!fits(read, "{\"a\":1}\u{c}") && !fits(read, "\u{b}{\"a\":1}"));
    }

    #[test]
    fn what_is_no_object_leaves_the_fields_alone() {
        for line in [
            "",
            "plain",
            "[1]",
            "{\"a\":1",
            "{\"a\":1} tail",
            "{\"a\":NaN}",
            "{'a':1}",
            "\"text\"",
            "{\"a\":\"\n\"}",
        ] {
            let mut fields = Fields::default();
            fields.push("kept".into(), Value::Null);
            assert_eq!(json_object(line, 1, &mut fields), Err(NotJson), "{line}");
            assert_eq!(fields.len(), 1, "{line}");
        }
    }
}
