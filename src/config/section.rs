//! One table of the configuration on its way in or out. A stage's table is one function over a [`Section`]: the
//! same calls read the keys, tell the unknown ones and print the effective values, so the three cannot differ.
//!
//! Reading goes on after a fault; the value then stays what it was, and the configuration as a whole is refused.

use std::borrow::Borrow;

use super::checks::Checked;
use super::fault::{Fault, Place};
use super::secret;
use super::setting::{Read, Setting, Wrong, quote};
use super::tree::{Node, Value};
use crate::units::Secret;

/// A table that is being read or printed.
pub(super) enum Section<'a> {
    /// From the merged layers to options.
    Read(Reader<'a>),
    /// From options to TOML.
    Print(Printer<'a>),
}

/// The state of reading one table.
pub(super) struct Reader<'a> {
    path: String,
    node: Option<&'a Node>,
    known: Vec<String>,
    faults: &'a mut Vec<Fault>,
}

/// The state of printing one table.
pub(super) struct Printer<'a> {
    header: String,
    out: &'a mut String,
}

impl Section<'_> {
    /// A key that takes any value of its type.
    pub(super) fn key<T: Setting>(&mut self, name: &str, slot: &mut T) {
        self.checked(name, slot, |_: &T| Ok(()));
    }

    /// A key whose value has to pass `check`.
    pub(super) fn checked<T: Setting + Borrow<B>, B: ?Sized>(
        &mut self,
        name: &str,
        slot: &mut T,
        check: impl Fn(&B) -> Checked,
    ) {
        match self {
            Self::Read(reader) => {
                if let Some(value) = reader.value(name, check) {
                    *slot = value;
                }
            }
            Self::Print(printer) => printer.pair(name, &slot.print()),
        }
    }

    /// A key that is read with the help of what other keys say.
    pub(super) fn key_by<T>(
        &mut self,
        name: &str,
        slot: &mut T,
        read: impl Fn(&Node) -> Read<T>,
        print: impl Fn(&T) -> String,
    ) {
        match self {
            Self::Read(reader) => {
                if let Some(value) = reader.take(name).and_then(|node| reader.taken(name, read(node))) {
                    *slot = value;
                }
            }
            Self::Print(printer) => printer.pair(name, &print(slot)),
        }
    }

    /// A key that is one of several choices: printed only where it is made.
    pub(super) fn choice<T: Setting>(&mut self, name: &str, slot: &mut Option<T>) {
        if slot.is_some() || matches!(self, Self::Read(_)) {
            self.key(name, slot);
        }
    }

    /// As [`Section::choice`], of a key whose empty text says something too.
    pub(super) fn given<T: Setting>(&mut self, name: &str, slot: &mut Option<T>) {
        if slot.is_some() || matches!(self, Self::Read(_)) {
            let print = |slot: &Option<T>| slot.as_ref().map_or_else(String::new, T::print);
            self.key_by(name, slot, |node| T::read(node).map(Some), print);
        }
    }

    /// As [`Section::choice`], of a table below this one.
    pub(super) fn choice_table<T: Default>(
        &mut self,
        name: &str,
        slot: &mut Option<T>,
        visit: fn(&mut Section<'_>, &mut T),
    ) {
        match self {
            Self::Read(reader) => {
                let Some(node) = reader.take(name) else { return };
                read(&reader.below(name), Some(node), reader.faults, slot.insert(T::default()), visit);
            }
            Self::Print(printer) => {
                if let Some(options) = slot {
                    printer.table(name, ("[", "]"), options, visit);
                }
            }
        }
    }

    /// A secret: `name`, or `name_file` for a file that holds it.
    pub(super) fn secret(&mut self, name: &str, slot: &mut Option<Secret>) {
        let file = format!("{name}_file");
        match self {
            Self::Read(reader) => reader.secret(name, &file, slot),
            Self::Print(printer) => {
                printer.pair(name, &quote(if slot.is_some() { "***" } else { "" }));
                printer.pair(&file, &quote(""));
            }
        }
    }

    /// A table below this one.
    pub(super) fn table<T>(&mut self, name: &str, slot: &mut T, visit: fn(&mut Section<'_>, &mut T)) {
        match self {
            Self::Read(reader) => {
                let node = reader.take(name);
                read(&reader.below(name), node, reader.faults, slot, visit);
            }
            Self::Print(printer) => printer.table(name, ("[", "]"), slot, visit),
        }
    }

    /// An array of tables. What a table leaves out has the default; without any, the options stay as they are.
    pub(super) fn tables<T: Default>(
        &mut self,
        name: &str,
        slot: &mut Vec<T>,
        visit: impl Fn(&mut Section<'_>, &mut T),
    ) {
        match self {
            Self::Read(reader) => {
                if let Some(tables) = reader.tables(name, visit) {
                    *slot = tables;
                }
            }
            Self::Print(printer) => printer.tables(name, slot, visit),
        }
    }

    /// Tables with names that are free but for `check`, by name.
    pub(super) fn named_tables<T: Default>(
        &mut self,
        name: &str,
        slot: &mut Vec<(String, T)>,
        check: impl Fn(&str) -> Checked,
        visit: impl Fn(&mut Section<'_>, &mut T),
    ) {
        match self {
            Self::Read(reader) => *slot = reader.named_tables(name, check, visit).unwrap_or_default(),
            Self::Print(printer) => {
                for (own, options) in slot {
                    printer.table(&format!("{name}.{own}"), ("[", "]"), options, &visit);
                }
            }
        }
    }

    /// How many faults there are so far: what only follows from one that was told need not be told too.
    pub(super) fn faults(&self) -> usize {
        match self {
            Self::Read(reader) => reader.faults.len(),
            Self::Print(_) => 0,
        }
    }

    /// Whether a key is given that nobody has asked for so far.
    pub(super) fn has_unknown(&self) -> bool {
        matches!(self, Self::Read(reader) if !reader.unknown().is_empty())
    }

    /// Where the table is written, for people; empty where nobody has written it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Read(reader) => reader.node.map_or_else(String::new, |node| node.place.to_string()),
            Self::Print(_) => String::new(),
        }
    }

    /// Whether a key is given, for good or ill.
    pub(super) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Read(reader) if reader.node.and_then(|node| node.get(key)).is_some())
    }

    /// Refuses what keys say together, at the first of `keys` that is given, or at the table. Printing has nothing to refuse.
    pub(super) fn refuse(&mut self, keys: &[&str], why: impl Into<String>) {
        let Self::Read(reader) = self else { return };
        let given = keys.iter().find(|key| reader.node.and_then(|node| node.get(key)).is_some());
        let key = given.or(keys.first()).copied().unwrap_or_default();
        let below = reader.node.filter(|_| !reader.path.is_empty());
        let node = reader.node.and_then(|node| node.get(key)).or(below);
        let place = node.map_or(Place::Default, |node| node.place.clone());
        reader.fault(key, place, why.into());
    }

    /// Refuses what lies below this table, at the last of `path` that is given.
    pub(super) fn refuse_at(&mut self, path: &[&str], why: impl Into<String>) {
        let Self::Read(reader) = self else { return };
        let (mut place, mut node) = (Place::Default, reader.node);
        for key in path {
            node = node.and_then(|node| node.get(key));
            place = node.map_or(place, |node| node.place.clone());
        }
        reader.fault(&path.join("."), place, why.into());
    }
}

/// Reads one table whole, and tells the keys that `visit` did not ask for.
pub(super) fn read<T>(
    path: &str,
    node: Option<&Node>,
    faults: &mut Vec<Fault>,
    slot: &mut T,
    visit: impl Fn(&mut Section<'_>, &mut T),
) {
    let mut section = Section::Read(Reader { path: path.to_owned(), node, known: Vec::new(), faults });
    visit(&mut section, slot);
    if let Section::Read(reader) = &mut section {
        reader.tell_unknown();
    }
}

/// Prints one table whole.
pub(super) fn print<T>(slot: &mut T, visit: fn(&mut Section<'_>, &mut T)) -> String {
    let mut out = String::new();
    visit(&mut Section::Print(Printer { header: String::new(), out: &mut out }), slot);
    out
}

impl<'a> Reader<'a> {
    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn fault(&mut self, key: &str, place: Place, why: String) {
        let key = self.below(key);
        self.faults.push(Fault { place, key, why });
    }

    fn take(&mut self, name: &str) -> Option<&'a Node> {
        self.known.push(name.to_owned());
        self.node.and_then(|node| node.get(name))
    }

    fn value<T: Setting + Borrow<B>, B: ?Sized>(
        &mut self,
        name: &str,
        check: impl Fn(&B) -> Checked,
    ) -> Option<T> {
        let node = self.take(name)?;
        let checked = T::read(node).and_then(|value| match check(value.borrow()) {
            Ok(()) => Ok(value),
            Err(why) => Err(vec![Wrong { place: node.place.clone(), why }]),
        });
        self.taken(name, checked)
    }

    /// The value, or all that is wrong with it told.
    fn taken<T>(&mut self, name: &str, read: Read<T>) -> Option<T> {
        let wrong = match read {
            Ok(value) => return Some(value),
            Err(wrong) => wrong,
        };
        wrong.into_iter().for_each(|wrong| self.fault(name, wrong.place, wrong.why));
        None
    }

    fn secret(&mut self, name: &str, file: &str, slot: &mut Option<Secret>) {
        let (direct, from_file) = (self.take(name), self.take(file));
        match secret::read(direct, from_file) {
            Ok(None) => {}
            Ok(Some(secret)) => *slot = secret,
            Err((place, why)) => {
                // Held as given, so that a secret that is there but unreadable is not also told as missing.
                *slot = Some(Secret::new(""));
                self.fault(if direct.is_some() { name } else { file }, place, why);
            }
        }
    }

    fn named_tables<T: Default>(
        &mut self,
        name: &str,
        check: impl Fn(&str) -> Checked,
        visit: impl Fn(&mut Section<'_>, &mut T),
    ) -> Option<Vec<(String, T)>> {
        let node = self.take(name)?;
        let Value::Table(entries) = &node.value else {
            self.fault(name, node.place.clone(), format!("is {}; write [{name}.NAME]", node.value.kind()));
            return None;
        };
        let path = self.below(name);
        let read_entry = |(own, entry): (&String, &Node)| {
            let mut options = T::default();
            if let Err(why) = check(own) {
                self.fault(&format!("{name}.{own}"), entry.key_place.clone(), why);
            }
            read(&format!("{path}.{own}"), Some(entry), self.faults, &mut options, &visit);
            (own.clone(), options)
        };
        Some(entries.iter().map(read_entry).collect())
    }

    fn tables<T: Default>(&mut self, name: &str, visit: impl Fn(&mut Section<'_>, &mut T)) -> Option<Vec<T>> {
        let node = self.take(name)?;
        let Value::List(items) = &node.value else {
            self.fault(name, node.place.clone(), format!("is {}; write [[{name}]]", node.value.kind()));
            return None;
        };
        if items.is_empty() {
            self.fault(name, node.place.clone(), "is empty; leave it out for the default one".into());
        }
        let path = self.below(name);
        let read_item = |(index, item)| {
            let mut options = T::default();
            read(&format!("{path}[{index}]"), Some(item), self.faults, &mut options, &visit);
            options
        };
        Some(items.iter().enumerate().map(read_item).collect())
    }

    fn unknown(&self) -> Vec<(&'a String, &'a Node)> {
        match self.node.map(|node| &node.value) {
            Some(Value::Table(entries)) => {
                entries.iter().filter(|(name, _)| !self.known.contains(name)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tell_unknown(&mut self) {
        let Some(node) = self.node else { return };
        let Value::Table(_) = &node.value else {
            let why = format!("is {}, but takes a table", node.value.kind());
            self.faults.push(Fault { place: node.place.clone(), key: self.path.clone(), why });
            return;
        };
        for (name, entry) in self.unknown() {
            let place = entry.key_place.clone();
            let why = format!("is not known; {}", self.advice(name, &place));
            self.faults.push(Fault { place, key: self.below(name), why });
        }
    }

    /// `elasticsearch_hosts` as `elasticsearch.hosts`, where the first is known.
    fn parted(&self, unknown: &str) -> Option<String> {
        let below = |table: &String| unknown.strip_prefix(table.as_str())?.strip_prefix('_');
        self.known.iter().find_map(|table| Some(format!("{table}.{}", below(table)?)))
    }

    fn advice(&self, unknown: &str, place: &Place) -> String {
        let distance = |known: &&String| strsim::damerau_levenshtein(known, unknown);
        let spelled = |known: &str| place.spell(&self.below(known));
        if let (Place::Variable(_), Some(key)) = (place, self.parted(unknown)) {
            return format!("two underscores part table and key: {}", spelled(&key));
        }
        match self.known.iter().min_by_key(distance) {
            Some(known) if distance(&known) <= 1 + unknown.len() / 3 => {
                format!("did you mean `{}`?", spelled(known))
            }
            _ => format!("known here are {}", self.known.join(", ")),
        }
    }
}

impl Printer<'_> {
    fn pair(&mut self, name: &str, value: &str) {
        self.out.push_str(&format!("{name} = {value}\n"));
    }

    fn table<T>(
        &mut self,
        name: &str,
        (open, close): (&str, &str),
        slot: &mut T,
        visit: impl Fn(&mut Section<'_>, &mut T),
    ) {
        let header = if self.header.is_empty() { name.to_owned() } else { format!("{}.{name}", self.header) };
        self.out.push_str(&format!("\n{open}{header}{close}\n"));
        visit(&mut Section::Print(Printer { header, out: self.out }), slot);
    }

    fn tables<T>(&mut self, name: &str, slot: &mut [T], visit: impl Fn(&mut Section<'_>, &mut T)) {
        for options in slot {
            self.table(name, ("[[", "]]"), options, &visit);
        }
    }
}
