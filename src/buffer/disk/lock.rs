//! One daemon per directory. The lock is the kernel's, so it goes with the process however that ends.

use std::fs::{File, TryLockError};

use super::{Files, OpenError};

/// Held as long as the buffer works on its directory.
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock, or says who cannot have it.
    pub(crate) fn take(files: &Files) -> Result<Self, OpenError> {
        let path = files.lock();
        let file = File::create(&path).map_err(OpenError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(OpenError::Io { action: "lock", path, source }),
        }
    }
}
