//! Fluent Bit: inputs to listeners, filters and outputs to legs. Its two syntaxes make the same sections.

mod classic;
mod filter;
mod modify;
mod output;
mod parsers;
mod rewrite;
mod yaml;

use std::sync::Arc;

use super::draft::{Draft, End, Filter, Leg};
use super::include::{Includes, Parse};
use super::pattern::{covers, is_one, over_dots, overlaps};
use super::section::{Entry, Section};
use super::words::{quote, time};
use super::{Unreadable, listener, tail, variables};
use output::Kind;
use parsers::Parsers;

pub(super) use classic::parse as classic;
pub(super) use yaml::parse as yaml;

/// Carries a configuration over.
pub(super) fn carry(text: &str, file: &Arc<str>, parse: Parse, draft: &mut Draft) -> Result<(), Unreadable> {
    let mut root = parse(text, file)?;
    Includes::new(parse, draft).expand(&mut root, 0)?;
    classic::substitute(&mut root);
    variables::settle(&mut root, draft);
    let mut named = Vec::new();
    for service in root.take_sections("service") {
        self::service(service, &mut named, draft);
    }
    let parsers = Parsers::read(&mut root, &named, parse, draft)?;
    let (mut filters, mut outputs) = (Vec::new(), Vec::new());
    for section in std::mem::take(&mut root.sections) {
        match section.name.as_str() {
            "input" => input(section, draft),
            "filter" => filters.extend(filter::read(section, &parsers, draft)),
            "output" => outputs.extend(output::read(section, draft)),
            _ => draft.leave(section.from(), "Forebay has nothing like it"),
        }
    }
    draft.leave_rest(&root);
    legs(outputs, &filters, draft);
    Ok(())
}

/// An event goes to every output that matches, where Forebay has one target: the narrower patterns of a kind come first.
fn legs(mut outputs: Vec<(Kind, Leg)>, filters: &[Filter], draft: &mut Draft) {
    outputs.sort_by_key(|(kind, _)| *kind);
    for same in outputs.chunk_by(|(one, _), (other, _)| one == other) {
        let mut legs: Vec<Leg> = Vec::new();
        for (_, leg) in same {
            tell_other_index(leg, &legs, draft);
            let is_wider =
                |other: &Leg| covers(&other.pattern, &leg.pattern) && !covers(&leg.pattern, &other.pattern);
            let at = legs.iter().position(is_wider).unwrap_or(legs.len());
            legs.insert(at, Leg { filters: filters.to_vec(), ..leg.clone() });
        }
        draft.legs.append(&mut legs);
    }
    if draft.legs.is_empty()
        && let Some(first) = filters.first()
    {
        let (pattern, from) = ("**".to_owned(), first.from.clone());
        draft.legs.push(Leg { pattern, filters: filters.to_vec(), end: End::default(), from });
    }
}

fn tell_other_index(leg: &Leg, legs: &[Leg], draft: &mut Draft) {
    let differs = |other: &&Leg| {
        overlaps(&other.pattern, &leg.pattern) && other.end.index_name() != leg.end.index_name()
    };
    if let Some(other) = legs.iter().find(differs) {
        draft.leave(leg.from.clone(), format!("an event goes to one index; see {}", other.from));
    }
}

/// Carries an input over.
fn input(mut input: Section, draft: &mut Draft) {
    let kind = input.take(&["name"]).map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    input.title = format!("[INPUT] {kind}");
    input.pass_over(&["alias"]);
    match kind.as_str() {
        "forward" => listener::forward(input, draft),
        "tail" => tail::tail(input, draft),
        _ => draft.leave(
            input.from(),
            "Forebay takes the forward protocol and files alone: leave this to a shipper, or to Docker's driver",
        ),
    }
}

fn service(mut service: Section, named: &mut Vec<String>, draft: &mut Draft) {
    for key in ["parsers_file", "parsers_files"] {
        named.extend(service.take_all(key).into_iter().map(|entry| entry.value));
    }
    if let Some(flush) = service.take(&["flush"])
        && let Some(value) = time(&flush.value)
    {
        draft.set("buffer", "batch_age", quote(&value), flush.from());
    }
    if let Some(grace) = service.take(&["grace"])
        && let Some(value) = time(&grace.value)
    {
        draft.set("", "stop_timeout", quote(&value), grace.from());
    }
    if let Some(level) = service.take(&["log_level"]) {
        let value =
            if level.value == "warning" { "warn".to_owned() } else { level.value.to_ascii_lowercase() };
        if ["off", "error", "warn", "info", "debug", "trace"].contains(&value.as_str()) {
            draft.set("log", "level", quote(&value), level.from());
        }
    }
    http(&mut service, draft);
    service.pass_over(&[
        "daemon",
        "log_file",
        "health_check",
        "hc_errors_count",
        "hc_retry_failure_count",
        "hc_period",
        "storage.path",
        "storage.sync",
        "storage.checksum",
        "storage.metrics",
        "storage.max_chunks_up",
        "storage.backlog.mem_limit",
        "storage.delete_irrecoverable_chunks",
        "scheduler.cap",
        "scheduler.base",
        "coro_stack_size",
        "dns.mode",
        "dns.resolver",
        "json.convert_nan_to_null",
        "sp.convert_from_str_to_num",
        "hot_reload",
        "multiline_buffer_limit",
    ]);
    draft.leave_rest(&service);
}

fn http(service: &mut Section, draft: &mut Draft) {
    let is_on = service.take_truth(&["http_server"]).unwrap_or(false);
    let address = service.take(&["http_listen"]).map_or_else(|| "0.0.0.0".to_owned(), |entry| entry.value);
    let port = service.take(&["http_port"]);
    let from = port.as_ref().map_or_else(|| service.from(), Entry::from);
    let port = port.map_or_else(|| "2020".to_owned(), |entry| entry.value);
    if is_on && port.parse::<u16>().is_err() {
        draft.leave(from, format!("`{port}` is no port"));
    } else if is_on {
        let address =
            if address.contains(':') { format!("[{}]", address.trim_matches(['[', ']'])) } else { address };
        draft.set("http", "listen", quote(&format!("{address}:{port}")), from);
    }
}

/// The pattern of Fluent Bit's `Match`, whose `*` goes over dots.
fn pattern(matched: &str) -> String {
    let text = matched.trim();
    match text.strip_suffix('*') {
        Some(begin) if !begin.is_empty() && !begin.ends_with('.') && !begin.contains('*') => {
            format!("{text} {text}.**")
        }
        _ => over_dots(text, "*"),
    }
}

/// The pattern of a filter or an output; none, and told, where it is a regex or no pattern.
fn matched(section: &mut Section, draft: &mut Draft) -> Option<String> {
    if let Some(regex) = section.take(&["match_regex"]) {
        draft.leave(regex.from(), "a pipeline is chosen by a pattern of tags, not by a regex");
        return None;
    }
    let Some(matched) = section.take(&["match"]) else {
        draft.leave(section.from(), "it has no `match`, so that it takes nothing");
        return None;
    };
    let pattern = self::pattern(&matched.value);
    if is_one(&pattern) && !pattern.contains("${") {
        return Some(pattern);
    }
    draft.leave(section.from(), format!("`{pattern}` is no pattern of tags"));
    None
}
