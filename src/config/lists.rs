//! Values of several parts: lists of URLs, tables of fields. In a variable they are text: a list is
//! comma-separated or a TOML array, a table a TOML inline table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ipnet::IpNet;
use url::Url;

use super::file;
use super::setting::{Read, Setting, quote, text, wrong};
use super::tree::{Node, Value};
use crate::enrich::Multiline;
use crate::input::forward::CipherSuite;

impl Setting for Vec<Url> {
    fn read(node: &Node) -> Read<Self> {
        all(items(node, "URLs")?.iter().map(host))
    }

    fn print(&self) -> String {
        let urls: Vec<String> = self.iter().map(|url| quote(url.as_str())).collect();
        format!("[{}]", urls.join(", "))
    }
}

impl Setting for Vec<String> {
    fn read(node: &Node) -> Read<Self> {
        all(items(node, "texts")?.iter().map(String::read))
    }

    fn print(&self) -> String {
        let texts: Vec<String> = self.iter().map(|text| quote(text)).collect();
        format!("[{}]", texts.join(", "))
    }
}

impl Setting for Vec<IpNet> {
    fn read(node: &Node) -> Read<Self> {
        all(items(node, "networks")?.iter().map(IpNet::read))
    }

    fn print(&self) -> String {
        let networks: Vec<String> = self.iter().map(Setting::print).collect();
        format!("[{}]", networks.join(", "))
    }
}

impl Setting for Vec<CipherSuite> {
    fn read(node: &Node) -> Read<Self> {
        let suite = |node: &Node| {
            text(node, "the name of a cipher suite")?.trim().parse().or_else(|why: String| wrong(node, why))
        };
        all(items(node, "names of cipher suites")?.iter().map(suite))
    }

    fn print(&self) -> String {
        let names: Vec<String> = self.iter().map(|suite| quote(&suite.to_string())).collect();
        format!("[{}]", names.join(", "))
    }
}

/// Every part, or every fault of every part.
pub(super) fn all<T>(parts: impl Iterator<Item = Read<T>>) -> Read<Vec<T>> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Ok(value) => values.push(value),
            Err(wrong) => faults.extend(wrong),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// The items of a list. Text of a variable is split; a single text is a list of one.
pub(super) fn items<'a>(node: &'a Node, of: &str) -> Read<Cow<'a, [Node]>> {
    match &node.value {
        Value::List(items) => Ok(Cow::Borrowed(items)),
        Value::Loose(text) if text.trim_start().starts_with('[') => {
            match file::parse_value(text, &node.place) {
                Ok(Value::List(items)) => Ok(Cow::Owned(items)),
                Ok(_) => wrong(node, "is not a list"),
                Err(why) => wrong(node, why),
            }
        }
        Value::Loose(text) => Ok(Cow::Owned(split(text, node))),
        Value::Text(_) => Ok(Cow::Owned(vec![node.clone()])),
        other => wrong(node, format!("is {}, but takes a list of {of}", other.kind())),
    }
}

fn split(text: &str, node: &Node) -> Vec<Node> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Node::at(node.place.clone(), Value::Loose(part.to_owned()))).collect()
}

/// A node's URL. A fault shows no user and no password.
fn host(node: &Node) -> Read<Url> {
    let text = text(node, "a URL")?.trim();
    let shown = text.rsplit('@').next().unwrap_or_default();
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return wrong(node, format!("`{shown}` must begin with http:// or https://"));
    }
    let url = Url::parse(text).or_else(|error| wrong(node, format!("`{shown}` is not a URL: {error}")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return wrong(node, format!("`{shown}` has a query or a fragment; a host takes a path at most"));
    }
    Ok(url)
}

impl Setting for Multiline {
    fn read(node: &Node) -> Read<Self> {
        match &node.value {
            Value::Text(word) | Value::Loose(word) if word.trim() == "traces" => return Ok(Self::Traces),
            Value::Text(word) | Value::Loose(word) if word.trim() == "none" => return Ok(Self::None),
            Value::Text(word) => {
                return wrong(
                    node,
                    format!("`{word}` is not \"traces\", \"none\" or {{ start = …, follow = … }}"),
                );
            }
            _ => (),
        }
        let (mut start, mut follow) = (String::new(), String::new());
        for (name, pattern) in <Vec<(String, String)>>::read(node)? {
            match name.as_str() {
                "start" => start = pattern,
                "follow" => follow = pattern,
                _ => return wrong(node, format!("`{name}` is not known; known here are start and follow")),
            }
        }
        if start.is_empty() && follow.is_empty() {
            return wrong(node, "has neither start nor follow".to_owned());
        }
        Ok(Self::Own { start, follow })
    }

    fn print(&self) -> String {
        match self {
            Self::Traces => quote("traces"),
            Self::None => quote("none"),
            Self::Own { start, follow } => {
                let given =
                    [("start", start), ("follow", follow)].into_iter().filter(|(_, text)| !text.is_empty());
                given.map(|(name, text)| (name.to_owned(), text.clone())).collect::<Vec<_>>().print()
            }
        }
    }
}

/// Names and values; what TOML makes a table of, `a.b = 1`, is the name `a.b` again.
fn dotted<'n>(before: &str, entries: &'n BTreeMap<String, Node>) -> Vec<(String, &'n Node)> {
    let name = |name: &String| format!("{before}{name}");
    let below = |(key, node): (&String, &'n Node)| match &node.value {
        Value::Table(entries) if !entries.is_empty() => dotted(&format!("{}.", name(key)), entries),
        _ => vec![(name(key), node)],
    };
    entries.iter().flat_map(below).collect()
}

/// A table whose keys are free: names of fields.
impl<T: Setting> Setting for Vec<(String, T)> {
    fn read(node: &Node) -> Read<Self> {
        let parsed;
        let value = match &node.value {
            Value::Loose(text) if text.trim().is_empty() => return Ok(Self::new()),
            Value::Loose(text) => {
                parsed = file::parse_value(text, &node.place).or_else(|why| wrong(node, why))?;
                &parsed
            }
            value => value,
        };
        let Value::Table(entries) = value else {
            return wrong(
                node,
                format!("is {}, but takes a table such as {{ env = \"prod\" }}", value.kind()),
            );
        };
        all(dotted("", entries).into_iter().map(|(name, node)| Ok((name, T::read(node)?))))
    }

    fn print(&self) -> String {
        let fields: Vec<String> =
            self.iter().map(|(name, value)| format!("{} = {}", quote(name), value.print())).collect();
        if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
    }
}
