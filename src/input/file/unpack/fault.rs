//! What is wrong with packed bytes, apart from errors of the file system.

use std::io::{self, ErrorKind};

/// Why no more comes out of packed bytes; [`UnpackFault::of`] finds it in what a reader answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {trouble}, behind {at} bytes of its content")]
pub struct UnpackFault {
    /// The format, as its own program is called.
    pub what: &'static str,
    /// Bytes that came out before; for tar, its own.
    pub at: u64,
    /// What it is.
    pub trouble: Trouble,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The end is missing.
    #[error("that is cut short")]
    Cut,
    /// Bytes, a checksum or a header are not what they were, or never were what they seem.
    #[error("that is damaged")]
    Damaged,
    /// It ends well, but the file does not end there.
    #[error("that is followed by something else")]
    Followed,
    /// More than a window of 128 MiB is asked for.
    #[error("that needs more than 128 MiB of memory")]
    TooLarge,
}

impl UnpackFault {
    /// The fault that `error` is, if it is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<UnpackFault> for io::Error {
    fn from(fault: UnpackFault) -> Self {
        let kind = match fault.trouble {
            Trouble::Cut => ErrorKind::UnexpectedEof,
            Trouble::Damaged | Trouble::Followed => ErrorKind::InvalidData,
            Trouble::TooLarge => ErrorKind::Unsupported,
        };
        Self::new(kind, fault)
    }
}
