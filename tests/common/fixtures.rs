//! The frames under `fixtures/frames`: bytes, and what they say. The format is told in the folder's README.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The unix socket of a listener, in its folder.
pub(crate) const SOCKET: &str = "forward.sock";

/// A fixture: `NAME.hex` and `NAME.json`.
pub(crate) struct Fixture {
    /// `NAME`.
    pub(crate) name: String,
    /// What goes over the wire.
    pub(crate) bytes: Vec<u8>,
    /// What it says, and the documents that come of it.
    pub(crate) twin: Value,
}

impl Fixture {
    /// What it says, frame by frame.
    pub(crate) fn frames(&self) -> &[Value] {
        self.twin["frames"].as_array().expect("frames are a list")
    }

    /// The chunks that want an ack, in order.
    pub(crate) fn chunks(&self) -> Vec<String> {
        let chunks = self.frames().iter().filter_map(|frame| frame["option"]["chunk"].as_str());
        chunks.map(str::to_owned).collect()
    }

    /// The keys of the listener that it is sent to, which has its files in `folder`; none as a rule.
    pub(crate) fn listener(&self, folder: &Path) -> String {
        let keys = self.twin["listener"].as_str().unwrap_or_default();
        keys.replace("{folder}", &folder.display().to_string())
    }

    /// Whether it goes over UDP.
    pub(crate) fn is_datagram(&self) -> bool {
        self.twin["over"] == "udp"
    }

    /// What comes back, where that is no ack.
    pub(crate) fn answer(&self) -> Vec<u8> {
        bytes(self.twin["answer"].as_str().expect("a datagram is answered"))
    }

    /// Whether the listener closes the connection after it.
    pub(crate) fn is_ended_by_the_listener(&self) -> bool {
        self.twin["ends"] == "listener"
    }

    /// Whether frames and acks are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.twin["serializer"] == "json"
    }

    /// What is known of the dead letters that come of it, in order.
    pub(crate) fn dead_letters(&self) -> Vec<Value> {
        self.twin["dead_letters"].as_array().cloned().unwrap_or_default()
    }

    /// How many events are dropped.
    pub(crate) fn dropped(&self) -> u64 {
        let by_reason = self.twin["dropped"].as_object();
        by_reason.into_iter().flat_map(|all| all.values()).filter_map(Value::as_u64).sum()
    }

    /// How often it goes beyond a limit.
    pub(crate) fn beyond(&self, limit: &str) -> u64 {
        self.twin["limits"][limit].as_u64().unwrap_or_default()
    }

    /// Whether anything of it is refused or dropped.
    pub(crate) fn has_trouble(&self) -> bool {
        self.dropped() > 0 || !self.dead_letters().is_empty()
    }

    /// The documents that come of it, in order.
    pub(crate) fn documents(&self) -> &[Value] {
        self.twin["documents"].as_array().expect("documents are a list")
    }
}

/// Every fixture, by name.
pub(crate) fn all() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/frames");
    let entries = fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a fixture").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(hex: &Path) -> Fixture {
    let text =
        |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = hex.file_stem().expect("a fixture has a name").to_string_lossy().into_owned();
    let twin = serde_json::from_str(&text(&hex.with_extension("json"))).expect("the twin is JSON");
    Fixture { name, bytes: bytes(&text(hex)), twin }
}

/// The bytes that commented hexadecimal stands for.
fn bytes(text: &str) -> Vec<u8> {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    code.flat_map(str::split_whitespace).flat_map(word).collect()
}

/// `XX`, or `XX*N`.
fn word(word: &str) -> Vec<u8> {
    let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
    let byte = u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("`{word}` is not XX or XX*N"));
    vec![byte; times.parse().expect("a number of times")]
}
