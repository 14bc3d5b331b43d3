//! `[[pipeline.test]]`: an input and what is expected of it. Values are whatever TOML has, as JSON has them.

use serde_json::{Map, Number, Value as Json};

use super::lists::all;
use super::section::Section;
use super::setting::{Read, Setting, quote, wrong};
use super::tree::{Node, Value};
use crate::enrich::{TestOptions, Whereabouts};

pub(super) fn test(section: &mut Section<'_>, options: &mut TestOptions) {
    options.place = Whereabouts(section.place());
    let before = section.faults();
    section.given("input", &mut options.input);
    section.choice("tag", &mut options.tag);
    section.choice("expect", &mut options.expect);
    section.choice("absent", &mut options.absent);
    section.choice("index", &mut options.index);
    section.choice("dropped", &mut options.dropped);
    if section.faults() == before {
        refuse(section, options);
    }
}

fn refuse(section: &mut Section<'_>, options: &TestOptions) {
    let of_document = options.expect.is_some() || options.absent.is_some() || options.index.is_some();
    match &options.input {
        None => section.refuse(&["input"], "is missing: a line, or a table that is a record"),
        Some(Json::String(_) | Json::Object(_)) => (),
        Some(_) => section.refuse(&["input"], "is neither a line nor a table that is a record"),
    }
    if options.dropped == Some(true) && of_document {
        section.refuse(&["dropped"], "is true, so that there is no document; drop expect, absent and index");
    }
    if !of_document && options.dropped.is_none() {
        section.refuse(&["expect"], "is missing: a test takes expect, absent, index or dropped");
    }
}

impl Setting for Json {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Text(text) | Value::Loose(text) => Ok(Self::from(text.as_str())),
            Value::Bool(truth) => Ok(Self::from(*truth)),
            Value::Integer(number) => match Number::from_i128(*number) {
                Some(number) => Ok(Self::Number(number)),
                None => wrong(node, format!("`{number}` is out of range")),
            },
            Value::Fraction(number) => Ok(Self::from(*number)),
            Value::List(items) => all(items.iter().map(Self::read)).map(Self::Array),
            Value::Table(entries) => {
                let members = entries.iter().map(|(name, node)| Ok((name.clone(), Self::read(node)?)));
                all(members).map(|members| Self::Object(Map::from_iter(members)))
            }
            Value::Foreign(kind) => wrong(node, format!("is {kind}; a document has it as text, in quotes")),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Null => quote(""),
            Self::Bool(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::String(text) => quote(text),
            Self::Array(items) => {
                format!("[{}]", items.iter().map(Self::print).collect::<Vec<_>>().join(", "))
            }
            Self::Object(members) => {
                let member = |(name, value): (&String, &Self)| format!("{} = {}", quote(name), value.print());
                let members: Vec<_> = members.iter().map(member).collect();
                if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
            }
        }
    }
}
