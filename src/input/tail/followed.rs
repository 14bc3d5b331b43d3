//! One file that is followed: by its inode, under whatever name.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::begin::Content;
use super::decoded::Decoded;
use super::naming::Named;
use super::source::Source;
use crate::input::file::{Blocks, Mark, Rest, Resting};

/// Which file it is, for as long as it is there or somebody has it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::input) struct Key {
    device: u64,
    inode: u64,
}

/// That of a file of which this is known.
pub(in crate::input) fn key_of(known: &Metadata) -> Key {
    Key { device: known.dev(), inode: known.ino() }
}

/// See the module.
pub(super) struct Followed {
    pub(super) key: Key,
    /// Where it lies, or lay last.
    pub(super) path: PathBuf,
    pub(super) state: State,
    /// The look at all files that found it last.
    pub(super) seen: u64,
    /// When it was found to have no name, or another than before, any more.
    pub(super) left_at: Option<Instant>,
    /// Whether it has a name that is looked for.
    pub(super) is_named: bool,
    /// When it grew last, as far as is known.
    pub(super) grew_at: Instant,
    /// It gets no turn before then.
    pub(super) not_before: Option<Instant>,
    /// Bytes that are there and were not read.
    pub(super) behind: u64,
    /// Whether it waits for its turn already.
    pub(super) is_queued: bool,
    /// Whether it was said that it holds no lines.
    pub(super) is_told: bool,
}

pub(super) enum State {
    /// It is not known yet where reading begins in it.
    New {
        /// The file, where it was opened already.
        file: Option<File>,
        /// Since when it waits for another that holds the same.
        waits_since: Option<Instant>,
    },
    /// Nothing of it is read.
    PassedOver(Passed),
    /// Its lines are read.
    Read(Box<Reading>),
}

/// A file of which nothing is read, as long as it is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// How long it is.
    pub(super) length: u64,
    /// Whether it is named as if it held lines, and holds none.
    pub(super) is_odd: bool,
}

/// A file whose lines are read.
pub(super) struct Reading {
    pub(super) blocks: Blocks<Decoded<Source>>,
    pub(super) tag: Vec<u8>,
    pub(super) course: u64,
    /// Up to where it was read.
    pub(super) end: Mark,
    /// Whether there are lines of it that no look at the file tells of.
    pub(super) has_more: bool,
    /// The course of the file that has taken over the parts of lines with which this one ends.
    pub(super) lent_to: Option<u64>,
}

/// What a look at a file that is read has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// So many bytes of it were not read.
    Behind(u64),
    /// What was read of it does not stand there any more.
    Changed,
    /// It cannot be found where it was.
    Gone,
}

impl Followed {
    /// One that is known by its name and its metadata alone.
    pub(super) fn new(path: PathBuf, known: &Metadata, seen: u64) -> Self {
        let state = State::New { file: None, waits_since: None };
        Self {
            key: key_of(known),
            path,
            state,
            seen,
            left_at: None,
            is_named: true,
            grew_at: Instant::now(),
            not_before: None,
            behind: known.len(),
            is_queued: false,
            is_told: false,
        }
    }

    /// What becomes of bytes without an end of a line behind them: they are one when nothing more is to be expected.
    pub(super) fn rest(&self, now: Instant, patience: Duration) -> Rest {
        let waited = |since: Instant| now.saturating_duration_since(since) >= patience;
        match self.left_at {
            Some(left) if waited(left) && waited(self.grew_at) => Rest::IsLine,
            _ => Rest::Waits,
        }
    }

    /// The file, open.
    pub(super) fn file(&self) -> Option<&File> {
        match &self.state {
            State::New { file, .. } => file.as_ref(),
            State::PassedOver(_) => None,
            State::Read(reading) => reading.source().file(),
        }
    }

    /// Opens the file if it is not; false if another has its name now, or none.
    pub(super) fn open(&mut self) -> io::Result<bool> {
        if self.file().is_some() {
            return Ok(true);
        }
        let file = match open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        if key_of(&file.metadata()?) != self.key {
            return Ok(false);
        }
        match &mut self.state {
            State::New { file: slot, .. } => *slot = Some(file),
            State::PassedOver(_) => (),
            State::Read(reading) => reading.source_mut().open(file),
        }
        Ok(true)
    }

    /// Closes it until it grows.
    pub(super) fn close(&mut self) {
        match &mut self.state {
            State::New { file, .. } => *file = None,
            State::PassedOver(_) => (),
            State::Read(reading) => drop(reading.source_mut().release()),
        }
    }

    /// Whether a file of `length` bytes is to have a turn.
    pub(super) fn has_changed(&self, length: u64) -> bool {
        match &self.state {
            State::PassedOver(passed) => length != passed.length,
            _ => length != self.offset(),
        }
    }

    /// How far its bytes have been read.
    pub(super) fn offset(&self) -> u64 {
        match &self.state {
            State::Read(reading) => reading.source().offset(),
            _ => 0,
        }
    }

    /// What has become of it; it is open then.
    pub(super) fn look(&mut self) -> io::Result<Look> {
        if !self.open()? {
            return Ok(Look::Gone);
        }
        let (Some(file), offset) = (self.file(), self.offset()) else { return Ok(Look::Gone) };
        let size = file.metadata()?.len();
        let goes_on = match &self.state {
            State::Read(reading) if size > offset => reading.source().goes_on()?,
            _ => size >= offset,
        };
        self.behind = size.saturating_sub(offset);
        Ok(if goes_on { Look::Behind(self.behind) } else { Look::Changed })
    }

    /// It is read from `from` on.
    pub(super) fn begin(&mut self, reading: Reading) {
        self.state = State::Read(Box::new(reading));
    }

    /// How long it has waited for another that holds the same.
    pub(super) fn waited(&self) -> Duration {
        match &self.state {
            State::New { waits_since: Some(since), .. } => since.elapsed(),
            _ => Duration::ZERO,
        }
    }

    /// Nothing is known of it any more but its name.
    pub(super) fn forget(&mut self) {
        let file = match &mut self.state {
            State::New { file, .. } => file.take(),
            State::PassedOver(_) => None,
            State::Read(reading) => reading.source_mut().release(),
        };
        self.state = State::New { file, waits_since: None };
    }
}

impl Reading {
    /// Where its bytes come from.
    pub(super) fn source(&self) -> &Source {
        self.blocks.source().source()
    }

    fn source_mut(&mut self) -> &mut Source {
        self.blocks.lines().reader().source_mut()
    }

    /// That of `file` from `from` on; no event is longer than `limit`.
    pub(super) fn new(
        file: File,
        content: &Content,
        named: Named,
        (course, from): (u64, &Resting),
        limit: usize,
    ) -> io::Result<Self> {
        let source = content.source(file, from.mark.place)?;
        let blocks =
            Blocks::new(source, from.mark, content.form, named.fixed, limit).with_labels(named.labels);
        Ok(Self { blocks, tag: named.tag, course, end: from.mark, has_more: false, lent_to: None })
    }
}

/// Opens a file to be read; what is a pipe by now does not keep anybody waiting.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits() as i32).open(path)
}
