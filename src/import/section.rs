//! What every kind of configuration is read into: sections, each with its keys and the sections below it, and the line
//! of each. Who carries a section over takes its keys out of it, so that what is left over can be told.

use std::fmt;
use std::sync::Arc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A key and its value, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) place: Place,
}

impl Entry {
    /// Where it came from, as a comment says it.
    pub(super) fn from(&self) -> String {
        format!("{} {}", self.place, self.key)
    }

    /// Whether the value is a truth that holds.
    pub(super) fn is_on(&self) -> bool {
        ["true", "on", "yes", "1"].iter().any(|word| self.value.eq_ignore_ascii_case(word))
    }

    /// Whether the value is a truth that does not hold. What is known only where the other program runs is neither.
    pub(super) fn is_off(&self) -> bool {
        ["false", "off", "no", "0"].iter().any(|word| self.value.eq_ignore_ascii_case(word))
    }
}

/// A directive of Fluentd, a section of Fluent Bit, or a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) argument: String,
    pub(super) place: Place,
    /// As the file writes its head.
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
    pub(super) sections: Vec<Section>,
}

impl Section {
    pub(super) fn new(name: &str, argument: &str, title: String, place: Place) -> Self {
        let (name, argument) = (name.to_owned(), argument.to_owned());
        Self { name, argument, place, title, entries: Vec::new(), sections: Vec::new() }
    }

    /// A whole file.
    pub(super) fn file(file: &Arc<str>) -> Self {
        Self::new("", "", String::new(), Place { file: file.clone(), line: 1 })
    }

    /// Where it came from, as a comment says it.
    pub(super) fn from(&self) -> String {
        format!("{} {}", self.place, self.title)
    }

    /// The value of a key that stays where it is.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.entries.iter().rev().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    }

    /// Takes a key out, by the first of its names that is there; of several the last one counts.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<Entry> {
        names.iter().find_map(|name| self.take_all(name).pop())
    }

    /// Takes out all keys of one name.
    pub(super) fn take_all(&mut self, name: &str) -> Vec<Entry> {
        self.entries.extract_if(.., |entry| entry.key == name).collect()
    }

    /// Takes a truth out.
    pub(super) fn take_truth(&mut self, names: &[&str]) -> Option<bool> {
        self.take(names).map(|entry| entry.is_on())
    }

    /// Takes out the sections of one name.
    pub(super) fn take_sections(&mut self, name: &str) -> Vec<Self> {
        self.sections.extract_if(.., |section| section.name == name).collect()
    }

    /// Takes out what needs nothing here: Forebay does it by itself, or it has no part in what becomes of an event.
    pub(super) fn pass_over(&mut self, names: &[&str]) {
        self.entries.retain(|entry| !names.contains(&entry.key.as_str()));
    }
}
