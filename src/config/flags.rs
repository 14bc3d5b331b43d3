//! The command line as a layer, above all others.

use std::collections::BTreeMap;

use super::fault::{Fault, Place};
use super::tree::{Node, Value};

/// What flags say, unread: they are checked with everything else, so that all faults come at once.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--data-dir`
    pub data_dir: Option<String>,
    /// `--elasticsearch`, in place of all configured hosts.
    pub elasticsearch: Vec<String>,
    /// `--listen`, in place of all configured listeners; the first one's limits hold for those beyond the configured.
    pub listen: Vec<String>,
    /// `--http-listen`
    pub http_listen: Option<String>,
    /// `--log-format`
    pub log_format: Option<String>,
    /// `--log-level`
    pub log_level: Option<String>,
}

impl Overrides {
    /// Covers what `tree` says with what the flags say.
    pub(super) fn apply(&self, tree: &mut Node, faults: &mut Vec<Fault>) {
        for (flag, path, node) in self.layer(tree) {
            if let Err(why) = tree.insert(path, node) {
                faults.push(Fault { place: Place::Flag(flag), key: String::new(), why });
            }
        }
    }

    fn layer(&self, tree: &Node) -> Vec<(&'static str, &'static [&'static str], Node)> {
        let single = [
            ("--data-dir", &["data_dir"][..], &self.data_dir),
            ("--http-listen", &["http", "listen"], &self.http_listen),
            ("--log-format", &["log", "format"], &self.log_format),
            ("--log-level", &["log", "level"], &self.log_level),
        ];
        let given = single
            .into_iter()
            .filter_map(|(flag, path, value)| value.as_deref().map(|value| (flag, path, loose(flag, value))));
        let mut layer: Vec<_> = given.collect();
        if !self.elasticsearch.is_empty() {
            let hosts = self.elasticsearch.iter().map(|host| loose("--elasticsearch", host)).collect();
            layer.push(("--elasticsearch", &["elasticsearch", "hosts"], list("--elasticsearch", hosts)));
        }
        if !self.listen.is_empty() {
            layer.push(("--listen", &["forward"], self.listeners(tree)));
        }
        layer
    }

    fn listeners(&self, tree: &Node) -> Node {
        let configured = match tree.get("forward").map(|node| &node.value) {
            Some(Value::List(tables)) => tables.as_slice(),
            _ => &[],
        };
        let listeners = self.listen.iter().enumerate().map(|(index, address)| {
            let like = configured.get(index).or(configured.first()).map(|node| &node.value);
            let mut entries = match like {
                Some(Value::Table(entries)) => entries.clone(),
                _ => BTreeMap::new(),
            };
            entries.insert("listen".into(), loose("--listen", address));
            Node::at(Place::Flag("--listen"), Value::Table(entries))
        });
        list("--listen", listeners.collect())
    }
}

fn loose(flag: &'static str, text: &str) -> Node {
    Node::at(Place::Flag(flag), Value::Loose(text.to_owned()))
}

fn list(flag: &'static str, items: Vec<Node>) -> Node {
    Node::at(Place::Flag(flag), Value::List(items))
}
