//! `<filter>`: what is done to events on their way.

use serde::de::IgnoredAny;

use super::{grep, parser};
use crate::import::draft::{Draft, Effect, Filter};
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::{Entry, Section};
use crate::import::step::{Action, Step};
use crate::import::template::template;
use crate::import::words::{inline, path, quote};
use crate::import::{geo, words};

/// Carries a filter over, as far as Forebay has the like; none where it has nothing.
pub(super) fn read(directive: &Section, pattern: String, draft: &mut Draft) -> Option<Filter> {
    let mut section = directive.clone();
    let kind = section.take(&["@type", "type"]).map(|kind| kind.value).unwrap_or_default();
    section.pass_over(&["@id", "@log_level"]);
    let from = section.from();
    let effects = match kind.as_str() {
        "parser" => parser::parser(&mut section, draft),
        "grep" => grep::grep(&mut section, draft),
        "record_transformer" | "record_modifier" => record(&mut section, draft),
        "concat" => concat(&mut section, draft),
        "detect_exceptions" => vec![Effect::Multiline(quote("traces"))],
        "stdout" | "prometheus" => Vec::new(),
        "geoip" => geo::fluentd(&mut section, draft),
        "kubernetes_metadata" => vec![draft.kubernetes(&mut section)],
        _ => {
            draft.leave(format!("{from} @type {kind}"), "Forebay has no such filter");
            return None;
        }
    };
    if !matches!(kind.as_str(), "stdout" | "prometheus") {
        draft.leave_rest(&section);
    }
    (!effects.is_empty()).then(|| Filter { pattern, from: line::noted(from, &effects), effects })
}

/// `record_transformer` and `record_modifier`.
fn record(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut set = Vec::new();
    for record in section.take_sections("record") {
        for entry in record.entries {
            match value(&entry.value, line::ALONE) {
                Ok(_) => set.push(entry),
                Err(why) => draft.leave(entry.from(), why),
            }
        }
    }
    if !set.is_empty() {
        effects.extend(line::steps(|line| Some(Step::new(Action::Set(values(&set, line))))));
    }
    effects.extend(keep(&set, section, draft));
    if let Some(remove) = section.take(&["remove_keys"]) {
        let names = names(&remove.value);
        effects.extend(line::steps(|line| line::remove(&names, line)));
    }
    section.pass_over(&["enable_ruby", "auto_typecast"]);
    effects
}

/// What alone stays, after all was set, since that may be read from what goes. `keep_keys` counts in a record that is begun
/// anew, beside what is set.
fn keep(set: &[Entry], section: &mut Section, draft: &mut Draft) -> Option<Effect> {
    let (white, keep) = (section.take(&["whitelist_keys"]), section.take(&["keep_keys"]));
    let renew = section.take(&["renew_record"]).filter(Entry::is_on);
    let stays = match (&white, &renew) {
        (Some(white), _) => names(&white.value),
        (None, Some(_)) => {
            let kept = keep.map(|keep| names(&keep.value)).unwrap_or_default();
            kept.into_iter().chain(set.iter().map(|entry| entry.key.clone())).collect()
        }
        (None, None) => return None,
    };
    if stays.is_empty() {
        let from = white.or(renew).map_or_else(|| section.from(), |entry| entry.from());
        draft.leave(from, "nothing that could stay is known: the event keeps its fields");
        return None;
    }
    Some(Effect::Step(Step::new(Action::Keep(line::kept(&stays)))))
}

/// The fields that `set` gives, and their templates.
fn values(set: &[Entry], line: &str) -> Vec<(String, String)> {
    let value = |entry: &Entry| Some((entry.key.clone(), value(&entry.value, line).ok()?));
    set.iter().filter_map(value).collect()
}

/// The template of a value that `set` gives. A hash or an array is none.
fn value(text: &str, line: &str) -> Result<String, String> {
    match text {
        // why: only what is JSON is more than a text to it.
        _ if text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            Err("it is a hash or an array, which `set` does not make".into())
        }
        _ => template(text, line),
    }
}

/// `a,b`, `$.a.b`, `["a", "b"]`
fn names(text: &str) -> Vec<String> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    bare.split(',').filter_map(|name| path(name.trim().trim_matches('"'))).collect()
}

/// `concat`: lines that are one event.
fn concat(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    if let Some(key) = section.take(&["key"]).filter(|key| !line::is_name(&key.value)) {
        draft.leave(key.from(), line::ELSEWHERE);
        section.entries.clear();
        return Vec::new();
    }
    section.pass_over(&["stream_identity_key", "timeout_label", "use_first_timestamp", "keep_partial_key"]);
    section.pass_over(&["use_partial_cri_logtag", "partial_cri_logtag_key", "partial_cri_stream_key"]);
    if let Some(interval) = section.take(&["flush_interval"])
        && let Some(time) = words::time(&interval.value)
    {
        draft.set("multiline", "timeout", quote(&time), interval.from());
    }
    let joins_parts =
        ["use_partial_metadata", "partial_key", "use_partial_metadata_ignore_case", "partial_value"];
    let is_of_parts = section.take(&joins_parts).is_some();
    let separator = section.take(&["separator"]).filter(|between| !["\n", "\\n"].contains(&&*between.value));
    section.pass_over(&["partial_metadata_format", "partial_value"]);
    let start = section.take(&["multiline_start_regexp"]);
    let follow = section.take(&["continuous_line_regexp"]);
    let mut rules = Vec::new();
    for (name, entry) in [("start", &start), ("follow", &follow)] {
        let Some(entry) = entry else { continue };
        match regex(&entry.value) {
            Ok(pattern) => rules.push((name.to_owned(), quote(&pattern))),
            Err(why) => draft.leave(entry.from(), why),
        }
    }
    match rules.is_empty() {
        true if !is_of_parts => {
            draft.leave(section.from(), "lines are joined by how an event begins or goes on");
            Vec::new()
        }
        // Docker's parts are joined anyway.
        true => Vec::new(),
        false => {
            let why = "lines are joined by the line break that was between them";
            separator.into_iter().for_each(|separator| draft.leave(separator.from(), why));
            vec![Effect::Multiline(inline(&rules))]
        }
    }
}
