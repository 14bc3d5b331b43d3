//! What an archive tells of the logs of containers in it: whose they are, and with which halves of lines the rotated ones end.
//!
//! It may stand behind the log that it is needed for — the newest comes first as a rule — so that the archive is looked through
//! for it: once, and only where it holds such logs.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::input::file::{
    Age, Block, Blocks, Carried, Content, Fixed, Form, Found, HEAD, Kind, Mark, Rest, Text, each_content,
    rotation,
};

use super::job::ReplayOptions;

/// Names of files that say whose a log is.
const NAMES: [&str; 2] = ["config.v2.json", "hostconfig.json"];

/// The longest that one may be…
const LONGEST: u64 = 1 << 20;

/// …and all of them, all halves of lines, and what they are called, together.
const TOGETHER: usize = 16 << 20;

/// See the module; paths have the archive's in front.
#[derive(Default)]
pub(super) struct Beside {
    /// The archive that was looked through.
    archive: PathBuf,
    files: HashMap<PathBuf, Vec<u8>>,
    /// By the name without what rotation added to it, the logs from the oldest to the newest with what they end with.
    logs: HashMap<PathBuf, BTreeMap<Age, Carried>>,
    /// Bytes of all this.
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
        self.logs.retain(|_, logs| logs.len() > 1);
    }

    fn content(&mut self, mut content: Content<'_>, options: &ReplayOptions) {
        let path = self.archive.join(content.path.unwrap_or(Path::new("")));
        if NAMES.iter().any(|name| path.ends_with(name)) {
            let mut text = Vec::new();
            if content.take(LONGEST).read_to_end(&mut text).is_ok() {
                self.bytes += path.as_os_str().len() + text.len();
                self.files.insert(path, text);
            }
        } else if is_log(&path) {
            let (base, age) = rotation(&path);
            // why: the newest ends with what has no rest yet, and what is damaged is told when it is read.
            let ends_with = if age == Age::Current { None } else { ends_with(&mut content, options).ok() };
            let ends_with = ends_with.unwrap_or_default();
            self.bytes += path.as_os_str().len() + ends_with.bytes();
            self.logs.entry(base).or_default().insert(age, ends_with);
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

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_LINE: usize = 64 << 10;

    fn options() -> ReplayOptions {
        ReplayOptions {
            tag: None,
            encoding: None,
            keeps_index: false,
            documents_as_events: false,
            line_bytes: LONGEST_LINE,
            rate: None,
            readers: 1,
            selection: Default::default(),
            resume: false,
            keeps_all_sources: false,
        }
    }

    /// What an archive with these members tells.
    fn gathered(members: impl Iterator<Item = (String, String)>) -> Beside {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = folder.path().join("all.tar");
        let mut all = tar::Builder::new(File::create(&archive).expect("created"));
        for (name, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            all.append_data(&mut header, name, text.as_bytes()).expect("packed");
        }
        all.finish().expect("packed");
        let mut beside = Beside { archive, ..Beside::default() };
        beside.gather(&options());
        beside
    }

    fn half(length: usize) -> String {
        let text = "x".repeat(length);
        format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-01T10:00:00Z\"}}\n")
    }

    #[test]
    fn an_archive_of_very_many_halves_of_lines_takes_no_more_memory_than_there_is_for_them() {
        let length = LONGEST_LINE - 1_000;
        let logs = 2 * TOGETHER / length;
        let beside = gathered((0..logs).map(|number| (format!("{number}-json.log.1"), half(length))));
        assert!(beside.bytes >= TOGETHER, "{}", beside.bytes);
        assert!(beside.bytes < TOGETHER + 2 * LONGEST_LINE, "{}", beside.bytes);
    }

    #[test]
    fn of_a_log_that_was_not_rotated_nothing_is_kept() {
        let names = ["alone-json.log", "two-json.log", "two-json.log.1"];
        let mut beside = gathered(names.iter().map(|name| ((*name).to_owned(), half(10))));
        assert_eq!(beside.logs.len(), 1);
        let archive = beside.archive.clone();
        let (carried, goes_on) = beside.around(&archive.join("two-json.log"));
        assert!(carried.bytes() > Carried::default().bytes() && !goes_on);
        assert!(beside.around(&archive.join("two-json.log.1")).1);
    }
}
