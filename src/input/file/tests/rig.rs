//! A pass into a buffer on a directory of its own, and what comes out there.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::buffer::{Buffer, BufferOptions, Receipt};
use crate::decode::Frame;
use crate::enrich::{Assembler, Defaults, Gatherer, Joiner, MultilineOptions, PartialOptions, Pipelines};
use crate::input::file::{Block, HEAD, Identity, Kind, Mark, Reading, Remark, Sheet, Take};
use crate::input::forward::LimitOptions;
use crate::input::{Pass, Selection, Shared, Watch};
use crate::metrics::Metrics;
use crate::output::{DeadLetterOptions, DeadLetters};
use crate::units::ByteSize;

/// A document as the target would get it, without its sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    pub(super) index: String,
    pub(super) id: String,
    /// The line, byte for byte.
    pub(super) line: String,
    pub(super) body: Json,
}

/// See the module.
pub(super) struct Rig {
    runtime: Runtime,
    pub(super) shared: Arc<Shared>,
    pass: Pass,
    pub(super) remarks: Vec<String>,
    letters: TempDir,
    _directory: TempDir,
}

/// How a content of no particular place is read.
pub(super) fn reading() -> Reading<'static> {
    let (path, from, tag, sent) = (None, Mark::default(), "file", None);
    Reading { path, from, tag, sent, longest: 1 << 20, keeps_index: true, as_events: false }
}

impl Rig {
    pub(super) fn new() -> Self {
        let (directory, letters) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let options =
            BufferOptions { min_free: ByteSize(0), batch_age: Duration::ZERO, ..BufferOptions::default() };
        let metrics = Metrics::new(&mut Registry::default());
        let opened = Buffer::open(options.clone(), directory.path(), Arc::clone(&metrics));
        let defaults = Defaults { index: "logs-{tag}-default", fallback: "logs", host: "here" };
        let pipelines = Pipelines::compile(&[], defaults).expect("good options");
        let joiner = Joiner::new(PartialOptions::default(), Arc::clone(&metrics));
        let assembler = Assembler::new(joiner, Gatherer::new(MultilineOptions::default()));
        let dead_letters = DeadLetters::open(DeadLetterOptions::default(), letters.path()).expect("a folder");
        let shared =
            Shared::new(pipelines, assembler, opened.expect("a buffer").0, dead_letters, &options, metrics);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pass = Pass::new(Arc::clone(&shared), CancellationToken::new());
        Self { runtime, shared, pass, remarks: Vec::new(), letters, _directory: directory }
    }

    /// One that takes what is selected alone.
    pub(super) fn selecting(selection: Selection) -> Self {
        let mut rig = Self::new();
        rig.pass.set_watch(Watch::new(Arc::new(selection), Arc::default(), 0));
        rig
    }

    /// Reads `bytes` as what they are, and answers what that is.
    pub(super) fn read(&mut self, bytes: &[u8], reading: &Reading<'_>) -> Kind {
        let kind = Kind::of(bytes.get(..HEAD).unwrap_or(bytes), reading.path);
        self.read_as(kind, bytes, reading);
        kind
    }

    pub(super) fn read_as(&mut self, kind: Kind, mut bytes: &[u8], reading: &Reading<'_>) {
        kind.read(&mut bytes, reading, self).expect("in memory");
    }

    /// Reads the file at `path` as a replay does that knows it by its path.
    pub(super) fn read_file(&mut self, path: &Path, bytes: &[u8]) -> Kind {
        let sent = crate::input::file::sent_chunk(path).expect("readable");
        let identity = Identity::of(path);
        self.read(bytes, &Reading { path: Some(path), tag: &identity.tag, sent, ..reading() })
    }

    /// Takes a frame as a connection does.
    pub(super) fn send(&mut self, frame: &[u8]) {
        let frame = Frame::read(frame).expect("a frame").expect("no heartbeat");
        let limits = LimitOptions::default();
        self.runtime.block_on(self.pass.frame(&frame, &limits, None));
    }

    /// All that came, in order.
    pub(super) fn documents(&mut self) -> Vec<Document> {
        self.pass.flush();
        let mut found = Vec::new();
        while self.shared.buffer().stats().events > 0 {
            let popped =
                async { tokio::time::timeout(Duration::from_secs(20), self.shared.buffer().pop()).await };
            let delivery = self.runtime.block_on(popped).expect("in time").expect("a loan");
            let text = String::from_utf8(delivery.bytes().to_vec()).expect("UTF-8");
            let lines: Vec<&str> = text.lines().collect();
            found.extend(lines.chunks_exact(2).map(|pair| document(pair[0], pair[1])));
            delivery.delivered();
        }
        found
    }

    /// The dead letters.
    pub(super) fn letters(&self) -> Vec<Json> {
        let entries = std::fs::read_dir(self.letters.path()).expect("a listing");
        let files = entries.map(|entry| entry.expect("an entry").path());
        let text: String = files.map(|path| std::fs::read_to_string(path).expect("a file")).collect();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn document(action: &str, line: &str) -> Document {
    let action: Json = serde_json::from_str(action).expect("JSON");
    let mut body: Json = serde_json::from_str(line).expect("JSON");
    body.as_object_mut().expect("an object").remove("event.sequence");
    let text = |name: &str| action["create"][name].as_str().expect("a text").to_owned();
    Document { index: text("_index"), id: text("_id"), line: line.to_owned(), body }
}

impl Take for Rig {
    fn block(&mut self, block: &Block) -> ControlFlow<()> {
        let (receipt, _) = Receipt::patient();
        self.runtime.block_on(self.pass.records(&block.records(), &LimitOptions::default(), &receipt));
        ControlFlow::Continue(())
    }

    fn sheet(&mut self, sheet: &Sheet) -> ControlFlow<()> {
        let (receipt, _) = Receipt::patient();
        self.runtime.block_on(self.pass.documents(sheet, &LimitOptions::default(), &receipt));
        ControlFlow::Continue(())
    }

    fn frame(&mut self, frame: &Frame<'_>, _: Mark) -> ControlFlow<()> {
        let limits = LimitOptions::default();
        self.runtime.block_on(self.pass.frame(frame, &limits, None));
        ControlFlow::Continue(())
    }

    fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark.to_string());
    }
}

/// The fields that tell documents apart, in order.
pub(super) fn values(documents: &[Document], field: &str) -> Vec<Json> {
    documents.iter().map(|document| document.body[field].clone()).collect()
}

/// The ids, in order.
pub(super) fn ids(documents: &[Document]) -> Vec<String> {
    documents.iter().map(|document| document.id.clone()).collect()
}

/// The bytes of a captured frame, as `fixtures/frames/README.md` has them.
pub(super) fn captured(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/frames/{name}.hex"));
    let text = std::fs::read_to_string(path).expect("a fixture");
    let words = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    words.flat_map(str::split_whitespace).flat_map(word).collect()
}

/// `XX…`, or `XX*N`.
fn word(word: &str) -> Vec<u8> {
    let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
    let byte =
        |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
    let bytes: Vec<u8> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.repeat(times.parse().expect("a number of times"))
}
