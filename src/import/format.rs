//! Formats of lines: those that Forebay knows by other names, and `[format.NAME]` for a regex.

use super::draft::{Draft, Table};
use super::section::{Entry, Section};
use super::words::{inline, quote, regex};
use crate::parse::Format;

/// Forebay's name of a format.
pub(super) fn known(kind: &str, from: &str, draft: &mut Draft) -> Option<String> {
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

/// A format of one's own, under a name that no other has.
pub(super) fn own(
    expression: &Entry,
    parse: &mut Section,
    name: Option<&str>,
    draft: &mut Draft,
) -> Option<String> {
    let time_key = parse.take(&["time_key"]).map_or_else(|| "time".to_owned(), |key| key.value);
    let pattern = match regex(&expression.value) {
        Ok(pattern) => pattern.replace(&format!("(?<{time_key}>"), "(?<time>"),
        Err(why) => {
            draft.leave(expression.from(), why);
            return None;
        }
    };
    if !pattern.contains("(?<") && !pattern.contains("(?P<") {
        draft.leave(expression.from(), "its regex has no group with a name");
        return None;
    }
    let name = name.map_or_else(|| format!("imported_{}", draft.formats.len() + 1), legal);
    let mut table = Table::new(format!("[format.{name}]"), expression.from());
    table.push("regex", quote(&pattern), expression.from());
    if let Some(types) = parse.take(&["types"]) {
        let types_read = self::types(&types.value);
        if !types_read.is_empty() {
            table.push("types", inline(&types_read), types.from());
        }
    }
    if let Some(time) = parse.take(&["time_format"]).filter(|_| pattern.contains("(?<time>")) {
        time_format(&time, &mut table, draft);
    }
    if !draft.formats.iter().any(|other| other.head == table.head) {
        draft.formats.push(table);
    }
    Some(name)
}

/// A form of times is given only where the usual ones do not hold: those Forebay reads by itself.
fn time_format(time: &Entry, table: &mut Table, draft: &mut Draft) {
    const USUAL: [&str; 5] = [
        "%d/%b/%Y:%H:%M:%S %z",
        "%Y-%m-%dT%H:%M:%S%z",
        "%Y-%m-%dT%H:%M:%S.%L%z",
        "%Y-%m-%dT%H:%M:%S.%L",
        "%iso8601",
    ];
    if USUAL.contains(&time.value.as_str()) {
        return;
    }
    let form =
        time.value.replace(".%L", "%.f").replace(".%N", "%.f").replace(",%L", ",%f").replace(",%N", ",%f");
    if form.contains("%L") || form.contains("%N") || form.contains("%s") {
        draft.leave(time.from(), "this form of time is not read; the usual ones are");
        return;
    }
    table.push("time", quote(&form), time.from());
}

/// `status:integer,took:float`, or a hash of the same.
fn types(text: &str) -> Vec<(String, String)> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let pairs = text.split([',', ' ']).filter_map(|pair| pair.split_once(':'));
    pairs
        .filter_map(|(name, kind)| {
            let kind = match kind.trim().trim_matches('"') {
                "integer" => "int",
                "float" => "float",
                "bool" => "bool",
                "string" => "text",
                _ => return None,
            };
            Some((name.trim().trim_matches('"').to_owned(), quote(kind)))
        })
        .collect()
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
