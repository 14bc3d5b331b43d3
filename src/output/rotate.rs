//! Rotated files in one folder: `PREFIX-TIME.EXTENSION`, of which names sort by time.
//!
//! A file appears under its name when its first bytes are to be written, and is never renamed. Appending is all or
//! nothing: what a failed append has left behind is cut off before the next. The open file is locked, so that another
//! process can tell it from those that will not grow. All calls block.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::durable;

/// A folder of rotated files, one of them open at most.
pub(super) struct Rotated {
    folder: PathBuf,
    /// Whether it was made at the beginning.
    is_there: bool,
    prefix: &'static str,
    extension: &'static str,
    open: Option<Open>,
}

struct Open {
    file: File,
    path: PathBuf,
    opened: Instant,
    /// Length of the file up to which it is whole.
    whole: u64,
    /// What the caller says went in, before compression.
    written: u64,
}

impl Rotated {
    /// A file's time stamp ends in `Z`, then comes its `extension`. Makes the folder where there is none, and sees that files can be made in it.
    pub(super) fn new(folder: PathBuf, prefix: &'static str, extension: &'static str) -> io::Result<Self> {
        durable::create_dir(&folder)?;
        let trial = folder.join(format!(".{prefix}-trial"));
        File::create(&trial)?;
        fs::remove_file(&trial)?;
        Ok(Self { folder, is_there: true, prefix, extension, open: None })
    }

    /// The same, but the folder is made when there is something to be written.
    pub(super) fn when_needed(folder: PathBuf, prefix: &'static str, extension: &'static str) -> Self {
        Self { folder, is_there: false, prefix, extension, open: None }
    }

    /// Appends what `write` writes, `length` bytes before compression, and syncs it: on `Ok` it is on the disk whole.
    pub(super) fn append(
        &mut self,
        length: u64,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.create()?,
        };
        let open = self.open.insert(open);
        // why: a write that failed may have left part of itself, or moved the position.
        open.file.set_len(open.whole)?;
        open.file.seek(SeekFrom::Start(open.whole))?;
        write(&mut open.file)?;
        open.file.sync_data()?;
        open.whole = open.file.stream_position()?;
        open.written += length;
        Ok(())
    }

    /// Closes the open file if it has this many bytes or this age; true if a file was closed.
    pub(super) fn rotate(&mut self, bytes: u64, age: Option<Duration>) -> bool {
        let full = self
            .open
            .as_ref()
            .is_some_and(|open| open.written >= bytes || age.is_some_and(|age| open.opened.elapsed() >= age));
        if full {
            self.open = None;
        }
        full
    }

    /// Deletes the oldest closed files until all together have at most `keep` bytes; 0 keeps all. `tell` sees each
    /// before it goes.
    pub(super) fn prune(&self, keep: u64, mut tell: impl FnMut(&Path, u64)) -> io::Result<()> {
        if keep == 0 {
            return Ok(());
        }
        let files = self.files()?;
        let mut total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let is_open = |path: &Path| self.open.as_ref().is_some_and(|open| open.path == path);
        for (path, bytes) in files.into_iter().filter(|(path, _)| !is_open(path)) {
            if total <= keep {
                break;
            }
            tell(&path, bytes);
            fs::remove_file(&path)?;
            total -= bytes;
        }
        Ok(())
    }

    /// All files of this prefix, oldest first, with their sizes.
    pub(super) fn files(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(self.prefix)?.strip_prefix('-'));
            if rest.is_some_and(|rest| rest.contains(".ndjson")) {
                files.push((entry.path(), entry.metadata()?.len()));
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn create(&self) -> io::Result<Open> {
        // why: one that was there and is gone is no reason to make another: what was mounted there is missing.
        if !self.is_there {
            durable::create_dir(&self.folder)?;
        }
        let now = jiff::Timestamp::now();
        let time = now.strftime("%Y%m%dT%H%M%S");
        let path = self.folder.join(format!(
            "{}-{time}.{:09}Z.{}",
            self.prefix,
            now.subsec_nanosecond().unsigned_abs(),
            self.extension
        ));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        // why: who could delete the file takes this lock first; where the file system has none, nobody gets it.
        file.try_lock().unwrap_or_default();
        // why: without it a crash can lose the file's name, and with it everything synced into it.
        if let Err(fault) = durable::sync_dir(&self.folder) {
            // why: the next attempt makes a file of its own, and a fault that lasts would leave one for each.
            fs::remove_file(&path).unwrap_or_default();
            return Err(fault);
        }
        Ok(Open { file, path, opened: Instant::now(), whole: 0, written: 0 })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn text(files: &Rotated) -> Vec<String> {
        let files = files.files().expect("a listing");
        files.iter().map(|(path, _)| fs::read_to_string(path).expect("text")).collect()
    }

    #[test]
    fn what_a_failed_append_left_behind_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = Rotated::new(folder.path().into(), "x", "ndjson").expect("a folder to write in");
        files.append(2, |file| file.write_all(b"1\n")).expect("written");
        let failed = files.append(2, |file| {
            file.write_all(b"tor")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        files.append(2, |file| file.write_all(b"2\n")).expect("written");
        assert_eq!(text(&files), ["1\n2\n"]);
    }

    #[test]
    fn the_oldest_files_make_room_and_the_open_one_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = Rotated::new(folder.path().into(), "x", "ndjson").expect("a folder to write in");
        for n in 0..4 {
            files.append(2, |file| writeln!(file, "{n}")).expect("written");
            assert!(files.rotate(2, None));
        }
        files.append(2, |file| file.write_all(b"4\n")).expect("written");
        let mut gone = 0;
        files.prune(4, |_, _| gone += 1).expect("pruned");
        assert_eq!(gone, 3);
        assert_eq!(text(&files), ["3\n", "4\n"]);
        files.prune(1, |_, _| ()).expect("pruned");
        assert_eq!(text(&files), ["4\n"]);
    }
}
