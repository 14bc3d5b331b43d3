//! `grep`: events that stay, or go, by their fields.

use crate::import::draft::{Draft, Effect};
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::Section;
use crate::import::step::{Condition, Step};
use crate::import::words::{field, path, text};

/// A `drop` for each rule that an event has to fulfil.
pub(super) fn grep(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let mut drops = Vec::new();
    for mut below in std::mem::take(&mut section.sections) {
        let from = below.from();
        match rule(&mut below) {
            Ok(Some(when)) => drops.push(when),
            Ok(None) => section.sections.push(below),
            Err(why) => draft.leave(from, why),
        }
    }
    for old in section.entries.extract_if(.., |entry| is_old(&entry.key)) {
        let is_exclude = old.key.starts_with("exclude");
        let found = old.value.split_once(' ').ok_or_else(|| "it has no pattern".to_owned());
        match found.and_then(|(key, pattern)| fits(key, pattern.trim(), !is_exclude)) {
            Ok(when) => drops.push(when),
            Err(why) => draft.leave(old.from(), why),
        }
    }
    drops.into_iter().map(|when| Effect::Step(Step::drop(when))).collect()
}

/// `regexp1`, `exclude20`: as they were written before there were directives for them.
fn is_old(key: &str) -> bool {
    let number = key.strip_prefix("regexp").or(key.strip_prefix("exclude"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The condition under which an event goes.
fn rule(section: &mut Section) -> Result<Option<Condition>, String> {
    match section.name.as_str() {
        "regexp" => one(section, true).map(Some),
        "exclude" => one(section, false).map(Some),
        "and" => several(section, " and ").map(Some),
        "or" => several(section, " or ").map(Some),
        _ => Ok(None),
    }
}

/// Either all that the directive names have to fit, or none.
fn several(section: &mut Section, between: &str) -> Result<Condition, String> {
    let keeps = section.sections.iter().all(|below| below.name == "regexp");
    if !keeps && section.sections.iter().any(|below| below.name == "regexp") {
        return Err("it has both <regexp> and <exclude>".into());
    }
    let rules: Result<Vec<Condition>, String> =
        section.sections.iter_mut().map(|below| one(below, false)).collect();
    let rules = rules?;
    let rules: Vec<&Condition> = rules.iter().collect();
    match rules.is_empty() {
        true => Err("it is empty".into()),
        false if keeps => Ok(Condition::join(&rules, between).not()),
        false => Ok(Condition::join(&rules, between)),
    }
}

fn one(section: &mut Section, inverted: bool) -> Result<Condition, String> {
    let mut needed = |name: &str| section.take(&[name]).ok_or_else(|| format!("it has no `{name}`"));
    fits(&needed("key")?.value, &needed("pattern")?.value, inverted)
}

fn fits(key: &str, pattern: &str, inverted: bool) -> Result<Condition, String> {
    let name =
        path(key).and_then(|path| field(&path)).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    Ok(line::fits(&name, &text(&regex(pattern)?), inverted))
}
