//! A regex whose named groups are fields, `(?P<took>\d+)`, with a type behind a colon where it is no text: `(?P<took:int>\d+)`.
//!
//! It is found anywhere in the line, as Fluentd and Logstash do it; `^` and `$` bind it to the ends. Where it does not cover the
//! line and captures no message, the line stays the message: nothing is lost that nobody named.

use regex_automata::Input;
use regex_automata::meta;
use regex_automata::util::primitives::PatternID;

use super::Described;
use super::captures::Captures;
use crate::parse::sink::Sink;
use crate::pattern::{self, Over};

/// What parts name and type inside of the engine: it takes this in a group's name, where it does not take a colon, and with it
/// every fault keeps its place.
const PART: char = '[';

/// A compiled regex, and which groups are captures.
#[derive(Debug)]
pub(super) struct Regex {
    regex: meta::Regex,
    groups: Vec<usize>,
}

impl Regex {
    /// Compiles `pattern`, and says what its groups are called.
    pub(super) fn new(pattern: &str) -> Result<(Self, Vec<Described>), String> {
        let regex = pattern::compile(&with_types(pattern), Over::Text)?;
        let names = regex.group_info().pattern_names(PatternID::ZERO).enumerate();
        let (groups, described) = names
            .filter_map(|(group, name)| Some((group, name?)))
            .map(|(group, name)| match name.split_once(PART) {
                Some((name, word)) => (group, (name.to_owned(), Some(word.to_owned()))),
                None => (group, (name.to_owned(), None)),
            })
            .unzip();
        Ok((Self { regex, groups }, described))
    }

    /// Reads `line`; see [`Own::read`](super::Own).
    pub(super) fn read<'a>(
        &self,
        line: &'a str,
        captures: &'a Captures,
        sink: &mut Sink<'_, 'a>,
    ) -> Option<()> {
        let slots = sink.arena.alloc_slice_fill_copy(self.regex.group_info().slot_len(), None);
        self.regex.search_slots(&Input::new(line), slots)?;
        let slot = |index: usize| slots.get(index).copied().flatten().map(|slot| slot.get());
        let group = |group: usize| line.get(slot(2 * group)?..slot(2 * group + 1)?);
        for (index, text) in self.groups.iter().enumerate().filter_map(|(i, g)| Some((i, group(*g)?))) {
            captures.put(index, text, sink)?;
        }
        if !captures.has_message && group(0).is_none_or(|found| found.len() < line.len()) {
            sink.message(line);
        }
        Some(())
    }
}

/// The pattern with the colon in names of groups as the engine takes it.
pub(super) fn with_types(pattern: &str) -> String {
    let mut typed = String::with_capacity(pattern.len());
    let (mut class, mut name) = (0_u32, false);
    let mut rest = pattern.chars();
    while let Some(one) = rest.next() {
        typed.push(match one {
            ':' if name => PART,
            other => other,
        });
        match one {
            '\\' => typed.extend(rest.next()),
            '[' => class += 1,
            ']' => class = class.saturating_sub(1),
            '>' => name = false,
            '(' if class == 0 => name = begins_name(rest.as_str()),
            _ => (),
        }
    }
    typed
}

/// Whether what follows a parenthesis makes it a group with a name.
fn begins_name(rest: &str) -> bool {
    let name = rest.strip_prefix("?P<").or_else(|| rest.strip_prefix("?<"));
    name.is_some_and(|name| !name.starts_with(['=', '!']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_is_of_a_type_in_a_name_alone() {
        for (pattern, typed) in [
            (r"(?P<a:int>\d+):(?<b>x)", r"(?P<a[int>\d+):(?<b>x)"),
            (r"\(?P<a:int>", r"\(?P<a:int>"),
            (r"[(?P<a:int>]", r"[(?P<a:int>]"),
            (r"(?:a:b)", r"(?:a:b)"),
            (r"[[:alpha:]](?<c:bool>y)", r"[[:alpha:]](?<c[bool>y)"),
        ] {
            assert_eq!(with_types(pattern), typed);
        }
    }
}
