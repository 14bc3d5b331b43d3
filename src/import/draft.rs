//! What was carried over, before it is printed: listeners, formats, the ways that events go, the other tables, and what
//! could not be carried.

use std::collections::BTreeMap;

use super::section::{Entry, Section};
use super::step::{Action, Step};
use super::words::quote;

/// `key = value`, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: String,
    /// In TOML.
    pub(super) value: String,
    pub(super) from: String,
}

/// A table with its head: `[buffer]`, `[[forward]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) head: String,
    pub(super) from: String,
    pub(super) lines: Vec<Line>,
}

impl Table {
    pub(super) fn new(head: impl Into<String>, from: String) -> Self {
        Self { head: head.into(), from, lines: Vec::new() }
    }

    pub(super) fn push(&mut self, key: &str, value: String, from: String) {
        self.lines.push(Line { key: key.to_owned(), value, from });
    }
}

/// What a filter does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The line is read in this format.
    Parse(String),
    /// `timezone = …`, in TOML.
    Zone(String),
    /// `multiline = …`, in TOML.
    Multiline(String),
    Step(Step),
}

impl Effect {
    /// A step for all events that takes nothing from their line: its key, and the value in TOML.
    pub(super) fn step(key: &'static str, value: String) -> Self {
        Self::Step(Step::new(Action::Other(key, value)))
    }
}

/// A filter: the tags that it takes, and what it does to them, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) pattern: String,
    pub(super) effects: Vec<Effect>,
    pub(super) from: String,
}

/// What becomes of the events of some tags: the filters that they may pass, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) pattern: String,
    pub(super) filters: Vec<Filter>,
    pub(super) end: End,
    pub(super) from: String,
}

/// Where a leg ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// The index, and where that came from.
    pub(super) index: Option<(String, String)>,
    /// The field that takes the tag, and where that came from.
    pub(super) tag_field: Option<(String, String)>,
    /// Whether the events are thrown away.
    pub(super) drops: bool,
}

/// What could not be carried, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Left {
    pub(super) what: String,
    pub(super) why: String,
}

impl End {
    pub(super) fn index_name(&self) -> Option<&str> {
        self.index.as_ref().map(|(index, _)| index.as_str())
    }
}

/// Everything that was carried over, and what was not.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) listeners: Vec<Vec<Table>>,
    pub(super) formats: Vec<Table>,
    pub(super) legs: Vec<Leg>,
    /// The tables of which there is one, by name; the keys above all tables are that of no name.
    pub(super) tables: BTreeMap<&'static str, Vec<Line>>,
    pub(super) left: Vec<Left>,
}

impl Draft {
    /// Sets a key of a table of which there is one. The first one to set it counts.
    pub(super) fn set(&mut self, table: &'static str, key: &str, value: String, from: String) {
        let lines = self.tables.entry(table).or_default();
        match lines.iter().find(|line| line.key == key) {
            None => lines.push(Line { key: key.to_owned(), value, from }),
            Some(line) if line.value == value => {}
            Some(line) => {
                let why = format!("`{key}` in [{table}] holds for all, and is what {} says", line.from);
                self.left.push(Left { what: from, why });
            }
        }
    }

    pub(super) fn has(&self, table: &str, key: &str) -> bool {
        self.tables.get(table).is_some_and(|lines| lines.iter().any(|line| line.key == key))
    }

    /// Tells what could not be carried.
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let left = Left { what: what.into(), why: why.into() };
        if !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    /// What a filter that asks Kubernetes of pods becomes, and what of it is left.
    pub(super) fn kubernetes(&mut self, section: &mut Section) -> Effect {
        let why =
            "no Kubernetes API is asked: names are told by the tag, labels and annotations are not there";
        self.leave(section.from(), why);
        if let Some(merge) = section.take(&["merge_log", "merge_json_log"]).filter(Entry::is_on) {
            self.leave(merge.from(), "a line that is JSON is read with `parse = \"json\"` in the pipeline");
        }
        section.entries.clear();
        Effect::step("kubernetes", quote("{tag}"))
    }

    /// Tells what nobody has taken out of `section`.
    pub(super) fn leave_rest(&mut self, section: &Section) {
        for entry in &section.entries {
            self.leave(entry.from(), "Forebay has nothing like it");
        }
        for below in &section.sections {
            self.leave(below.from(), "Forebay has nothing like it");
        }
    }

    /// The value, unless it is only known where the other program runs: then `key` can be set there.
    pub(super) fn known(&mut self, entry: &Entry, key: &str) -> Option<String> {
        if !entry.value.contains("#{") && !entry.value.contains("${") {
            return Some(entry.value.clone());
        }
        let path = key.to_ascii_uppercase().replace(['[', '.'], "__").replace(']', "");
        let why = format!("the value is known where it runs; set `{key}`, or the variable FOREBAY_{path}");
        self.leave(entry.from(), why);
        None
    }
}
