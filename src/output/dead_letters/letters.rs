//! The folder of dead letters, as commands look at it: a daemon may be writing there at the same time.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::walk::{Place, Walk};
use super::{Stored, settled};
use crate::output::DeadLetterOptions;

/// The files of one folder.
#[derive(Clone, Debug)]
pub struct Letters {
    folder: PathBuf,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterFile {
    /// Its path.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl Letters {
    /// The folder that `options` name, or `default_dir`. Nothing is made there.
    pub fn at(options: &DeadLetterOptions, default_dir: &Path) -> Self {
        Self { folder: options.directory.clone().unwrap_or_else(|| default_dir.into()) }
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files, oldest first; none where there is no folder.
    pub fn files(&self) -> io::Result<Vec<LetterFile>> {
        self.named("ndjson")
    }

    /// Shows each letter that is whole: its place, whether it is settled, and its line. `see` ends it by answering false.
    pub fn each(&self, mut see: impl FnMut(&Place, bool, &[u8]) -> bool) -> io::Result<()> {
        let (mut walk, mut line) = (self.walk()?, Vec::new());
        while let Some((place, settled)) = walk.next(&mut line)? {
            if !see(&place, settled, &line) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn walk(&self) -> io::Result<Walk> {
        let files: Vec<PathBuf> = self.files()?.into_iter().map(|file| file.path).collect();
        let superseded = superseded(files.clone())?;
        Ok(Walk::new(files, superseded))
    }

    /// Deletes files of which every letter is settled and that nobody writes to any more, and marks without letters.
    pub(super) fn tidy(&self) -> io::Result<()> {
        for LetterFile { path, bytes } in self.files()? {
            // why: a file is locked as soon as it is there and before it holds a byte, so that one with bytes and
            // without a lock will never grow.
            if bytes > 0 && all_settled(&path)? && std::fs::File::open(&path)?.try_lock().is_ok() {
                std::fs::remove_file(&path)?;
            }
        }
        for LetterFile { path: marks, .. } in self.named("settled")? {
            if !marks.with_extension("ndjson").exists() {
                std::fs::remove_file(&marks)?;
            }
        }
        Ok(())
    }

    fn named(&self, extension: &str) -> io::Result<Vec<LetterFile>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(fault),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            let is_ours = name.to_str().is_some_and(|name| name.starts_with("dead-letters-"));
            if is_ours && path.extension().is_some_and(|own| own == extension) {
                // A file may be pruned between the two looks.
                files
                    .extend(entry.metadata().ok().map(|metadata| LetterFile { path, bytes: metadata.len() }));
            }
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

/// The letters in whose place others stand: a replay that was killed may not have marked them.
fn superseded(files: Vec<PathBuf>) -> io::Result<HashSet<String>> {
    let (mut walk, mut line, mut names) = (Walk::new(files, HashSet::new()), Vec::new(), HashSet::new());
    while walk.next(&mut line)?.is_some() {
        if memchr::memmem::find(&line, b"\"origin\":").is_some() {
            names.extend(Stored::read(&line).and_then(|letter| letter.origin).map(String::from));
        }
    }
    Ok(names)
}

fn all_settled(path: &Path) -> io::Result<bool> {
    let settled = settled::read(path)?;
    let (mut walk, mut line) = (Walk::new(vec![path.to_owned()], HashSet::new()), Vec::new());
    while let Some((place, _)) = walk.next(&mut line)? {
        if !settled.contains(&place.at) {
            return Ok(false);
        }
    }
    Ok(!settled.is_empty())
}
