//! TOML to a tree whose every value knows its line and column. Every syntax error is told, not the first alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::fault::{Fault, Place};
use super::tree::{Node, Value};

/// What `path` says; an empty table, and faults, where it cannot be read or is no TOML.
pub(super) fn read(path: &Path, named_by: Option<&str>, faults: &mut Vec<Fault>) -> Node {
    let name: Arc<str> = path.to_string_lossy().into();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &name, faults),
        Err(error) => {
            let place = match named_by {
                Some(variable) => Place::Variable(variable.to_owned()),
                None => Place::File { name: name.clone(), line: 0, column: 0 },
            };
            faults.push(Fault { place, key: String::new(), why: format!("cannot read `{name}`: {error}") });
            Node::table(Place::Default)
        }
    }
}

pub(super) fn parse(text: &str, name: &Arc<str>, faults: &mut Vec<Fault>) -> Node {
    let place = |span: Range<usize>| {
        let (line, column) = line_and_column(text, span.start);
        Place::File { name: name.clone(), line, column }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    faults.extend(errors.iter().map(|error| Fault {
        place: place(error.span().unwrap_or_default()),
        key: String::new(),
        why: error.message().to_owned(),
    }));
    Node::at(place(0..0), entries(table.get_ref(), &place))
}

/// A value on its own, as a variable may hold it: `["a", "b"]`, `{ env = "prod" }`.
pub(super) fn parse_value(text: &str, place: &Place) -> Result<Value, String> {
    let parsed = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    Ok(value(parsed.get_ref(), &|_| place.clone()))
}

fn entries(table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Value {
    let entry = |(key, node): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let node = Node {
            key_place: place(key.span()),
            place: place(node.span()),
            value: value(node.get_ref(), place),
        };
        (name.to_string(), node)
    };
    Value::Table(table.iter().map(entry).collect::<BTreeMap<_, _>>())
}

fn value(value: &DeValue<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => integer(number),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node::at(place(item.span()), self::value(item.get_ref(), place)))
                .collect(),
        ),
        DeValue::Table(table) => entries(table, place),
        DeValue::Float(number) => fraction(number),
        DeValue::Datetime(_) => Value::Foreign("a date"),
    }
}

fn integer(number: &DeInteger<'_>) -> Value {
    i128::from_str_radix(number.as_str(), number.radix())
        .map_or(Value::Foreign("a number beyond all bounds"), Value::Integer)
}

fn fraction(number: &DeFloat<'_>) -> Value {
    let number = number.as_str().parse().ok().filter(|number: &f64| number.is_finite());
    number.map_or(Value::Foreign("a number that is none"), Value::Fraction)
}

/// Line and column of a byte, both from 1; the column counts characters, as editors do.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    (line, before.chars().count() - before.get(..line_start).map_or(0, |head| head.chars().count()) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_syntax_error_is_told_with_its_line() {
        let mut faults = Vec::new();
        parse("data_dir = \nstop_timeout = \"1s\n[buffer]\nmemory == 1\n", &"f".into(), &mut faults);
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(lines.iter().any(|line| line.starts_with("f:1:")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("f:4:")), "{lines:?}");
    }

    #[test]
    fn a_column_counts_characters() {
        assert_eq!(line_and_column("é = 1\nüü = 2", 11), (2, 3));
    }
}
