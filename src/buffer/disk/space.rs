//! How much the segments may take: a budget of their own, and what must stay free for everybody.
//!
//! What is free is others' business too, so it is looked at anew for each group, unless there is so much more than has
//! to stay free ([`AMPLE`]) that nobody can have written it since the last look ([`FRESH`]): who waits for an ack
//! should not wait for that look ten thousand times a second.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::DiskError;

/// How long a look holds where there is plenty.
const FRESH: Duration = Duration::from_millis(20);
/// Plenty, beyond what has to stay free: to fill it while a look holds takes 25 GB a second.
const AMPLE: u64 = 512 << 20;

/// The limits on disk space.
pub(crate) struct Space {
    dir: PathBuf,
    disk: u64,
    /// What may be there beyond it.
    lifted: u64,
    min_free: u64,
    min_free_percent: u64,
    /// What has to stay free, of the two the more.
    keep: u64,
    /// What was free when it was last looked at, less what has been admitted since.
    free: u64,
    looked: Option<Instant>,
}

impl Space {
    pub(crate) fn new(dir: &Path, disk: u64, min_free: u64, min_free_percent: u64) -> Self {
        let dir = dir.to_owned();
        Self { dir, disk, lifted: 0, min_free, min_free_percent, keep: min_free, free: 0, looked: None }
    }

    /// Sees to it that what is known to be free is true; once a group is enough.
    pub(crate) fn look(&mut self) -> Result<(), DiskError> {
        let now = Instant::now();
        if self.holds(now) {
            return Ok(());
        }
        let (free, total) = file_system(&self.dir).map_err(DiskError::io("read", &self.dir))?;
        self.free = free;
        self.keep = must_stay_free(total, self.min_free, self.min_free_percent);
        self.looked = Some(now);
        Ok(())
    }

    /// Whether the last look is as good as another.
    fn holds(&self, now: Instant) -> bool {
        let is_fresh = self.looked.is_some_and(|looked| now.saturating_duration_since(looked) < FRESH);
        is_fresh && self.free >= self.keep.saturating_add(AMPLE)
    }

    /// From here on so much may be there beyond the budget: a stop has to put what is in memory somewhere. What earlier
    /// stops have put there counts, so that no number of stops comes to more.
    pub(crate) fn lift_budget(&mut self, by: u64) {
        self.lifted = by;
    }

    /// Whether `more` bytes may be written where `used` are on disk already.
    pub(crate) fn admit(&mut self, used: u64, more: u64) -> Result<(), DiskError> {
        let limit = self.disk.saturating_add(self.lifted);
        if used.saturating_add(more) > limit {
            return Err(DiskError::Budget { used, more, limit });
        }
        let free = self.free;
        match free.checked_sub(more) {
            Some(left) if left >= self.keep => self.free = left,
            _ => return Err(DiskError::MinFree { free, more, limit: self.keep }),
        }
        Ok(())
    }
}

/// What has to stay free on a file system of `total` bytes: of the two the more.
pub(crate) fn must_stay_free(total: u64, min_free: u64, min_free_percent: u64) -> u64 {
    min_free.max(total / 100 * min_free_percent)
}

/// Bytes free to us and bytes in all on the file system of `dir`.
pub(crate) fn file_system(dir: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok((stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_holds_for_a_moment_and_only_where_there_is_plenty() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut space = Space::new(dir.path(), u64::MAX, 1_000, 0);
        space.look().expect("a file system");
        let looked = space.looked.expect("a look");
        space.free = 1_000 + AMPLE;
        assert!(space.holds(looked));
        assert!(!space.holds(looked + FRESH), "it is old");
        space.admit(0, 1).expect("room");
        assert!(!space.holds(looked), "there is less than plenty");
        space.free = 0;
        space.look().expect("a file system");
        assert!(space.free > 0, "it was looked at again");
    }
}
