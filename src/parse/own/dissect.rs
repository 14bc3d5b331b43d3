//! Dissect: fields and the texts between them, `%{time} %{level} [%{thread}] %{message}`.
//!
//! | key | means |
//! |---|---|
//! | `%{name}`, `%{name:int}` | a field, perhaps with a type: up to the next text between, or to the end |
//! | `%{}`, `%{?name}` | is left out |
//! | `%{name->}` | blanks, or whatever text follows, may be repeated behind it |
//! | `%{name} %{+name}` | one field, with a blank between its parts where they do not stand side by side |
//! | `%{*a}=%{&a}` | the line has the name of the field and its value |
//!
//! As Logstash and Elasticsearch have it, but that the whole line has to fit: nothing is lost behind the last text.
//! <https://www.elastic.co/docs/reference/enrich-processor/dissect-processor>

use bumpalo::collections::String as ArenaString;

use super::Described;
use super::captures::Captures;
use crate::event::Value;
use crate::parse::sink::Sink;

/// Keys of one pattern; what a line's parts are noted in has room for so many.
const MOST_KEYS: usize = 64;

/// What becomes of a part of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Nothing.
    Skip,
    /// It is the field of that index, or the first part of it.
    Field(usize),
    /// It is one more part of that field.
    Append(usize),
    /// It is the name of the value with that number.
    Name(usize),
    /// It is the value with that number.
    Value(usize),
}

#[derive(Debug)]
struct Key {
    means: Use,
    /// Whether the text behind it may be repeated.
    padded: bool,
    /// The text behind it; empty at the end of the line.
    until: String,
    /// Whether that is the last text of the pattern, which is looked for at the end of the line.
    is_last: bool,
}

/// Where in the line a part is.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    start: usize,
    end: usize,
}

impl Part {
    fn of(self, line: &str) -> Option<&str> {
        line.get(self.start..self.end)
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Dissect {
    /// The text before the first key.
    before: String,
    keys: Vec<Key>,
    fields: usize,
    pairs: usize,
}

impl Dissect {
    /// Compiles `pattern`, and says what its fields are called.
    pub(super) fn new(pattern: &str) -> Result<(Self, Vec<Described>), String> {
        let (before, mut rest) = pattern.split_once("%{").ok_or("has no %{key}")?;
        let mut reading = Reading::default();
        loop {
            let (key, after) = rest.split_once('}').ok_or_else(|| format!("`%{{{rest}` has no end"))?;
            let (until, next) = match after.split_once("%{") {
                Some((until, next)) => (until, Some(next)),
                None => (after, None),
            };
            if until.is_empty() && next.is_some() {
                return Err(format!(
                    "nothing stands between `%{{{key}}}` and the next key to tell them apart"
                ));
            }
            reading.key(key, until, next.is_none())?;
            match next {
                Some(next) => rest = next,
                None => return reading.finish(before),
            }
        }
    }

    /// Reads `line`; see [`Own::read`](super::Own).
    pub(super) fn read<'a>(
        &self,
        line: &'a str,
        captures: &'a Captures,
        sink: &mut Sink<'_, 'a>,
    ) -> Option<()> {
        let parts = sink.arena.alloc_slice_fill_copy(self.keys.len(), Part::default());
        let mut from = line.starts_with(&self.before).then_some(self.before.len())?;
        for (key, part) in self.keys.iter().zip(parts.iter_mut()) {
            (*part, from) = key.part(line, from)?;
        }
        if from < line.len() {
            return None;
        }
        for index in 0..self.fields {
            let value = self.field(index, parts, line, sink)?;
            captures.put(index, value, sink)?;
        }
        for number in 0..self.pairs {
            let part = |means| {
                let at = self.keys.iter().position(|key| key.means == means)?;
                parts.get(at)?.of(line)
            };
            let (name, value) = (part(Use::Name(number))?, part(Use::Value(number))?);
            if !name.is_empty() && !matches!(value, "" | "-") {
                sink.named(name, Value::Text(value.as_bytes()));
            }
        }
        Some(())
    }

    /// The parts of a field: a slice of the line where it is one, or where they stand side by side.
    fn field<'a>(&self, index: usize, parts: &[Part], line: &'a str, sink: &Sink<'_, 'a>) -> Option<&'a str> {
        let is_part = |key: &Key| matches!(key.means, Use::Field(of) | Use::Append(of) if of == index);
        let of_field = || self.keys.iter().zip(parts).filter(|(key, _)| is_part(key)).map(|(_, part)| part);
        let (first, last) = (of_field().next()?, of_field().next_back()?);
        let before = self.keys.iter().take_while(|key| !is_part(key)).count();
        let together = self.keys.iter().skip(before).take_while(|key| is_part(key)).count();
        if together == of_field().count() {
            return line.get(first.start..last.end);
        }
        let mut joined = ArenaString::with_capacity_in(line.len(), sink.arena);
        for part in of_field() {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(part.of(line)?);
        }
        Some(joined.into_bump_str())
    }
}

impl Key {
    /// What of the line is this key's, where it begins at `from`, and where what is behind the text after it begins.
    fn part(&self, line: &str, from: usize) -> Option<(Part, usize)> {
        if self.until.is_empty() {
            return Some((Part { start: from, end: line.len() }, line.len()));
        }
        let rest = line.get(from..)?;
        let end = match self.is_last {
            true => rest.len().checked_sub(self.until.len()).filter(|_| rest.ends_with(&self.until))?,
            false => rest.find(&self.until)?,
        };
        let mut next = end + self.until.len();
        while self.padded && rest.get(next..).is_some_and(|rest| rest.starts_with(&self.until)) {
            next += self.until.len();
        }
        Some((Part { start: from, end: from + end }, from + next))
    }
}

/// What was read of a pattern.
#[derive(Default)]
struct Reading<'p> {
    keys: Vec<Key>,
    described: Vec<Described>,
    pairs: Vec<&'p str>,
}

impl<'p> Reading<'p> {
    fn key(&mut self, key: &'p str, until: &str, is_last: bool) -> Result<(), String> {
        let (name, padded) = match key.strip_suffix("->") {
            Some(name) => (name, true),
            None => (key, false),
        };
        let (mark, bare) = match name.split_at_checked(1) {
            Some((mark @ ("?" | "+" | "*" | "&"), bare)) => (mark, bare),
            _ => ("", name),
        };
        if bare.is_empty() && !matches!(mark, "" | "?") {
            return Err(format!("`%{{{key}}}` has no name"));
        }
        let means = match mark {
            "?" => Use::Skip,
            "" if bare.is_empty() => Use::Skip,
            "+" => Use::Append(
                self.field_named(bare)
                    .ok_or_else(|| format!("there is no `%{{{bare}}}` before `%{{{key}}}`"))?,
            ),
            "*" => Use::Name(self.pair(bare)),
            "&" => Use::Value(self.pair(bare)),
            _ => {
                let (name, word) = match bare.rsplit_once(':') {
                    Some((name, word)) => (name, Some(word.to_owned())),
                    None => (bare, None),
                };
                self.described.push((name.to_owned(), word));
                Use::Field(self.described.len() - 1)
            }
        };
        self.keys.push(Key { means, padded, until: until.to_owned(), is_last });
        if self.keys.len() > MOST_KEYS { Err(format!("has more than {MOST_KEYS} keys")) } else { Ok(()) }
    }

    fn field_named(&self, name: &str) -> Option<usize> {
        self.described.iter().position(|(other, _)| other == name)
    }

    fn pair(&mut self, name: &'p str) -> usize {
        self.pairs.iter().position(|other| *other == name).unwrap_or_else(|| {
            self.pairs.push(name);
            self.pairs.len() - 1
        })
    }

    fn finish(self, before: &str) -> Result<(Dissect, Vec<Described>), String> {
        for (number, name) in self.pairs.iter().enumerate() {
            let is_once = |means| self.keys.iter().filter(|key| key.means == means).count() == 1;
            if !is_once(Use::Name(number)) || !is_once(Use::Value(number)) {
                return Err(format!("`{name}` needs one `%{{*{name}}}` and one `%{{&{name}}}`"));
            }
        }
        let (fields, pairs) = (self.described.len(), self.pairs.len());
        Ok((Dissect { before: before.to_owned(), keys: self.keys, fields, pairs }, self.described))
    }
}
