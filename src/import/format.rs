//! Formats of lines: those that Forebay knows by other names, and `[format.NAME]` for a regex or a grok expression.

use super::along;
use super::draft::{Draft, Effect, Table};
use super::ruby::regex;
use super::section::{Entry, Section};
use super::words::{inline, quote};
use crate::parse::{Format, Own, OwnOptions};

/// What a parser of one of Forebay's own formats does.
pub(super) fn of_kind(kind: &str, from: &str, parse: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let Some(format) = known(kind, from, draft) else {
        parse.entries.clear();
        return Vec::new();
    };
    match along::known(&format, parse, draft) {
        Ok(along) => Some(Effect::Parse(format)).into_iter().chain(along).collect(),
        Err((what, why)) => {
            draft.leave(what, why);
            parse.entries.clear();
            Vec::new()
        }
    }
}

/// How a format of one's own is described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Regex,
    Grok,
}

/// A description, with where it stands.
pub(super) type Described<'e> = (Layout, &'e Entry);

/// What a parser with a format of one's own does.
pub(super) fn of_own(
    described: Described<'_>,
    parse: &mut Section,
    name: Option<&str>,
    draft: &mut Draft,
) -> Vec<Effect> {
    let zone = along::zone(parse, draft);
    let format = own(described, parse, name, draft);
    format.map_or_else(Vec::new, |format| Some(Effect::Parse(format)).into_iter().chain(zone).collect())
}

/// Forebay's name of a format.
fn known(kind: &str, from: &str, draft: &mut Draft) -> Option<String> {
    let name = match kind {
        "apache2" | "apache" | "nginx" | "k8s-nginx-ingress" => "access",
        "apache_error" => "apache_error",
        "syslog" | "syslog-rfc3164" | "syslog-rfc3164-local" => "syslog_3164",
        "syslog-rfc5424" => "syslog_5424",
        // A line of Docker's own file has been taken apart by whoever has sent it.
        "docker" => "json",
        other => other,
    };
    match name {
        "none" | "" => None,
        _ if Format::named(name).is_some() => Some(name.to_owned()),
        _ => {
            draft.leave(from, format!("there is no format `{kind}`; `auto` may know the line"));
            None
        }
    }
}

/// A format of one's own, under a name that no other has; none, and told, where Forebay would refuse it.
fn own(
    (layout, expression): Described<'_>,
    parse: &mut Section,
    name: Option<&str>,
    draft: &mut Draft,
) -> Option<String> {
    along::nothing(parse, draft);
    let time_key = parse.take(&["time_key"]).map_or_else(|| "time".to_owned(), |key| key.value);
    let (types, time) = (parse.take(&["types"]), parse.take(&["time_format"]));
    let name = name.map_or_else(|| format!("imported_{}", draft.formats.len() + 1), legal);
    let head = format!("[format.{name}]");
    if draft.formats.iter().any(|other| other.head == head) {
        return Some(name);
    }
    let pattern = pattern((layout, expression), &time_key, draft)?;
    let named =
        |name: &str| pattern.contains(&format!("<{name}>")) || pattern.contains(&format!(":{name}}}"));
    let mut kinds = types.as_ref().map(|types| along::types(types, draft)).unwrap_or_default();
    kinds.retain(|(name, _)| named(name));
    let form = time.as_ref().filter(|_| named("time")).and_then(|time| time_form(time, draft));
    let mut options = OwnOptions { types: kinds, time: form, ..OwnOptions::default() };
    let (key, place) = match layout {
        Layout::Regex => ("regex", &mut options.regex),
        Layout::Grok => ("grok", &mut options.grok),
    };
    *place = Some(pattern.clone());
    if let Err(fault) = Own::compile(&name, &options) {
        draft.leave(expression.from(), fault.why);
        return None;
    }
    let mut table = Table::new(head, expression.from());
    table.push(key, quote(&pattern), expression.from());
    if let Some(from) = types.filter(|_| !options.types.is_empty()) {
        let kinds: Vec<_> = options.types.iter().map(|(name, kind)| (name.clone(), quote(kind))).collect();
        table.push("types", inline(&kinds), from.from());
    }
    if let (Some(form), Some(from)) = (options.time, time) {
        table.push("time", quote(&form), from.from());
    }
    draft.formats.push(table);
    Some(name)
}

/// What describes the format, with the time under its name here.
fn pattern((layout, expression): Described<'_>, time_key: &str, draft: &mut Draft) -> Option<String> {
    if layout == Layout::Grok {
        return Some(grok(&expression.value, time_key));
    }
    match regex(&expression.value) {
        Ok(pattern) => Some(pattern.replace(&format!("(?<{time_key}>"), "(?<time>")),
        Err(why) => {
            draft.leave(expression.from(), why);
            None
        }
    }
}

/// A grok expression with Forebay's names of types, and of the time.
fn grok(expression: &str, time_key: &str) -> String {
    let types = [(":integer}", ":int}"), (":string}", ":text}")];
    let typed = types.iter().fold(expression.to_owned(), |text, (old, new)| text.replace(old, new));
    typed.replace(&format!(":{time_key}}}"), ":time}")
}

/// A form of times is given only where the usual ones do not hold: those Forebay reads by itself.
fn time_form(time: &Entry, draft: &mut Draft) -> Option<String> {
    const USUAL: [&str; 5] = [
        "%d/%b/%Y:%H:%M:%S %z",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%dT%H:%M:%S.%L%z",
        "%Y-%m-%dT%H:%M:%S.%L",
        "%iso8601",
    ];
    if USUAL.contains(&time.value.as_str()) {
        return None;
    }
    let form =
        time.value.replace(".%L", "%.f").replace(".%N", "%.f").replace(",%L", ",%f").replace(",%N", ",%f");
    if ["%L", "%N", "%s"].iter().any(|part| form.contains(part)) {
        if along::is_usual(&time.value) {
            return None;
        }
        draft.leave(time.from(), "this form of time is not read; the usual ones are");
        return None;
    }
    Some(form)
}

/// A name that is none of Forebay's own, of letters, digits, `_` and `-`.
fn legal(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = name.chars().map(legal).collect();
    if name.is_empty() || Format::named(&name).is_some() || ["auto", "none"].contains(&name.as_str()) {
        format!("own_{name}")
    } else {
        name
    }
}
