//! The names of the buffer's files, and the few operations on directories that durability asks for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use crate::durable::sync_dir;
use crate::durable::{create_dir, create_private_dir};

/// The first number of a segment that no counting comes to.
const UNCOUNTED: u64 = 1 << 62;

/// The buffer's directory and what is where in it.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Creates the directories that are missing.
    pub(crate) fn create(&self) -> io::Result<()> {
        create_private_dir(&self.dir)?;
        create_dir(&self.segments())?;
        sync_dir(&self.dir)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(crate) fn segment(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id:020}.seg"))
    }

    pub(crate) fn marks(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id:020}.done"))
    }

    pub(crate) fn index(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id:020}.idx"))
    }

    pub(crate) fn quarantine(&self) -> PathBuf {
        self.dir.join("quarantine")
    }

    /// Where an import is gathered, laid out as the buffer itself.
    pub(crate) fn staging(&self) -> Self {
        Self::new(&self.dir.join("import"))
    }

    /// Removes what an import has left.
    pub(crate) fn clear_staging(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.staging().dir) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            _ => Ok(()),
        }
    }

    /// The numbers of all files that end in `extension`, ascending.
    pub(crate) fn numbers(&self, extension: &str) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(self.segments())? {
            numbers.extend(number(&entry?.path(), extension));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes a segment, its marks and its index; `.seg` first, so that a crash in between leaves nothing to deliver
    /// again.
    pub(crate) fn remove(&self, id: u64) -> io::Result<()> {
        remove_if_there(&self.segment(id))?;
        remove_if_there(&self.marks(id))?;
        remove_if_there(&self.index(id))?;
        sync_dir(&self.segments())
    }

    /// Renames a whole segment into quarantine, so that nothing of it is lost, and removes what belongs to it.
    pub(crate) fn withdraw(&self, id: u64, length: u64) -> io::Result<()> {
        create_dir(&self.quarantine())?;
        let target = self.quarantine().join(format!("{id:020}.seg.0-{length}"));
        fs::rename(self.segment(id), target)?;
        sync_dir(&self.quarantine())?;
        self.remove(id)
    }
}

/// The number of the segment that comes behind those that have `numbers`, ascending.
pub(crate) fn next_number(numbers: &[u64]) -> u64 {
    let counted = numbers.partition_point(|number| *number < UNCOUNTED);
    numbers.get(..counted).and_then(<[u64]>::last).map_or(1, |last| last + 1)
}

fn number(path: &Path, extension: &str) -> Option<u64> {
    let named = path.extension().is_some_and(|e| e == extension);
    let stem = path.file_stem()?.to_str()?;
    // why: of digits alone, since a number's own parser takes a sign, and no other name comes out of the number again.
    let is_number = stem.len() == 20 && stem.bytes().all(|byte| byte.is_ascii_digit());
    if named && is_number { stem.parse().ok() } else { None }
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}
