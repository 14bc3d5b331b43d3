//! The classic syntax of Fluent Bit: sections in square brackets, a key and its value a line, `@INCLUDE`, `@SET`.
//!
//! <https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode>. Names of keys and sections are
//! the same in any case, and are brought to lower case.

use std::collections::BTreeMap;
use std::sync::Arc;

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, tag_no_case, take_till1};
use nom::character::complete::space0;
use nom::combinator::{map, rest};
use nom::sequence::{delimited, preceded, separated_pair};

use crate::import::Unreadable;
use crate::import::include::INCLUDE;
use crate::import::section::{Entry, Place, Section};

/// The key under which a file's `@SET` stands.
const SET: &str = "@set";

enum Item<'t> {
    Head(&'t str),
    Include(&'t str),
    Set(&'t str),
    Key(&'t str, &'t str),
}

/// The sections of a file.
pub(in crate::import) fn parse(text: &str, file: &Arc<str>) -> Result<Section, Unreadable> {
    let mut root = Section::file(file);
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = Place { file: file.clone(), line: index + 1 };
        let wrong = |why: &str| Unreadable { place: place.clone(), why: why.to_owned() };
        let (_, item) = item(line).map_err(|_| wrong("the line is no section and no key with a value"))?;
        match item {
            Item::Head(name) => {
                root.sections.push(Section::new(&name.to_ascii_lowercase(), "", format!("[{name}]"), place));
            }
            Item::Include(path) => {
                root.sections.push(Section::new(INCLUDE, path, format!("@INCLUDE {path}"), place));
            }
            Item::Set(pair) => root.entries.push(Entry { key: SET.into(), value: pair.into(), place }),
            Item::Key(key, value) => {
                let Some(section) = root.sections.last_mut() else {
                    return Err(wrong("a key stands before any section"));
                };
                section.entries.push(Entry { key: key.to_ascii_lowercase(), value: value.into(), place });
            }
        }
    }
    Ok(root)
}

fn item(line: &str) -> IResult<&str, Item<'_>> {
    let word = take_till1(char::is_whitespace);
    alt((
        map(delimited(tag("["), is_not("]"), tag("]")), |name: &str| Item::Head(name.trim())),
        map(preceded(tag_no_case("@include "), rest), |path: &str| Item::Include(path.trim())),
        map(preceded(tag_no_case("@set "), rest), |pair: &str| Item::Set(pair.trim())),
        map(separated_pair(word, space0, rest), |(key, value): (&str, &str)| Item::Key(key, value.trim())),
    ))
    .parse(line)
}

/// Puts what `@SET` gives in the place of `${…}`. Other variables are those of the environment, and stay.
pub(super) fn substitute(root: &mut Section) {
    let pairs = root.take_all(SET);
    let pairs = pairs.iter().filter_map(|entry| entry.value.split_once('='));
    let set: BTreeMap<String, String> =
        pairs.map(|(name, value)| (format!("${{{}}}", name.trim()), value.trim().to_owned())).collect();
    if !set.is_empty() {
        replace(root, &set);
    }
}

fn replace(section: &mut Section, set: &BTreeMap<String, String>) {
    for entry in section.entries.iter_mut().filter(|entry| entry.value.contains("${")) {
        for (name, value) in set {
            entry.value = entry.value.replace(name, value);
        }
    }
    for below in &mut section.sections {
        replace(below, set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_variables_are_read_with_their_lines() {
        let text = "@SET host=es-1\n# all\n[SERVICE]\n    Flush 1\n\n[OUTPUT]\n    Name es\n    Host ${host}\n    \
            HTTP_User ${USER}\n    Replace_Dots\n@INCLUDE more.conf\n";
        let mut root = parse(text, &"f".into()).expect("a configuration");
        substitute(&mut root);
        let heads: Vec<_> =
            root.sections.iter().map(|section| (section.name.as_str(), section.place.line)).collect();
        assert_eq!(heads, [("service", 3), ("output", 6), ("@include", 11)]);
        let output = &root.sections[1];
        let values = ["name", "host", "http_user", "replace_dots"].map(|key| output.value(key));
        assert_eq!(values, [Some("es"), Some("es-1"), Some("${USER}"), Some("")]);
    }

    #[test]
    fn a_key_before_any_section_is_told() {
        let fault = parse("\nFlush 1\n", &"f".into()).expect_err("no section");
        assert_eq!(fault.to_string(), "f:2: a key stands before any section");
    }
}
