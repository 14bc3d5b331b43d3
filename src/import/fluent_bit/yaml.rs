//! The YAML syntax of Fluent Bit, to the sections that the classic one has.
//!
//! <https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml>. Read from the parser's events, which
//! know their lines. Aliases are refused: a few bytes of them stand for any amount.

use std::sync::Arc;

use saphyr_parser::{Event, Parser};

use crate::import::Unreadable;
use crate::import::include::INCLUDE;
use crate::import::section::{Entry, Place, Section};

/// Lists and maps inside one another.
const DEEPEST: usize = 32;

/// A value and its line.
struct Node {
    line: usize,
    value: Value,
}

enum Value {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The sections of a file.
pub(in crate::import) fn parse(text: &str, file: &Arc<str>) -> Result<Section, Unreadable> {
    let mut root = Section::file(file);
    let mut reader = Reader { events: Parser::new_from_str(text), file };
    if let Some(Node { value: Value::Map(entries), .. }) = reader.document()? {
        for (key, node) in entries {
            top(&mut root, &key.to_ascii_lowercase(), node);
        }
    }
    Ok(root)
}

struct Reader<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    file: &'t Arc<str>,
}

impl<'t> Reader<'t> {
    fn wrong(&self, line: usize, why: impl Into<String>) -> Unreadable {
        Unreadable { place: Place { file: self.file.clone(), line }, why: why.into() }
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, usize)>, Unreadable> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, span.start.line()))),
            Some(Err(fault)) => Err(self.wrong(fault.marker().line(), fault.info().to_owned())),
        }
    }

    /// The first document; what follows it is none of Fluent Bit's.
    fn document(&mut self) -> Result<Option<Node>, Unreadable> {
        while let Some((event, line)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(None),
                event => return self.node(event, line, 0).map(Some),
            }
        }
        Ok(None)
    }

    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Unreadable> {
        if depth > DEEPEST {
            return Err(
                self.wrong(line, format!("more than {DEEPEST} lists and maps are inside one another"))
            );
        }
        let value = match event {
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            Event::Alias(_) => {
                return Err(self.wrong(line, "an alias is not read: write out what it stands for"));
            }
            _ => return Err(self.wrong(line, "a value is missing")),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut items = Vec::new();
        while let Some((event, line)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            items.push(self.node(event, line, depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut entries = Vec::new();
        while let Some((event, line)) = self.next()? {
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(self.wrong(line, "a key is no text")),
            };
            let Some((event, line)) = self.next()? else { break };
            entries.push((key, self.node(event, line, depth + 1)?));
        }
        Ok(Value::Map(entries))
    }
}

/// A key of the whole file.
fn top(root: &mut Section, key: &str, node: Node) {
    let file = root.place.file.clone();
    match (key, node.value) {
        ("pipeline", Value::Map(entries)) => {
            for (name, list) in entries {
                let name = name.to_ascii_lowercase();
                sections(root, name.trim_end_matches('s'), list);
            }
        }
        ("includes", Value::List(files)) => {
            for Node { line, value } in files {
                if let Value::Text(path) = value {
                    let place = Place { file: file.clone(), line };
                    root.sections.push(Section::new(INCLUDE, &path, format!("includes: {path}"), place));
                }
            }
        }
        ("env", Value::Map(entries)) => {
            for (name, Node { line, value }) in entries {
                if let Value::Text(value) = value {
                    let place = Place { file: file.clone(), line };
                    root.entries.push(Entry { key: "@set".into(), value: format!("{name}={value}"), place });
                }
            }
        }
        (key, value) => {
            let name = if key == "service" { key } else { key.trim_end_matches('s') };
            sections(root, name, Node { line: node.line, value });
        }
    }
}

/// A section for a map, and one for each map of a list.
fn sections(into: &mut Section, name: &str, node: Node) {
    match node.value {
        Value::List(items) => items.into_iter().for_each(|item| sections(into, name, item)),
        Value::Map(entries) => {
            let place = Place { file: into.place.file.clone(), line: node.line };
            let title = format!("[{}]", name.to_ascii_uppercase());
            let mut section = Section::new(name, "", title, place);
            for (key, node) in entries {
                entry(&mut section, &key.to_ascii_lowercase(), node);
            }
            into.sections.push(section);
        }
        Value::Text(value) => {
            let place = Place { file: into.place.file.clone(), line: node.line };
            into.entries.push(Entry { key: name.to_owned(), value, place });
        }
    }
}

/// A text is a key's value, and a list of texts the key several times, as the classic syntax has it.
fn entry(section: &mut Section, key: &str, node: Node) {
    match node.value {
        Value::Text(value) => {
            let place = Place { file: section.place.file.clone(), line: node.line };
            section.entries.push(Entry { key: key.to_owned(), value, place });
        }
        Value::List(items) => items.into_iter().for_each(|item| entry(section, key, item)),
        Value::Map(_) => sections(section, key, node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_makes_the_sections_of_the_classic_syntax() {
        let text = "env:\n  host: es-1\nservice:\n  flush: 1\npipeline:\n  inputs:\n    - name: forward\n      port: 24224\n  \
            outputs:\n    - Name: es\n      match: '*'\n      rule: [a, b]\n";
        let root = parse(text, &"f".into()).expect("a configuration");
        let heads: Vec<_> =
            root.sections.iter().map(|section| (section.name.as_str(), section.place.line)).collect();
        assert_eq!(heads, [("service", 4), ("input", 7), ("output", 10)]);
        assert_eq!(root.sections[2].value("name"), Some("es"));
        let rules = root.sections[2].entries.iter().filter(|entry| entry.key == "rule").count();
        assert_eq!(rules, 2);
        assert_eq!(root.entries[0].value, "host=es-1");
    }

    #[test]
    fn an_alias_and_what_is_no_yaml_are_told_with_their_lines() {
        for (text, told) in [("a: &x 1\nb: *x\n", "f:2: an alias is not read"), ("a: [1\nb: 2", "f:")] {
            let fault = parse(text, &"f".into()).expect_err(text).to_string();
            assert!(fault.starts_with(told), "{fault}");
        }
    }
}
