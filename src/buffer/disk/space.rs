//! How much the segments may take: a budget of their own, and what must stay free for everybody.

use std::io;
use std::path::{Path, PathBuf};

use super::DiskError;

/// The limits on disk space.
pub(crate) struct Space {
    dir: PathBuf,
    disk: u64,
    min_free: u64,
    min_free_percent: u64,
    /// What has to stay free, of the two the more.
    keep: u64,
    /// What was free when it was last looked at, less what has been admitted since.
    free: u64,
}

impl Space {
    pub(crate) fn new(dir: &Path, disk: u64, min_free: u64, min_free_percent: u64) -> Self {
        Self { dir: dir.to_owned(), disk, min_free, min_free_percent, keep: min_free, free: 0 }
    }

    /// Looks at what is free now; once a group is enough.
    pub(crate) fn look(&mut self) -> Result<(), DiskError> {
        let (free, total) = file_system(&self.dir).map_err(DiskError::io("read", &self.dir))?;
        self.free = free;
        self.keep = self.min_free.max(total / 100 * self.min_free_percent);
        Ok(())
    }

    /// From here on only what must stay free counts: a stop has to put what is in memory somewhere, and that is bounded.
    pub(crate) fn lift_budget(&mut self) {
        self.disk = u64::MAX;
    }

    /// Whether `more` bytes may be written where `used` are on disk already.
    pub(crate) fn admit(&mut self, used: u64, more: u64) -> Result<(), DiskError> {
        if used.saturating_add(more) > self.disk {
            return Err(DiskError::Budget { used, more, limit: self.disk });
        }
        let free = self.free;
        match free.checked_sub(more) {
            Some(left) if left >= self.keep => self.free = left,
            _ => return Err(DiskError::MinFree { free, more, limit: self.keep }),
        }
        Ok(())
    }
}

/// Bytes free to us and bytes in all on the file system of `dir`.
pub(crate) fn file_system(dir: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok((stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize)))
}
