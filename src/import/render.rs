//! The configuration as TOML, each line with where it came from, and behind it what could not be carried.

use super::draft::{Draft, Effect, Left, Line, Table};
use super::plan::{self, Pipeline};
use super::words::{list, quote};

/// Tables of which there is one, in the order of `conf/forebay.toml`.
const TABLES: [&str; 6] = ["multiline", "buffer", "elasticsearch", "file", "http", "log"];

/// The text, and what was not carried.
pub(super) fn render(mut draft: Draft, name: &str) -> (String, Vec<Left>) {
    let pipelines = plan::pipelines(&mut draft);
    let mut out = format!("# From {name}. `forebay check --config FILE` tells what it makes of this.\n");
    lines(&mut out, draft.tables.get("").map_or(&[], Vec::as_slice));
    for table in draft.listeners.iter().flatten().chain(&draft.formats) {
        self::table(&mut out, table);
    }
    for pipeline in &pipelines {
        self::pipeline(&mut out, pipeline);
    }
    if !pipelines.is_empty() && !pipelines.iter().any(|pipeline| pipeline.pattern == "**") {
        out.push_str(
            "\n# A tag that none of these matches takes Forebay's defaults; it was thrown away before.\n",
        );
    }
    for name in TABLES {
        if let Some(keys) = draft.tables.get(name) {
            out.push_str(&format!("\n[{name}]\n"));
            lines(&mut out, keys);
        }
    }
    draft.left.sort();
    draft.left.dedup();
    rest(&mut out, &draft.left);
    (out, draft.left)
}

fn table(out: &mut String, table: &Table) {
    out.push_str(&format!("\n{}  # {}\n", table.head, comment(&table.from)));
    lines(out, &table.lines);
}

fn lines(out: &mut String, lines: &[Line]) {
    for Line { key, value, from } in lines {
        line(out, key, value, from);
    }
}

fn line(out: &mut String, key: &str, value: &str, from: &str) {
    out.push_str(&format!("{key} = {value}  # {}\n", comment(from)));
}

/// What ends no comment: a title may have any sign in it.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What Forebay would do by itself and the other program does not is switched off, so that documents stay what they were.
fn pipeline(out: &mut String, pipeline: &Pipeline) {
    let from = &pipeline.from;
    out.push_str(&format!("\n[[pipeline]]  # {}\n", comment(from)));
    line(out, "match", &quote(&pipeline.pattern), from);
    if pipeline.end.drops {
        out.push_str(&format!("\n[[pipeline.step]]  # {}\n", comment(from)));
        line(out, "drop", "true", from);
        return;
    }
    match pipeline.formats().as_slice() {
        [] => line(out, "parse", "\"none\"", "no parser reads it; \"auto\" would tell its format"),
        [(format, from)] => line(out, "parse", &quote(format), from),
        formats => {
            let names: Vec<&str> = formats.iter().map(|(format, _)| *format).collect();
            line(out, "parse", &list(&names), formats.first().map_or("", |(_, from)| from));
        }
    }
    let multiline = pipeline.effects().find_map(|(filter, effect)| match effect {
        Effect::Multiline(value) => Some((value.as_str(), filter.from.as_str())),
        _ => None,
    });
    let (value, from) =
        multiline.unwrap_or(("\"none\"", "no filter joins lines; \"traces\" would join stack traces"));
    line(out, "multiline", value, from);
    match &pipeline.end.tag_field {
        Some((field, from)) => line(out, "tag_field", &quote(field), from),
        None => line(out, "tag_field", "\"\"", "the tag was in no field"),
    }
    if let Some((index, from)) = &pipeline.end.index {
        line(out, "index", &quote(index), from);
    }
    for (filter, effect) in pipeline.effects() {
        if let Effect::Step(keys) = effect {
            out.push_str(&format!("\n[[pipeline.step]]  # {}\n", comment(&filter.from)));
            for (key, value) in keys {
                line(out, key, value, &filter.from);
            }
        }
    }
}

fn rest(out: &mut String, left: &[Left]) {
    if left.is_empty() {
        return;
    }
    out.push_str("\n# What could not be carried, and why:\n");
    for Left { what, why } in left {
        out.push_str(&format!("#   {}: {}\n", comment(what), comment(why)));
    }
}
