//! What can go wrong with the buffer's directory, at the start and while running.

use std::io;
use std::path::PathBuf;

/// Why a buffer cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon works on the directory.
    #[error("{path}: locked by another daemon; each needs a data directory of its own")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A segment of a version that this build cannot read.
    #[error(
        "{path}: segment format version {found}, but only versions up to {known} are known here; \
         start the release that wrote it and let it drain, or move the file away"
    )]
    Version {
        /// The segment.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The highest of ours.
        known: u32,
    },
    /// The file system said no. Nothing has been taken for corrupt because of it.
    #[error("{path}: cannot {action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Whether a later start can succeed without anybody touching the directory.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Puts an I/O error next to what was being done to which file.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// Why records could not be written now. Every one of them is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error("cannot {action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{used} bytes on disk and {more} more would exceed the disk budget of {limit}")]
    Budget { used: u64, more: u64, limit: u64 },
    #[error("{free} bytes are free on the file system and {more} more {}", beyond(*limit))]
    MinFree { free: u64, more: u64, limit: u64 },
}

fn beyond(limit: u64) -> String {
    match limit {
        0 => "are to be written".to_owned(),
        limit => format!("would leave less than min_free and min_free_percent ask for, {limit}"),
    }
}

impl DiskError {
    /// Puts an I/O error next to what was being done to which file.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Whether only room is missing, so that the segment is sound and goes on when there is some.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Budget { .. } | Self::MinFree { .. })
    }

    /// Whether deleting segments helps.
    pub(crate) fn wants_room(&self) -> bool {
        self.kind() == "full"
    }

    /// The word under which it is counted.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => "full",
            Self::Io { action, .. } => action,
            Self::Budget { .. } | Self::MinFree { .. } => "full",
        }
    }
}
