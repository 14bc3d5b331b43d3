//! `[[pipeline.step]]`: a table with one step in it, and `when`.

use super::checks;
use super::section::Section;
use super::setting::{Read, Setting, quote, wrong};
use super::tree::{Node, Value};
use crate::enrich::steps::{ReplaceOptions, SetValue, Step, StepOptions};

/// The host's name stands in templates, and no name makes one wrong.
const SOME_HOST: &str = "host";

pub(super) fn step(section: &mut Section<'_>, options: &mut StepOptions) {
    let before = section.faults();
    keys(section, options);
    if section.faults() == before
        && let Err(fault) = Step::compile(options, SOME_HOST)
    {
        section.refuse(&[fault.key], fault.why);
    }
}

fn keys(section: &mut Section<'_>, options: &mut StepOptions) {
    section.choice("when", &mut options.when);
    section.choice("set", &mut options.set);
    section.choice("rename", &mut options.rename);
    section.choice("copy", &mut options.copy);
    section.choice("remove", &mut options.remove);
    section.choice("keep", &mut options.keep);
    section.choice("convert", &mut options.convert);
    section.choice("split", &mut options.split);
    section.choice("join", &mut options.join);
    section.choice("trim", &mut options.trim);
    section.choice("lower", &mut options.lower);
    section.choice("upper", &mut options.upper);
    section.choice_table("replace", &mut options.replace, replace);
}

fn replace(section: &mut Section<'_>, options: &mut ReplaceOptions) {
    section.checked("field", &mut options.field, checks::not_empty);
    section.checked("pattern", &mut options.pattern, checks::not_empty);
    section.key("with", &mut options.with);
    need(section, &[("field", &options.field), ("pattern", &options.pattern)]);
}

/// Refuses a table without what it makes no sense without.
fn need(section: &mut Section<'_>, keys: &[(&str, &String)]) {
    for (key, _) in keys.iter().filter(|(_, text)| text.is_empty()) {
        section.refuse(&[key], "is missing");
    }
}

/// The options that a step's table makes, for tests of steps, which are written as an operator writes them.
#[cfg(test)]
pub(crate) fn read(toml: &str) -> Result<StepOptions, super::Faults> {
    let (mut faults, mut options) = (Vec::new(), StepOptions::default());
    let node = super::file::parse(toml, &"step".into(), &mut faults);
    super::section::read("", Some(&node), &mut faults, &mut options, keys);
    super::Faults::gather(faults).map_or(Ok(options), Err)
}

impl Setting for SetValue {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Text(text) | Value::Loose(text) => Ok(Self::Text(text.clone())),
            Value::Bool(truth) => Ok(Self::Truth(*truth)),
            Value::Fraction(number) => Ok(Self::Broken(*number)),
            Value::Integer(number) => match i64::try_from(*number) {
                Ok(number) => Ok(Self::Whole(number)),
                Err(_) => wrong(node, format!("`{number}` is out of range")),
            },
            other => wrong(node, format!("is {}, but takes a text, a number, true or false", other.kind())),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Whole(number) => number.to_string(),
            Self::Broken(number) => format!("{number:?}"),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}
