//! Reads the letters of a folder one by one, oldest file first, also while a daemon appends to the newest.
//!
//! What has no line end yet is being written, or was when the writer died: it is no letter. A file that goes away on the
//! way was pruned and is passed over.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::settled;

/// Where a letter begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The byte in it.
    pub at: u64,
}

impl Place {
    /// As `origin` names it: `FILE:BYTE`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.file_name(), self.at)
    }

    /// The file's name in its folder.
    pub fn file_name(&self) -> &str {
        self.file.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// The way through a folder.
pub(super) struct Walk {
    files: VecDeque<PathBuf>,
    current: Option<Current>,
    /// Letters in whose place others stand, by name.
    superseded: HashSet<String>,
}

struct Current {
    reader: BufReader<File>,
    file: Arc<Path>,
    at: u64,
    settled: HashSet<u64>,
}

impl Walk {
    pub(super) fn new(files: Vec<PathBuf>, superseded: HashSet<String>) -> Self {
        Self { files: files.into(), current: None, superseded }
    }

    /// Reads the next letter into `line`: where it is, and whether it is settled.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Option<(Place, bool)>> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(file) = self.files.pop_front() else { return Ok(None) };
                self.current = open(&file)?;
                continue;
            };
            line.clear();
            let length = current.reader.read_until(b'\n', line)?;
            if line.last() != Some(&b'\n') {
                self.current = None;
                continue;
            }
            let place = Place { file: Arc::clone(&current.file), at: current.at };
            current.at += length as u64;
            let settled = current.settled.contains(&place.at)
                || (!self.superseded.is_empty() && self.superseded.contains(&place.name()));
            return Ok(Some((place, settled)));
        }
    }
}

fn open(path: &Path) -> io::Result<Option<Current>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let reader = BufReader::with_capacity(64 << 10, file);
    Ok(Some(Current { reader, file: path.into(), at: 0, settled: settled::read(path)? }))
}
