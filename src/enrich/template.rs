//! Texts with places for fields: `{user.name}@{host}`.
//!
//! `{field}` is a field's value, `{field|text}` the same or the text where there is none, `{tag}` the event's tag, `{host}` this
//! host's name, `{env:NAME}` a variable of the environment as it is at the start; `{{` and `}}` are the braces themselves, and
//! `{field:host}` is a field of the name `host`. A template of one field alone has its value, of whatever type.

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;

use super::path::Path;
use super::view;
use crate::event::{Event, Value, blocks};

/// Bytes of a text that is put together before it is known how long it will be.
const SHORT: usize = 64;

/// A template that was understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Field(Path, Option<String>),
    Tag,
}

impl Template {
    /// Reads `text`, with `host` as this host's name; or says what is wrong with it.
    pub(crate) fn new(text: &str, host: &str) -> Result<Self, String> {
        let mut template = Self(Vec::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            template.push_text(before);
            if let Some(after) = brace.strip_prefix("{{").or(brace.strip_prefix("}}")) {
                template.push_text(brace.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inside = brace
                .strip_prefix('{')
                .ok_or_else(|| format!("`{text}` has a `}}` too many: write `}}}}`"))?;
            let (name, after) =
                inside.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
            template.push(name, host).map_err(|why| format!("`{text}` {why}"))?;
            rest = after;
        }
        template.push_text(rest);
        Ok(template)
    }

    /// As [`Template::new`], of a key by which events are told apart, which one text for all would not do.
    pub(crate) fn key(text: &str, host: &str) -> Result<Self, String> {
        if text.contains('{') {
            return Self::new(text, host);
        }
        Err(format!("`{text}` is the same for all events; for the field's value write `{{{text}}}`"))
    }

    fn push_text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => (),
            Some(Part::Text(before)) => before.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    fn push(&mut self, inside: &str, host: &str) -> Result<(), String> {
        let (name, or) = match inside.split_once('|') {
            Some((name, or)) => (name.trim(), Some(or)),
            None => (inside.trim(), None),
        };
        match name.strip_prefix("env:") {
            Some(variable) => self.push_text(&variable_or(variable, or)?),
            None if name.is_empty() => return Err("has an empty `{}`: write `{{}}`".into()),
            None if name == "host" => self.push_text(host),
            None if name == "tag" => self.0.push(Part::Tag),
            None => {
                let path = Path::new(name.strip_prefix("field:").unwrap_or(name));
                self.0.push(Part::Field(path, or.map(str::to_owned)));
            }
        }
        Ok(())
    }

    /// The value for `event`; none where a field is missing for which nothing else is given.
    pub(crate) fn value<'a>(&'a self, event: &Event<'a>, arena: &'a Bump) -> Option<Value<'a>> {
        match self.0.as_slice() {
            [Part::Field(path, or)] => {
                let given = or.as_ref().map(|or| Value::Text(or.as_bytes()));
                path.get(&event.fields).or(given)
            }
            _ => self.text(event, arena).map(Value::Text),
        }
    }

    /// The text for `event`; none where a field that is a text, a number or a truth is missing for which nothing else is given.
    pub(crate) fn text<'a>(&'a self, event: &Event<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
        match self.0.as_slice() {
            [] => return Some(b""),
            [part] => return part.text(event, arena),
            _ => (),
        }
        let (mut place, mut length) = ([0; SHORT], 0);
        for (index, part) in self.0.iter().enumerate() {
            let text = part.text(event, arena)?;
            // why: a copy of a few bytes takes less time than the call for it.
            let Some(to) = place.get_mut(length..).and_then(|rest| rest.get_mut(..text.len())) else {
                return self.long_text(place.get(..length)?, index, event, arena);
            };
            blocks::copy(to, text);
            length += text.len();
        }
        Some(arena.alloc_slice_copy(place.get(..length)?))
    }

    /// The same, where it is too long to be put together beforehand: `begin` is the text of the parts before `index`.
    #[inline(never)]
    fn long_text<'a>(
        &'a self,
        begin: &[u8],
        index: usize,
        event: &Event<'a>,
        arena: &'a Bump,
    ) -> Option<&'a [u8]> {
        let mut text = ArenaVec::with_capacity_in(2 * SHORT, arena);
        text.extend_from_slice_copy(begin);
        for part in self.0.get(index..)? {
            text.extend_from_slice_copy(part.text(event, arena)?);
        }
        Some(text.into_bump_slice())
    }
}

impl Part {
    fn text<'a>(&'a self, event: &Event<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Tag => Some(event.tag.as_bytes()),
            Self::Field(path, or) => {
                let text = path.look(&event.fields, |value| view::shown(value, arena)).flatten();
                text.or(or.as_ref().map(|or| or.as_bytes()))
            }
        }
    }
}

fn variable_or(name: &str, or: Option<&str>) -> Result<Cow<'static, str>, String> {
    match (std::env::var(name), or) {
        (Ok(value), _) => Ok(Cow::Owned(value)),
        (Err(_), Some(or)) => Ok(Cow::Owned(or.to_owned())),
        (Err(_), None) => Err(format!(
            "names the variable `{name}`, which is not set; `{{env:{name}|text}}` has a text for that"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Fields, Timestamp};

    fn value(template: &str) -> Option<String> {
        let (arena, mut fields) = (Bump::new(), Fields::default());
        fields.push("user.name".into(), Value::Json(r#""J\u00f6rg""#));
        fields.push("status".into(), Value::Unsigned(200));
        fields.push("list".into(), Value::Json("[1]"));
        fields.push("host".into(), Value::Text(b"theirs"));
        let event = Event { time: Timestamp::now(), tag: "app.web", fields };
        let template = Template::new(template, "node-1").unwrap_or_else(|why| panic!("{why}"));
        template.value(&event, &arena).map(|value| match value {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn places_are_filled() {
        for (template, expected) in [
            ("{user.name}@{host}", Some("Jörg@node-1")),
            ("{tag}: {status}", Some("app.web: 200")),
            ("{status}", Some("Unsigned(200)")),
            ("{list}", Some("Json(\"[1]\")")),
            ("{{status}}", Some("{status}")),
            ("{field:host}", Some("theirs")),
            ("{missing|none} {missing|}", Some("none ")),
            ("{missing}", None),
            ("a {missing}", None),
            ("a {list}", None),
            ("{env:FOREBAY_NOT_SET|dev}", Some("dev")),
            ("plain", Some("plain")),
            ("", Some("")),
        ] {
            assert_eq!(value(template).as_deref(), expected, "{template}");
        }
        assert!(value("{env:PATH}").is_some_and(|path| path.contains('/')));
    }

    #[test]
    fn a_text_may_be_longer_than_what_is_put_together_beforehand() {
        for length in [SHORT - 7, SHORT - 6, SHORT - 5, SHORT + 1, 3 * SHORT] {
            let text = "x".repeat(length);
            assert_eq!(value(&format!("{text}{{status}}{{host}}")), Some(format!("{text}200node-1")));
            assert_eq!(value(&format!("{{status}}{text}{{missing}}")), None);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(Template::key("uid", "h").is_err_and(|fault| fault.contains("write `{uid}`")));
        for (template, why) in [
            ("a {b", "without its `}`"),
            ("a } b", "too many"),
            ("{}", "write `{{}}`"),
            ("{env:FOREBAY_NOT_SET}", "is not set"),
        ] {
            let fault = Template::new(template, "h").expect_err(template);
            assert!(fault.contains(why), "{fault}");
        }
    }
}
