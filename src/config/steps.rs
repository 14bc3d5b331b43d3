//! `[[pipeline.step]]`: a table with one step in it, and `when`.

use std::time::Duration;

use super::checks;
use super::redact::redact;
use super::section::Section;
use super::setting::{Read, Setting, quote, wrong};
use super::tree::{Node, Value};
use crate::enrich::steps::{
    DedupeOptions, DockerOptions, FlattenOptions, GeoIpOptions, GuardOptions, LookupOptions, NestOptions,
    ReplaceOptions, RouteOptions, SampleOptions, SetValue, Step, StepOptions, Surroundings, ThrottleOptions,
    UserAgentOptions,
};
use crate::event::MAX_DEPTH;

/// The shortest time that makes sense.
const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn step(section: &mut Section<'_>, options: &mut StepOptions) {
    let before = section.faults();
    keys(section, options);
    if section.faults() == before
        && !section.has_unknown()
        && let Err(fault) = Step::compile(options, &Surroundings::default())
    {
        section.refuse(&[fault.key], fault.why);
    }
}

fn keys(section: &mut Section<'_>, options: &mut StepOptions) {
    section.given("when", &mut options.when);
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
    section.choice_table("nest", &mut options.nest, nest);
    section.choice_table("flatten", &mut options.flatten, flatten);
    section.choice("drop", &mut options.drop);
    section.choice_table("sample", &mut options.sample, sample);
    section.choice_table("throttle", &mut options.throttle, throttle);
    section.choice_table("dedupe", &mut options.dedupe, dedupe);
    section.choice_table("route", &mut options.route, route);
    section.choice("kubernetes", &mut options.kubernetes);
    section.choice_table("lookup", &mut options.lookup, lookup);
    section.choice_table("user_agent", &mut options.user_agent, user_agent);
    section.choice_table("geoip", &mut options.geoip, geoip);
    section.choice_table("docker_metadata", &mut options.docker_metadata, docker_metadata);
    section.choice_table("guard", &mut options.guard, guard);
    section.choice_table("redact", &mut options.redact, redact);
}

fn replace(section: &mut Section<'_>, options: &mut ReplaceOptions) {
    section.checked("field", &mut options.field, checks::not_empty);
    section.checked("pattern", &mut options.pattern, checks::not_empty);
    section.key("with", &mut options.with);
    need(section, &[("field", options.field.is_empty()), ("pattern", options.pattern.is_empty())]);
}

fn nest(section: &mut Section<'_>, options: &mut NestOptions) {
    section.key("under", &mut options.under);
    section.key("fields", &mut options.fields);
    section.choice("strip", &mut options.strip);
    need(section, &[("under", options.under.is_empty()), ("fields", options.fields.is_empty())]);
}

fn flatten(section: &mut Section<'_>, options: &mut FlattenOptions) {
    section.key("fields", &mut options.fields);
    section.checked("separator", &mut options.separator, checks::not_empty);
    need(section, &[("fields", options.fields.is_empty())]);
}

fn sample(section: &mut Section<'_>, options: &mut SampleOptions) {
    section.checked("rate", &mut options.rate, checks::between(0.0, 1.0));
    section.key("by_level", &mut options.by_level);
    section.choice("key", &mut options.key);
}

fn throttle(section: &mut Section<'_>, options: &mut ThrottleOptions) {
    section.key("key", &mut options.key);
    section.checked("events", &mut options.events, checks::at_least(1));
    section.checked("per", &mut options.per, checks::at_least(MOMENT));
}

fn dedupe(section: &mut Section<'_>, options: &mut DedupeOptions) {
    section.key("key", &mut options.key);
    section.checked("window", &mut options.window, checks::at_least(MOMENT));
}

fn route(section: &mut Section<'_>, options: &mut RouteOptions) {
    if options.index.is_some() || matches!(section, Section::Read(_)) {
        section.checked("index", &mut options.index, checks::optional_index);
    }
    section.choice("tag", &mut options.tag);
    section.choice("output", &mut options.output);
}

fn lookup(section: &mut Section<'_>, options: &mut LookupOptions) {
    section.key("table", &mut options.table);
    section.key("key", &mut options.key);
    section.key("into", &mut options.into);
    let missing = [&options.table, &options.key, &options.into].map(String::is_empty);
    need(section, &[("table", missing[0]), ("key", missing[1]), ("into", missing[2])]);
}

fn user_agent(section: &mut Section<'_>, options: &mut UserAgentOptions) {
    section.choice("field", &mut options.field);
    section.key("target", &mut options.target);
}

fn geoip(section: &mut Section<'_>, options: &mut GeoIpOptions) {
    section.key("database", &mut options.database);
    section.choice("field", &mut options.field);
    section.choice("target", &mut options.target);
    need(section, &[("database", options.database.is_empty())]);
}

fn docker_metadata(section: &mut Section<'_>, options: &mut DockerOptions) {
    section.checked("socket", &mut options.socket, checks::not_empty);
    section.choice("field", &mut options.field);
    section.key("labels", &mut options.labels);
}

fn guard(section: &mut Section<'_>, options: &mut GuardOptions) {
    section.checked("fields", &mut options.fields, checks::at_least(1));
    section.checked("depth", &mut options.depth, checks::between(1, MAX_DEPTH));
    section.checked("overflow", &mut options.overflow, checks::not_empty);
}

/// Refuses a table without what it makes no sense without.
fn need(section: &mut Section<'_>, keys: &[(&str, bool)]) {
    for (key, is_missing) in keys {
        if *is_missing && !section.has(key) {
            section.refuse(&[key], "is missing");
        }
    }
}

/// A step as it is configured, on one line, without its condition.
pub(crate) fn title(options: &StepOptions) -> String {
    let printed = super::section::print(&mut StepOptions { when: None, ..options.clone() }, keys);
    let mut lines = printed.lines().filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match first.strip_prefix('[').and_then(|table| table.strip_suffix(']')) {
        Some(table) => format!("{table} = {{ {} }}", lines.collect::<Vec<_>>().join(", ")),
        None => first.to_owned(),
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
