//! The environment as a layer: `FOREBAY_ELASTICSEARCH__HOSTS` is `elasticsearch.hosts`, `FOREBAY_FORWARD__0__LISTEN`
//! the first listener's `listen`. What stands in a variable is typed by the key it sets.

use std::ffi::OsString;

use super::fault::{Fault, Place};
use super::tree::{Node, Value};

/// What every variable of ours begins with.
const PREFIX: &str = "FOREBAY_";

/// The variable that names the configuration file.
pub(super) const FILE: &str = "FOREBAY_CONFIG";

/// The variables that are ours, in the order in which they count into lists.
pub(super) struct Environment {
    variables: Vec<(String, OsString)>,
}

impl Environment {
    /// Picks ours out of all; what an orchestrator sets by itself is left aside.
    pub(super) fn new(all: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        let ours = all.into_iter().filter_map(|(name, value)| {
            let name = name.into().into_string().ok()?;
            let value = value.into();
            (name.starts_with(PREFIX) && !is_service_link(&name, &value)).then_some((name, value))
        });
        let mut variables: Vec<_> = ours.collect();
        variables.sort_by_cached_key(|(name, _)| order(name));
        Self { variables }
    }

    /// The configuration file, where a variable names one.
    pub(super) fn file(&self) -> Option<&OsString> {
        self.variables.iter().find(|(name, value)| name == FILE && !value.is_empty()).map(|(_, value)| value)
    }

    /// Covers what `tree` says with what the variables say.
    pub(super) fn apply(&self, tree: &mut Node, faults: &mut Vec<Fault>) {
        for (name, value) in self.variables.iter().filter(|(name, _)| name != FILE) {
            let place = Place::Variable(name.clone());
            if let Err(why) = apply(tree, name, value, &place) {
                faults.push(Fault { place, key: String::new(), why });
            }
        }
    }
}

fn apply(tree: &mut Node, name: &str, value: &OsString, place: &Place) -> Result<(), String> {
    let value = value.to_str().ok_or("is not UTF-8")?;
    let path = name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase();
    let path: Vec<&str> = path.split("__").collect();
    tree.insert(&path, Node::at(place.clone(), Value::Loose(value.to_owned())))
}

/// Sorts `…__9__…` before `…__10__…`, so that a list grows entry by entry.
fn order(name: &str) -> Vec<(usize, String)> {
    name.split("__").map(|segment| (segment.parse().unwrap_or(usize::MAX), segment.to_owned())).collect()
}

/// Whether Kubernetes sets this variable for a Service whose name begins with `forebay`: it would be taken for a
/// key of ours, and a daemon behind such a Service would refuse to start.
fn is_service_link(name: &str, value: &OsString) -> bool {
    let mut words = name.rsplit('_');
    let last = words.next().unwrap_or_default();
    let before = words.next().unwrap_or_default();
    match last {
        "HOST" => before == "SERVICE",
        "PORT" => before == "SERVICE" || is_protocol(before) || is_link(value),
        "ADDR" | "PROTO" => is_protocol(before),
        _ => (is_protocol(last) && is_number(before)) || name.contains("_SERVICE_PORT_"),
    }
}

fn is_protocol(word: &str) -> bool {
    matches!(word, "TCP" | "UDP" | "SCTP")
}

fn is_link(value: &OsString) -> bool {
    value.to_str().is_some_and(|text| text.contains("://"))
}

fn is_number(word: &str) -> bool {
    word.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_sets_for_a_service_is_no_key_of_ours() {
        for name in [
            "FOREBAY_SERVICE_HOST",
            "FOREBAY_SERVICE_PORT",
            "FOREBAY_SERVICE_PORT_FORWARD",
            "FOREBAY_PORT",
            "FOREBAY_PORT_24224_TCP",
            "FOREBAY_PORT_24224_TCP_PORT",
            "FOREBAY_PORT_24224_TCP_PROTO",
            "FOREBAY_PORT_24224_TCP_ADDR",
            "FOREBAY_HTTP_SERVICE_HOST",
            "FOREBAY_HTTP_PORT_24231_UDP",
        ] {
            assert!(is_service_link(name, &"tcp://10.0.0.1:24224".into()), "{name}");
        }
        for name in ["FOREBAY_ELASTICSEARCH__HOSTS", "FOREBAY_DATA_DIR", "FOREBAY_HTTP_PORT"] {
            assert!(!is_service_link(name, &"8080".into()), "{name}");
        }
    }

    #[test]
    fn the_tenth_entry_comes_after_the_ninth() {
        let names = (0..12).rev().map(|index| (format!("FOREBAY_FORWARD__{index}__LISTEN"), "127.0.0.1:0"));
        let (mut tree, mut faults) = (Node::table(Place::Default), Vec::new());
        Environment::new(names).apply(&mut tree, &mut faults);
        assert_eq!(faults, []);
    }
}
