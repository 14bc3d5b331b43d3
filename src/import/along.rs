//! What goes along with a format: the zone of its times and their place and form, names and types of what it reads.
//!
//! A pipeline has one zone. In a format that Forebay has of its own the time is found by what loggers call it and read in the
//! usual forms; any other is told.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::draft::{Draft, Effect};
use super::section::{Entry, Section};
use super::words::{inline, quote};
use crate::parse::{Zone, is_time_name, parse_time_text};

/// 2024-02-29T17:45:56Z
const SAMPLE: i64 = 1_709_228_756;

/// The zone of times that name none.
pub(super) fn zone(parse: &mut Section, draft: &mut Draft) -> Option<Effect> {
    let local = parse.take(&["localtime", "time_system_timezone"]).filter(Entry::is_on);
    parse.pass_over(&["utc"]);
    let Some(zone) = parse.take(&["timezone", "time_offset"]) else {
        let why = "times that name no zone are in UTC: set `timezone` in the pipeline";
        local.into_iter().for_each(|local| draft.leave(local.from(), why));
        return None;
    };
    match Zone::named(zone.value.trim()) {
        Some(Zone::Utc) => None,
        Some(named) => Some(Effect::Zone(quote(&named.name()))),
        None => {
            draft.leave(
                zone.from(),
                format!("`{}` is no zone of the time-zone database, and no offset", zone.value),
            );
            None
        }
    }
}

/// What the steps behind one of Forebay's own formats do, or why it is not the same format.
pub(super) fn known(
    kind: &str,
    parse: &mut Section,
    draft: &mut Draft,
) -> Result<Vec<Effect>, (String, String)> {
    delimiter(kind, parse)?;
    let names = columns(kind, parse);
    time(kind, &names, parse, draft);
    nothing(parse, draft);
    let mut effects: Vec<Effect> = zone(parse, draft).into_iter().collect();
    if !names.is_empty() {
        let column = |(index, name): (usize, &String)| (format!("column{}", index + 1), quote(name));
        let names: Vec<_> = names.iter().enumerate().map(column).collect();
        effects.push(Effect::step("rename", inline(&names)));
    }
    if let Some(entry) = parse.take(&["types"]) {
        let types = types(&entry, draft);
        let types: Vec<_> = types.into_iter().map(|(name, kind)| (name, quote(&kind))).collect();
        effects.extend((!types.is_empty()).then(|| Effect::step("convert", inline(&types))));
    }
    Ok(effects)
}

/// What stands between the values of a line: each format has its own.
fn delimiter(kind: &str, parse: &mut Section) -> Result<(), (String, String)> {
    for key in ["delimiter", "delimiter_pattern", "label_delimiter"] {
        let Some(entry) = parse.take(&[key]) else { continue };
        let own: &[&str] = match (kind, key) {
            ("csv", _) => &[","],
            ("ltsv", "label_delimiter") => &[":"],
            _ => &["\t", "\\t", "/\\t/"],
        };
        if !own.contains(&entry.value.as_str()) {
            let why = format!("`{kind}` has no other: write a [format.NAME] with `dissect`");
            return Err((entry.from(), why));
        }
    }
    Ok(())
}

/// The names of columns, which have none in the line.
fn columns(kind: &str, parse: &mut Section) -> Vec<String> {
    let keys = if ["csv", "tsv"].contains(&kind) { parse.take(&["keys"]) } else { None };
    let keys = keys.map(|keys| keys.value).unwrap_or_default();
    let names = keys.trim_matches(['[', ']']).split(',').map(|name| name.trim().trim_matches('"').to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// A time under a name or in a form that is not looked for.
fn time(kind: &str, columns: &[String], parse: &mut Section, draft: &mut Draft) {
    let (key, form) = (parse.take(&["time_key"]), parse.take(&["time_format"]));
    if let Some(key) = key.as_ref().filter(|key| columns.contains(&key.value)) {
        draft.leave(key.from(), "the time in a column stays a field: no format reads it");
        return;
    }
    // why: the other formats have their time in one place, in one form.
    if !["json", "ltsv", "logfmt", "key_value"].contains(&kind) {
        return;
    }
    if let Some(key) = key.filter(|key| !is_time_name(&key.value)) {
        draft.leave(
            key.from(),
            "the event's time is looked for in `@timestamp`, `timestamp`, `time` and `ts`",
        );
    }
    if let Some(form) = form.filter(|form| !is_usual(&form.value)) {
        draft.leave(form.from(), format!("a time of this form is not read in `{kind}`: it stays a field"));
    }
}

/// Whether a time of this form is read without being told.
pub(super) fn is_usual(form: &str) -> bool {
    let form = form.replace("%L", "%3f").replace("%N", "%9f").replace("%iso8601", "%Y-%m-%dT%H:%M:%S%z");
    let Ok(sample) = jiff::Timestamp::from_second(SAMPLE) else { return false };
    let written = strtime::format(form, &sample.to_zoned_datetime(TimeZone::UTC));
    let read = written.ok().and_then(|text| parse_time_text(text.trim(), &Zone::Utc));
    read.is_some_and(|time| time.seconds() == SAMPLE)
}

/// What stands for no value: nothing and `-` do.
pub(super) fn nothing(parse: &mut Section, draft: &mut Draft) {
    let Some(entry) = parse.take(&["null_value_pattern"]) else { return };
    let pattern = entry.value.trim_matches(['/', '^', '$', '(', ')', '?', ':', '|']);
    if !["", "-"].contains(&pattern) {
        draft.leave(entry.from(), "nothing and `-` alone stand for no value");
    }
}

/// `status:integer,took:float`, or a hash of the same.
pub(super) fn types(entry: &Entry, draft: &mut Draft) -> Vec<(String, String)> {
    let text = entry.value.trim().trim_start_matches('{').trim_end_matches('}');
    let mut types = Vec::new();
    for (name, kind) in text.split([',', ' ']).filter_map(|pair| pair.split_once(':')) {
        let (name, kind) = (name.trim().trim_matches('"'), kind.trim().trim_matches('"'));
        let known = match kind {
            "integer" => "int",
            "float" => "float",
            "bool" => "bool",
            "string" => "text",
            _ => {
                draft.leave(
                    entry.from(),
                    format!("`{name}` has the type `{kind}`; there are integer, float, bool, string"),
                );
                continue;
            }
        };
        types.push((name.to_owned(), known.to_owned()));
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_times_is_usual_where_such_a_time_is_read() {
        for form in
            ["%Y-%m-%dT%H:%M:%S.%L%z", "%Y-%m-%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%s", "%s.%L", "%iso8601"]
        {
            assert!(is_usual(form), "{form}");
        }
        for form in ["%d.%m.%Y %H:%M:%S", "%Y/%d/%m %H:%M:%S", "%H:%M:%S", "%Q%", ""] {
            assert!(!is_usual(form), "{form}");
        }
    }
}
