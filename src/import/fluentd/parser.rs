//! `parser`: the format of lines.

use crate::import::draft::{Draft, Effect};
use crate::import::format::{self, Layout};
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::{Entry, Section};
use crate::import::words::quote;

/// Carries a parser over.
pub(super) fn parser(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let from = section.from();
    let key = section.take(&["key_name"]);
    if let Some(key) = key.filter(|key| !line::is_name(&key.value)) {
        draft.leave(key.from(), line::ELSEWHERE);
        section.entries.clear();
        section.sections.clear();
        return Vec::new();
    }
    section.pass_over(&[
        "reserve_data",
        "reserve_time",
        "remove_key_name_field",
        "replace_invalid_sequence",
        "emit_invalid_record_to_error",
        "suppress_parse_error_log",
    ]);
    let mut parses = section.take_sections("parse");
    if parses.is_empty() {
        let mut whole = section.clone();
        section.entries.clear();
        whole
            .entries
            .iter_mut()
            .filter(|entry| entry.key == "format")
            .for_each(|entry| entry.key = "@type".into());
        parses.push(whole);
    }
    let mut effects = Vec::new();
    for mut parse in parses {
        let patterns = parse.take_sections("pattern");
        let several = if patterns.is_empty() { vec![parse] } else { patterns };
        effects.extend(several.into_iter().flat_map(|one| format(one, &from, draft)));
    }
    effects
}

fn format(mut parse: Section, from: &str, draft: &mut Draft) -> Vec<Effect> {
    let kind = parse.take(&["@type", "format"]).map(|kind| kind.value).unwrap_or_default();
    parse.pass_over(&[
        "json_parser",
        "time_type",
        "keep_time_key",
        "null_empty_string",
        "estimate_current_event",
        "timeout",
        "with_priority",
        "parser_engine",
        "rfc5424_time_format",
        "stream_buffer_size",
        "parser_type",
        "support_colonless_ident",
    ]);
    let effects = match kind.as_str() {
        "multiline" => multiline(&mut parse, draft).into_iter().collect(),
        "syslog" => syslog(&mut parse, from, draft),
        "grok" | "multiline_grok" => grok(&mut parse, draft),
        "regexp" => match parse.take(&["expression"]) {
            Some(expression) => format::of_own((Layout::Regex, &expression), &mut parse, None, draft),
            None => Vec::new(),
        },
        _ if kind.starts_with('/') => {
            let expression = Entry { key: "format".into(), value: kind, place: parse.place.clone() };
            format::of_own((Layout::Regex, &expression), &mut parse, None, draft)
        }
        _ => format::of_kind(&kind, from, &mut parse, draft),
    };
    draft.leave_rest(&parse);
    effects
}

/// Of a daemon's lines there are two forms, which `auto` tells line by line.
fn syslog(parse: &mut Section, from: &str, draft: &mut Draft) -> Vec<Effect> {
    let form = parse.take(&["message_format"]).map(|form| form.value).unwrap_or_default();
    let kinds: &[&str] = match form.as_str() {
        "rfc5424" => &["syslog-rfc5424"],
        "auto" => &["syslog-rfc5424", "syslog-rfc3164"],
        _ => &["syslog-rfc3164"],
    };
    kinds.iter().flat_map(|kind| format::of_kind(kind, from, parse, draft)).collect()
}

/// One expression, or several of which the first that fits counts, each with its own time.
fn grok(parse: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let mut effects = Vec::new();
    let whole = parse.take(&["grok_pattern"]).map(|pattern| (pattern, parse.clone()));
    let several =
        parse.take_sections("grok").into_iter().filter_map(|mut one| Some((one.take(&["pattern"])?, one)));
    for (pattern, mut around) in whole.into_iter().chain(several) {
        around.pass_over(&["name", "keep_time_key"]);
        effects.extend(format::of_own((Layout::Grok, &pattern), &mut around, None, draft));
    }
    parse.pass_over(&["time_key", "time_format", "timezone", "types", "grok_failure_key", "grok_name_key"]);
    if let Some(first) = parse.take(&["multiline_start_regexp"]) {
        effects.extend(begins(&first, draft));
    }
    effects
}

/// The first line of an event; formats of its parts cannot be told line by line.
fn multiline(parse: &mut Section, draft: &mut Draft) -> Option<Effect> {
    let first = parse.take(&["format_firstline"])?;
    for part in parse.entries.extract_if(.., |entry| entry.key.starts_with("format")) {
        draft.leave(part.from(), "write a [format.NAME] with a regex for the whole event");
    }
    begins(&first, draft)
}

/// Lines are joined by how an event begins.
fn begins(first: &Entry, draft: &mut Draft) -> Option<Effect> {
    match regex(&first.value) {
        Ok(pattern) => Some(Effect::Multiline(format!("{{ start = {} }}", quote(&pattern)))),
        Err(why) => {
            draft.leave(first.from(), why);
            None
        }
    }
}
