//! What an archive tells of the logs of containers in it: whose they are, and with which halves of lines the rotated ones end.
//!
//! It may stand behind the log that it is needed for — the newest comes first as a rule — so that the archive is looked through
//! for it: once, and only where it holds such logs.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::find::{Age, rotation};
use crate::input::file::{
    Block, Blocks, Carried, Content, Fixed, Form, Found, HEAD, Kind, Mark, Rest, Text, each_content,
};

use super::job::ReplayOptions;

/// Names of files that say whose a log is.
const NAMES: [&str; 2] = ["config.v2.json", "hostconfig.json"];

/// The longest that one may be…
const LONGEST: u64 = 1 << 20;

/// …and all of them, and all halves of lines, together.
const TOGETHER: usize = 16 << 20;

/// See the module; paths have the archive's in front.
#[derive(Default)]
pub(super) struct Beside {
    /// The archive that was looked through.
    archive: PathBuf,
    files: HashMap<PathBuf, Vec<u8>>,
    /// By the name without what rotation added to it, the logs from the oldest to the newest with what they end with.
    logs: HashMap<PathBuf, BTreeMap<Age, Carried>>,
    /// Bytes of files.
    bytes: usize,
}

impl Beside {
    /// What there is in the file at `archive`, which is looked through unless it was the last one, for the content called `name`.
    pub(super) fn look(&mut self, archive: &Path, name: &Path, options: &ReplayOptions) {
        if is_log(name) && self.archive != archive {
            *self = Self { archive: archive.to_owned(), ..Self::default() };
            self.gather(options);
        }
    }

    /// The file at `path`, if it is there.
    pub(super) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }

    /// Takes what the log before the one called `name` ends with, and tells whether another goes on behind this one.
    pub(super) fn around(&mut self, name: &Path) -> (Carried, bool) {
        let (base, age) = rotation(name);
        let Some(logs) = self.logs.get_mut(&base) else { return Default::default() };
        let goes_on = logs.keys().next_back().is_some_and(|newest| *newest > age);
        let before = logs.iter_mut().rfind(|(other, _)| **other < age);
        (before.map(|(_, carried)| std::mem::take(carried)).unwrap_or_default(), goes_on)
    }

    fn gather(&mut self, options: &ReplayOptions) {
        let Ok(mut file) = File::open(&self.archive) else { return };
        let mut visit = |found: Found<'_>| {
            if let Found::Content(content @ Content { path: Some(_), .. }) = found {
                self.content(content, options);
            }
            if self.bytes < TOGETHER { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        match each_content(&mut file, &mut visit) {
            ControlFlow::Break(()) | ControlFlow::Continue(()) => (),
        }
    }

    fn content(&mut self, mut content: Content<'_>, options: &ReplayOptions) {
        let path = self.archive.join(content.path.unwrap_or(Path::new("")));
        if NAMES.iter().any(|name| path.ends_with(name)) {
            let mut text = Vec::new();
            if content.take(LONGEST).read_to_end(&mut text).is_ok() {
                self.bytes += text.len();
                self.files.insert(path, text);
            }
        } else if is_log(&path) {
            let (base, age) = rotation(&path);
            // why: the newest ends with what has no rest yet, and what is damaged is told when it is read.
            let ends_with = if age == Age::Current { None } else { ends_with(&mut content, options).ok() };
            self.logs.entry(base).or_default().insert(age, ends_with.unwrap_or_default());
        }
    }
}

/// Whether what is called so may be the log of a container.
fn is_log(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_below = |folder: &str| path.iter().any(|part| part == folder);
    name.contains("-json.log") || name.contains(".log") && (is_below("pods") || is_below("containers"))
}

/// The halves of lines with which a log ends.
fn ends_with(content: &mut Content<'_>, options: &ReplayOptions) -> io::Result<Carried> {
    let mut text = Text::new(content, options.encoding.unwrap_or_default());
    let mut head = Vec::new();
    text.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let Kind::Lines(form @ (Form::Docker | Form::Cri)) = Kind::of(&head, None) else {
        return Ok(Carried::default());
    };
    let from = Cursor::new(head).chain(text);
    let blocks = Blocks::new(from, Mark::default(), form, Fixed::default(), options.line_bytes);
    let (mut blocks, mut block) = (blocks.carrying(true), Block::default());
    loop {
        blocks.fill(&mut block, Rest::IsLine)?;
        if block.is_empty() {
            return Ok(blocks.take_parts());
        }
        block.clear();
    }
}
