//! `[FILTER]`: what is done to events on their way.

use super::parsers::Parsers;
use super::{matched, modify, rewrite};
use crate::import::draft::{Draft, Effect, Filter};
use crate::import::geo;
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::Section;
use crate::import::step::{Action, Condition, Step};
use crate::import::words::{field, path, quote, text};

/// Carries a filter over, as far as Forebay has the like; none where it has nothing.
pub(super) fn read(mut section: Section, parsers: &Parsers, draft: &mut Draft) -> Option<Filter> {
    let kind = section.take(&["name"]).map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    section.title = format!("[FILTER] {kind}");
    section.pass_over(&["alias", "log_level"]);
    let from = section.from();
    let pattern = matched(&mut section, draft)?;
    let effects = match kind.as_str() {
        "parser" => parser(&mut section, parsers, draft),
        "multiline" => multiline(&mut section, parsers, draft),
        "grep" => grep(&mut section, draft),
        "modify" => modify::modify(&mut section, draft),
        "record_modifier" => record(&mut section, draft),
        "nest" => nest(&mut section, draft),
        "rewrite_tag" => rewrite::rewrite(&mut section, draft),
        "stdout" => Vec::new(),
        "geoip2" => geo::fluent_bit(&mut section, draft),
        "kubernetes" => vec![draft.kubernetes(&mut section)],
        _ => {
            draft.leave(from, "Forebay has no such filter");
            return None;
        }
    };
    draft.leave_rest(&section);
    (!effects.is_empty()).then(|| Filter { pattern, from: line::noted(from, &effects), effects })
}

fn parser(section: &mut Section, parsers: &Parsers, draft: &mut Draft) -> Vec<Effect> {
    let from = section.from();
    section.pass_over(&["reserve_data", "preserve_key", "unescape_key"]);
    let names = section.take_all("parser");
    if let Some(key) = section.take(&["key_name"])
        && !line::is_name(&key.value)
    {
        draft.leave(key.from(), line::ELSEWHERE);
        section.entries.clear();
        return Vec::new();
    }
    names.iter().flat_map(|name| parsers.line(&name.value, &from, draft)).collect()
}

fn multiline(section: &mut Section, parsers: &Parsers, draft: &mut Draft) -> Vec<Effect> {
    let from = section.from();
    if let Some(key) = section.take(&["multiline.key_content"]).filter(|key| !line::is_name(&key.value)) {
        draft.leave(key.from(), line::ELSEWHERE);
        section.entries.clear();
        return Vec::new();
    }
    section.pass_over(&["mode", "buffer", "emitter_name", "emitter_storage.type", "emitter_mem_buf_limit"]);
    if let Some(flush) =
        section.take(&["flush_ms"]).filter(|flush| flush.value.parse::<u32>().is_ok_and(|ms| ms > 0))
    {
        draft.set("multiline", "timeout", quote(&format!("{}ms", flush.value)), flush.from());
    }
    let names = section.take_all("multiline.parser");
    let names = names.iter().flat_map(|entry| entry.value.split(',')).map(str::trim);
    names.filter_map(|name| parsers.several(name, &from, draft)).collect()
}

/// Events stay that fit every `Regex` and no `Exclude`; with a `Logical_Op`, those that fit any, or all.
fn grep(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let between = section.take(&["logical_op"]).map(|entry| entry.value.to_ascii_lowercase());
    let mut drops = Vec::new();
    for (name, keeps) in [("regex", true), ("exclude", false)] {
        let (mut rules, mut are_all) = (Vec::new(), true);
        for entry in section.take_all(name) {
            match fits(&entry.value) {
                Ok(rule) => rules.push(rule),
                Err(why) => {
                    draft.leave(entry.from(), why);
                    are_all = false;
                }
            }
        }
        // why: without one of them more would be dropped than was.
        if !are_all && between.as_deref() == Some(if keeps { "or" } else { "and" }) {
            continue;
        }
        let joined = match between.as_deref() {
            Some(word @ ("and" | "or")) if !rules.is_empty() => {
                vec![Condition::join(&rules.iter().collect::<Vec<_>>(), &format!(" {word} "))]
            }
            _ => rules,
        };
        drops.extend(joined.into_iter().map(|rule| if keeps { rule.not() } else { rule }));
    }
    drops.into_iter().map(|when| Effect::Step(Step::drop(when))).collect()
}

/// `KEY REGEX` as a condition.
fn fits(rule: &str) -> Result<Condition, String> {
    let (key, pattern) = rule.split_once(char::is_whitespace).ok_or("it has no pattern")?;
    let name =
        path(key).and_then(|path| field(&path)).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    Ok(line::fits(&name, &text(&regex(pattern.trim())?), false))
}

fn record(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let mut effects = Vec::new();
    let keep: Vec<String> = ["allowlist_key", "whitelist_key"]
        .iter()
        .flat_map(|name| section.take_all(name))
        .map(|entry| entry.value)
        .collect();
    if !keep.is_empty() {
        effects.push(Effect::Step(Step::new(Action::Keep(line::kept(&keep)))));
    }
    let mut set = Vec::new();
    for entry in section.take_all("record") {
        let words = modify::words(&entry.value, 2);
        let [key, value] = words.as_slice() else {
            draft.leave(entry.from(), "it takes a name and a value");
            continue;
        };
        match modify::value(value) {
            Ok(value) => set.push((key.clone(), value)),
            Err(why) => draft.leave(entry.from(), why),
        }
    }
    if !set.is_empty() {
        effects.extend(line::steps(|_| Some(Step::new(Action::Set(set.clone())))));
    }
    let remove: Vec<String> = section.take_all("remove_key").into_iter().map(|entry| entry.value).collect();
    if !remove.is_empty() {
        effects.extend(line::steps(|line| line::remove(&remove, line)));
    }
    effects
}

/// `nest`: fields below an object. To lift them out of one, without a name before theirs, no step is made for.
fn nest(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let operation =
        section.take(&["operation"]).map(|entry| entry.value.to_ascii_lowercase()).unwrap_or_default();
    if operation != "nest" {
        draft.leave(section.from(), "what an object holds is `OBJECT.name` to Elasticsearch; name it so");
        section.entries.clear();
        return Vec::new();
    }
    let fields: Vec<String> = section.take_all("wildcard").into_iter().map(|entry| entry.value).collect();
    let under = section.take(&["nest_under"]);
    let strip = section.take(&["remove_prefix"]);
    let Some(under) = under.filter(|_| !fields.is_empty()) else { return Vec::new() };
    line::steps(|line| {
        let (under, strip) = (under.value.clone(), strip.as_ref().map(|strip| strip.value.clone()));
        Some(Step::new(Action::Nest { under, fields: line::listed(&fields, line), strip }))
    })
}
