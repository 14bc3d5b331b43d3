//! The configuration as TOML, each line with where it came from, and behind it what could not be carried.

use super::draft::{Draft, Effect, Left, Line, Table};
use super::plan::{self, Pipeline};
use super::proof;
use super::words::{list, quote};

/// Tables of which there is one, in the order of `conf/forebay.toml`.
const TABLES: [&str; 6] = ["multiline", "buffer", "elasticsearch", "file", "http", "log"];

/// A line that is printed.
pub(super) struct Printed {
    pub(super) text: String,
    /// Where it came from, if that is not its own text.
    pub(super) from: String,
}

/// Lines one below the other.
#[derive(Default)]
pub(super) struct Page(pub(super) Vec<Printed>);

impl Page {
    /// A line of ours.
    fn say(&mut self, text: impl Into<String>) {
        self.0.push(Printed { text: text.into(), from: String::new() });
    }

    /// A table's head, behind a blank line.
    fn head(&mut self, head: &str, from: &str) {
        self.say("");
        self.0.push(Printed { text: format!("{head}  # {}", comment(from)), from: from.to_owned() });
    }

    fn key(&mut self, key: &str, value: &str, from: &str) {
        let text = format!("{key} = {value}  # {}", comment(from));
        self.0.push(Printed { text, from: from.to_owned() });
    }

    fn keys(&mut self, lines: &[Line]) {
        lines.iter().for_each(|Line { key, value, from }| self.key(key, value, from));
    }

    /// All of it.
    pub(super) fn text(&self) -> String {
        self.0.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }
}

/// The text, and what was not carried.
pub(super) fn render(mut draft: Draft, name: &str) -> (String, Vec<Left>) {
    let mut page = page(&mut draft, name);
    draft.left.extend(proof::settle(&mut page));
    draft.left.sort();
    draft.left.dedup();
    rest(&mut page, &draft.left);
    (page.text(), draft.left)
}

fn page(draft: &mut Draft, name: &str) -> Page {
    let pipelines = plan::pipelines(draft);
    let mut page = Page::default();
    page.say(format!("# From {}. `forebay check --config FILE` tells what it makes of this.", comment(name)));
    page.keys(draft.tables.get("").map_or(&[], Vec::as_slice));
    for Table { head, from, lines } in draft.listeners.iter().flatten().chain(&draft.formats) {
        page.head(head, from);
        page.keys(lines);
    }
    pipelines.iter().for_each(|pipeline| self::pipeline(&mut page, pipeline));
    if !pipelines.is_empty() && !pipelines.iter().any(|pipeline| pipeline.pattern == "**") {
        page.say("");
        page.say("# A tag that none of these matches takes Forebay's defaults; it was thrown away before.");
    }
    for name in TABLES {
        if let Some(keys) = draft.tables.get(name) {
            page.say("");
            page.say(format!("[{name}]"));
            page.keys(keys);
        }
    }
    page
}

/// What ends no comment: a title may have any sign in it.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What Forebay would do by itself and the other program does not is switched off, so that documents stay what they were.
fn pipeline(page: &mut Page, pipeline: &Pipeline) {
    let from = &pipeline.from;
    page.head("[[pipeline]]", from);
    page.key("match", &quote(&pipeline.pattern), from);
    if pipeline.end.drops {
        page.head("[[pipeline.step]]", from);
        page.key("drop", "true", from);
        return;
    }
    match pipeline.formats().as_slice() {
        [] => page.key("parse", "\"none\"", "no parser reads it; \"auto\" would tell its format"),
        [(format, from)] => page.key("parse", &quote(format), from),
        formats => {
            let names: Vec<&str> = formats.iter().map(|(format, _)| *format).collect();
            page.key("parse", &list(&names), formats.first().map_or("", |(_, from)| from));
        }
    }
    if let Some((zone, from)) = pipeline.zone() {
        page.key("timezone", zone, from);
    }
    let multiline = pipeline.effects().find_map(|(filter, effect)| match effect {
        Effect::Multiline(value) => Some((value.as_str(), filter.from.as_str())),
        _ => None,
    });
    let (value, from) =
        multiline.unwrap_or(("\"none\"", "no filter joins lines; \"traces\" would join stack traces"));
    page.key("multiline", value, from);
    match &pipeline.end.tag_field {
        Some((field, from)) => page.key("tag_field", &quote(field), from),
        None => page.key("tag_field", "\"\"", "the tag was in no field"),
    }
    if let Some((index, from)) = &pipeline.end.index {
        page.key("index", &quote(index), from);
    }
    for (filter, effect) in pipeline.effects() {
        if let Effect::Step(step) = effect {
            page.head("[[pipeline.step]]", &filter.from);
            for (key, value) in step.keys() {
                page.key(key, &value, &filter.from);
            }
        }
    }
}

fn rest(page: &mut Page, left: &[Left]) {
    if left.is_empty() {
        return;
    }
    page.say("");
    page.say("# What could not be carried, and why:");
    for Left { what, why } in left {
        page.say(format!("#   {}: {}", comment(what), comment(why)));
    }
}
