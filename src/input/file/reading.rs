//! How a content is read that is more than lines; lines are the business of [`Blocks`](super::Blocks).

use std::io::{self, Read};
use std::path::Path;

use super::take::Take;
use super::{Kind, Mark, dead_letters, documents, fluent_bit, fluentd, forward, out_file, segment};
use crate::encode::IdBase;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// Where the file is, for what has to be opened there; nothing for what came out of an archive or a pipe.
    pub(crate) path: Option<&'a Path>,
    /// How far it was read before; of use to kinds that [go on](Kind::goes_on), others are read from their beginning.
    pub(crate) from: Mark,
    /// The tag of events and documents that say none themselves.
    pub(crate) tag: &'a str,
    /// What [`fluentd::sent`] says.
    pub(crate) sent: Option<IdBase>,
    /// The longest that a line may be.
    pub(crate) longest: usize,
    /// Whether documents go to the index that they come from, where they say so.
    pub(crate) keeps_index: bool,
    /// Whether documents are events, for the pipeline.
    pub(crate) as_events: bool,
}

/// As long as a text may be that a listener takes by default, so that no document of ours is longer for a text alone.
const DOCUMENT: usize = 16 << 20;

impl Reading<'_> {
    /// The longest that a document may be: unlike a line it is of no use without its end.
    pub(super) fn longest_document(&self) -> usize {
        self.longest.max(DOCUMENT)
    }
}

impl Kind {
    /// Whether one that was read before can be gone on with from any mark that was handed on.
    pub(crate) fn goes_on(self) -> bool {
        matches!(self, Self::Lines(_) | Self::OutFile | Self::Documents(_) | Self::DeadLetters)
    }

    /// Hands on all that is in `from`, unless it is lines or nothing to read; whose bytes are unpacked, and where they are text decoded; stands at `reading.from` where
    /// this kind goes on. What was read before an error is handed on.
    pub(crate) fn read(
        self,
        from: &mut dyn Read,
        reading: &Reading<'_>,
        take: &mut dyn Take,
    ) -> io::Result<()> {
        match self {
            Self::OutFile => out_file::read(from, reading, take),
            Self::Documents(documents) => documents::read(from, documents, reading, take),
            Self::DeadLetters => dead_letters::read(from, reading, take),
            Self::FluentdChunk => fluentd::read(from, reading, take),
            Self::FluentBitChunk => fluent_bit::read(from, reading, take),
            Self::Forward => forward::read(from, reading, take),
            Self::Segment => segment::read(reading, take),
            Self::Lines(_) | Self::Beside(_) | Self::Binary(_) => Ok(()),
        }
    }
}
