//! What the layers are merged into: a tree of values that know where they come from. It knows no key; what a
//! value has to be is settled where it is read.

use std::collections::BTreeMap;

use super::fault::Place;

/// A value, its place, and the place of the key that names it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) key_place: Place,
    pub(super) place: Place,
    pub(super) value: Value,
}

/// What a layer can say.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text, as a file has it.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Fraction(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list, of tables too.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Node>),
    /// Text of a variable or a flag: it is whatever the key takes.
    Loose(String),
    /// A kind of value that no key takes, by its name.
    Foreign(&'static str),
}

impl Value {
    /// What it is, for a fault.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Loose(_) => "text",
            Self::Integer(_) => "a number",
            Self::Fraction(_) => "a number with a fraction",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Foreign(kind) => kind,
        }
    }
}

impl Node {
    /// A value of which key and value are one place, as in a variable.
    pub(super) fn at(place: Place, value: Value) -> Self {
        Self { key_place: place.clone(), place, value }
    }

    /// An empty table, to be filled.
    pub(super) fn table(place: Place) -> Self {
        Self::at(place, Value::Table(BTreeMap::new()))
    }

    /// What a table holds under `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Puts `node` where `path` leads, making tables on the way; a number on the path counts into a list.
    /// What was there is covered.
    pub(super) fn insert(&mut self, path: &[&str], node: Node) -> Result<(), String> {
        let [segment, rest @ ..] = path else {
            *self = node;
            return Ok(());
        };
        let below = Node::at(node.place.clone(), below(rest));
        self.entry(segment, below)?.insert(rest, node)
    }

    fn entry(&mut self, segment: &str, fresh: Node) -> Result<&mut Node, String> {
        match &mut self.value {
            Value::Table(entries) => Ok(entries.entry(segment.to_owned()).or_insert(fresh)),
            Value::List(items) => {
                let length = items.len();
                let index: usize = segment.parse().map_err(|_| {
                    format!("`{segment}` is in a list; number its entries, as in FOREBAY_FORWARD__0__LISTEN")
                })?;
                if index == length {
                    items.push(fresh);
                }
                items.get_mut(index).ok_or_else(|| {
                    format!("there is no entry {index}: there are {length}, numbered from 0 without gaps")
                })
            }
            other => Err(format!("nothing can be set below {}", other.kind())),
        }
    }
}

/// What has to be there for `path` to lead on.
fn below(path: &[&str]) -> Value {
    match path.first() {
        Some(segment) if segment.bytes().all(|byte| byte.is_ascii_digit()) => Value::List(Vec::new()),
        _ => Value::Table(BTreeMap::new()),
    }
}
