//! One daemon per directory. The lock is the kernel's, so it goes with the process however that ends.
//!
//! Two things are locked: the file `lock`, which is what every release looks at, and the directory itself, which nobody can
//! remove and make anew while a daemon works on it.

use std::fs::{File, TryLockError};

use super::{Files, OpenError};

/// Held as long as the buffer works on its directory.
pub(crate) struct DirLock {
    _file: File,
    _dir: File,
}

impl DirLock {
    /// Takes the lock, or says who cannot have it.
    pub(crate) fn take(files: &Files) -> Result<Self, OpenError> {
        let path = files.lock();
        let file = File::create(&path).map_err(OpenError::io("create", &path))?;
        let dir = File::open(files.dir()).map_err(OpenError::io("open", files.dir()))?;
        match file.try_lock().and_then(|()| dir.try_lock()) {
            Ok(()) => Ok(Self { _file: file, _dir: dir }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { action: "lock", path, source }),
        }
    }

    /// Whether a daemon has it. Asks for it for a moment.
    pub(super) fn is_taken(files: &Files) -> bool {
        let is_locked = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        [files.lock().as_path(), files.dir()].into_iter().any(|path| File::open(path).is_ok_and(is_locked))
    }
}
