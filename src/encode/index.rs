//! Index names from a template: text with `{tag}`, `{field.path}` and strftime of the event's time in UTC.
//!
//! The rule that makes a name legal: lower case; `\ / * ? " < > | , # :`, spaces and control characters become `_`; no
//! `-`, `_`, `+` or `.` in front; at most 255 bytes. A template that begins with `logs-`, `metrics-` or `traces-` follows the
//! scheme of data streams, `TYPE-DATASET-NAMESPACE`: there a `-` inside of an inserted value becomes `_`, and a value is cut to 100 bytes.
//! Where a field is missing, is no text, number or truth, or is blank, the fallback is used.

use std::fmt;
use std::fmt::Write;

use super::path;
use crate::event::{Event, Timestamp, Value};

const MAX_BYTES: usize = 255;
const MAX_PART_BYTES: usize = 100;

/// A template that was understood.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IndexTemplate {
    parts: Vec<Part>,
    data_stream: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Tag,
    Field(String),
    /// A strftime format.
    Time(String),
}

/// Why a template was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexTemplateFault(String);

impl fmt::Display for IndexTemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IndexTemplateFault {}

impl std::str::FromStr for IndexTemplate {
    type Err = IndexTemplateFault;

    fn from_str(template: &str) -> Result<Self, IndexTemplateFault> {
        let fault = |why: &str| IndexTemplateFault(format!("`{template}` {why}"));
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| fault("has a `{` without its `}`"))?;
            push_text(&mut parts, before)?;
            parts.push(match name {
                "" => return Err(fault("has an empty `{}`")),
                "tag" => Part::Tag,
                name => Part::Field(name.to_owned()),
            });
            rest = after;
        }
        push_text(&mut parts, rest)?;
        if parts.is_empty() {
            return Err(fault("is empty"));
        }
        let data_stream = ["logs-", "metrics-", "traces-"].iter().any(|kind| template.starts_with(kind));
        Ok(Self { parts, data_stream })
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), IndexTemplateFault> {
    if text.contains('}') {
        return Err(IndexTemplateFault(format!("`{text}` has a `}}` without its `{{`")));
    }
    if text.contains('%') {
        let mut example = String::new();
        strftime(text, jiff::Timestamp::UNIX_EPOCH, &mut example)
            .map_err(|why| IndexTemplateFault(format!("`{text}` is no time format: {why}")))?;
        parts.push(Part::Time(text.to_owned()));
    } else if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

fn strftime(format: &str, at: jiff::Timestamp, out: &mut String) -> Result<(), jiff::Error> {
    let broken_down = jiff::fmt::strtime::BrokenDownTime::from(at);
    out.push_str(&broken_down.to_string(format)?);
    Ok(())
}

impl IndexTemplate {
    /// The name for every event whatsoever, where there is but one.
    pub(super) fn constant(&self) -> Option<String> {
        let constant = self.parts.iter().all(|part| matches!(part, Part::Text(_)));
        constant.then(|| self.fixed("")).flatten()
    }

    /// The name for every event of `tag`, where nothing else decides it.
    pub fn fixed(&self, tag: &str) -> Option<String> {
        let fixed = self.parts.iter().all(|part| matches!(part, Part::Text(_) | Part::Tag));
        if !fixed {
            return None;
        }
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                _ => self.insert(&mut name, tag),
            }
        }
        Some(legal(&name))
    }

    /// The name for `event`, written to `name`; false where a field that is asked for is not there.
    pub fn resolve(&self, event: &Event<'_>, name: &mut String) -> bool {
        name.clear();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Tag => self.insert(name, event.tag),
                Part::Time(format) => insert_time(name, format, event.time),
                Part::Field(field) => {
                    match path::find(&event.fields, field).and_then(|value| as_text(&value)) {
                        Some(value) if !value.trim().is_empty() => self.insert(name, &value),
                        _ => return false,
                    }
                }
            }
        }
        *name = legal(name);
        true
    }

    fn insert(&self, name: &mut String, value: &str) {
        if self.data_stream {
            let end = (0..=MAX_PART_BYTES).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
            let value = value.get(..end).unwrap_or(value);
            name.extend(value.chars().map(|character| if character == '-' { '_' } else { character }));
        } else {
            name.push_str(value);
        }
    }
}

fn insert_time(name: &mut String, format: &str, at: Timestamp) {
    let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    // The format was tried when the template was read.
    strftime(format, at, name).ok();
}

fn as_text(value: &Value<'_>) -> Option<String> {
    let mut text = String::new();
    match value {
        Value::Bool(truth) => write!(text, "{truth}").ok()?,
        Value::Unsigned(number) => write!(text, "{number}").ok()?,
        Value::Signed(number) => write!(text, "{number}").ok()?,
        Value::Json(json) | Value::Scalar(json) if !json.starts_with(['"', '{', '[', 'n']) => {
            text.push_str(json)
        }
        value => text = String::from_utf8_lossy(value.as_text()?).into_owned(),
    }
    Some(text)
}

/// A name that Elasticsearch and OpenSearch take.
pub fn legal(name: &str) -> String {
    let mut legal = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        let forbidden = matches!(character, '\\' | '/' | '*' | '?' | '"' | '<' | '>' | '|' | ',' | '#' | ':')
            || character.is_whitespace()
            || character.is_control();
        legal.push(if forbidden { '_' } else { character });
        if legal.len() > MAX_BYTES {
            legal.pop();
            break;
        }
    }
    let trimmed = legal.trim_start_matches(['-', '_', '+', '.']);
    if trimmed.is_empty() { "forebay".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Fields;

    fn resolve(template: &str, tag: &str, fields: Fields<'_>) -> Option<String> {
        let time = Timestamp::new(1_705_314_645, 0).expect("in range");
        let mut name = String::new();
        let template: IndexTemplate = template.parse().expect(template);
        template.resolve(&Event { time, tag, fields }, &mut name).then_some(name)
    }

    #[test]
    fn a_tag_in_a_data_streams_name_keeps_the_scheme() {
        let template: IndexTemplate = "logs-{tag}-default".parse().expect("good");
        assert_eq!(template.fixed("ml-api").as_deref(), Some("logs-ml_api-default"));
        assert_eq!(template.fixed("App.Web 1").as_deref(), Some("logs-app.web_1-default"));
        assert_eq!(
            template.fixed(&"x".repeat(300)).map(|name| name.len()),
            Some("logs--default".len() + 100)
        );
    }

    #[test]
    fn time_and_fields_are_taken_from_the_event() {
        let mut fields = Fields::default();
        fields.push("service.name".into(), Value::Text(b"Bill/ing"));
        fields.push("shard".into(), Value::Json("7"));
        let name = resolve("app-{service.name}-{shard}-%Y.%m.%d", "t", fields);
        assert_eq!(name.as_deref(), Some("app-bill_ing-7-2024.01.15"));
        assert_eq!("app-%Y".parse::<IndexTemplate>().expect("good").fixed("t"), None);
    }

    #[test]
    fn a_field_that_is_missing_or_blank_has_no_name() {
        let mut fields = Fields::default();
        fields.push("blank".into(), Value::Text(b" "));
        fields.push("object".into(), Value::Json("{}"));
        for template in ["{nothing}", "a-{blank}", "a-{object}"] {
            let mut fields_again = Fields::default();
            for field in fields.iter() {
                fields_again.push(field.name.clone(), field.value);
            }
            assert_eq!(resolve(template, "t", fields_again), None, "{template}");
        }
    }

    #[test]
    fn forbidden_characters_and_beginnings_are_mended() {
        assert_eq!(legal("_-.+A b\"C:#\n"), "a_b_c___");
        assert_eq!(legal("..."), "forebay");
        assert_eq!(legal(&"ä".repeat(200)).len(), 254);
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        for template in ["", "a-{tag", "a-}", "a-{}", "a-%!"] {
            assert!(template.parse::<IndexTemplate>().is_err(), "{template}");
        }
    }
}
