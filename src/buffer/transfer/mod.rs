//! What waits in one buffer, taken out as a file or into another buffer.
//!
//! Only what waits is moved: batches that are not settled, and parts that no batch supersedes. Batches keep their order
//! and their documents their ids, so that a target which has seen one knows it again.

mod cargo;
mod export;
mod import;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use super::OpenError;
use super::disk::record::Kind;
use super::disk::{Cause, DiskError, Wound};

pub(crate) use export::export;
pub(crate) use import::import;

/// What was moved, and what could not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) batches: u64,
    pub(crate) documents: u64,
    /// Parts of docker lines that wait for the rest.
    pub(crate) parts: u64,
    /// Of all segments that were written.
    pub(crate) bytes: u64,
    /// Documents and parts that the buffer had already.
    pub(crate) known: u64,
    /// What could not be read of where they came from.
    pub(crate) wounds: Vec<Wound>,
}

impl Moved {
    fn count(&mut self, kind: Kind, documents: u64) {
        match kind {
            Kind::Batch => {
                self.batches += 1;
                self.documents += documents;
            }
            Kind::Part => self.parts += 1,
        }
    }
}

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    /// A buffer that cannot be read or locked.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No room.
    #[error("{0}; nothing has been imported")]
    Full(DiskError),
    /// A file that cannot be written.
    #[error("{path}: cannot write: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A buffer to be imported into that a daemon works on.
    #[error("{0}: a daemon works on this buffer; stop it first")]
    Locked(PathBuf),
    /// A buffer to be imported that a daemon works on.
    #[error(
        "{0}: a daemon works on it and delivers what is in it; import an export of it, or stop the daemon"
    )]
    InUse(PathBuf),
    /// A buffer to be imported into itself.
    #[error("{0}: is the buffer that is imported into")]
    Itself(PathBuf),
    /// The buffer that is imported into cannot be started on.
    #[error("{}: {}", .0.path.display(), .0.cause)]
    Unusable(Wound),
}

impl TransferError {
    fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }

    /// Whether the reader of what is written has gone away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Whether a start would refuse a buffer for this.
fn is_refused(wound: &Wound) -> bool {
    matches!(wound.cause, Cause::Version(_))
}
