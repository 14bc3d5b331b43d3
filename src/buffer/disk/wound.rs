//! What is wrong with a file of the buffer, for people: where, and what it costs.

use std::fmt;
use std::path::PathBuf;

use super::header::PACKED;
use super::record::Damage;

/// Bytes of a file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wound {
    /// The segment, its marks or its index.
    pub(crate) path: PathBuf,
    /// The first byte.
    pub(crate) from: u64,
    /// The byte behind the last.
    pub(crate) to: u64,
    /// What is wrong with them.
    pub(crate) cause: Cause,
}

impl Wound {
    /// Whether everything that waits can be read all the same.
    pub(crate) fn is_harmless(&self) -> bool {
        self.cause == Cause::Index
    }
}

impl fmt::Display for Wound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: bytes {} to {}: {}", self.path.display(), self.from, self.to, self.cause)
    }
}

/// What is wrong, and what a start makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cause {
    #[error(
        "the segment's header is damaged; a start makes a new one and goes on with the records behind it"
    )]
    Header,
    #[error(
        "the segment's header is damaged and no record follows it; a start moves the whole file to quarantine"
    )]
    NoSegment,
    #[error("the segment is of format version {0}, but only versions up to {PACKED} are known here")]
    Version(u32),
    #[error("a record is damaged: {0}; a start moves it to quarantine and goes on behind it")]
    Record(Damage),
    #[error(
        "a record is damaged: {0}; nothing behind it tells that it is a record, so that all from here on is lost"
    )]
    Rest(Damage),
    #[error(
        "cut short: what a crash interrupted, and nobody was told to be safe; or a copy that is not whole"
    )]
    Torn,
    #[error("delivery marks are damaged; their documents go out once more, under the ids that they had")]
    Marks,
    #[error("delivery marks of a segment that is not here")]
    Orphan,
    #[error(
        "the index does not tell what is in its segment; it is passed over where its checksum says so, and can be deleted"
    )]
    Index,
}

impl Cause {
    /// A word for machines.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Header | Self::NoSegment => "header",
            Self::Version(_) => "version",
            Self::Record(_) => "record",
            Self::Rest(_) => "rest",
            Self::Torn => "torn",
            Self::Marks => "marks",
            Self::Orphan => "orphan",
            Self::Index => "index",
        }
    }
}
