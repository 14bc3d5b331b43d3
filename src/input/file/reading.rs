//! How a content is read, whatever its kind.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use super::take::{Remark, Take};
use super::{Block, Blocks, Fixed, Kind, Mark, Rest};
use super::{dead_letters, documents, fluent_bit, fluentd, forward, out_file, segment};
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
    /// Fields of all lines.
    pub(crate) fixed: &'a Fixed,
    /// What [`fluentd::sent`] says.
    pub(crate) sent: Option<IdBase>,
    /// The longest that a line, an entry, a frame or a document may be.
    pub(crate) longest: usize,
    /// Whether documents go to the index that they come from, where they say so.
    pub(crate) keeps_index: bool,
    /// Whether documents are events, for the pipeline.
    pub(crate) as_events: bool,
}

impl Kind {
    /// Whether one that was read before can be gone on with from any mark that was handed on.
    pub(crate) fn goes_on(self) -> bool {
        matches!(self, Self::Lines(_) | Self::OutFile | Self::Documents(_) | Self::DeadLetters)
    }

    /// Hands on all that is in `from`, whose bytes are unpacked, and where they are text decoded; stands at `reading.from` where
    /// this kind goes on. What was read before an error is handed on.
    pub(crate) fn read(
        self,
        from: &mut dyn Read,
        reading: &Reading<'_>,
        take: &mut dyn Take,
    ) -> io::Result<()> {
        match self {
            Self::Lines(form) => {
                let blocks = Blocks::new(from, reading.from, form, reading.fixed.clone(), reading.longest);
                lines(blocks, reading.tag, take)
            }
            Self::OutFile => out_file::read(from, reading, take),
            Self::Documents(documents) => documents::read(from, documents, reading, take),
            Self::DeadLetters => dead_letters::read(from, reading, take),
            Self::FluentdChunk => fluentd::read(from, reading, take),
            Self::FluentBitChunk => fluent_bit::read(from, reading, take),
            Self::Forward => forward::read(from, reading, take),
            Self::Segment => segment::read(reading, take),
            Self::Beside(_) | Self::Binary(_) => Ok(()),
        }
    }
}

fn lines<R: Read>(mut blocks: Blocks<R>, tag: &str, take: &mut dyn Take) -> io::Result<()> {
    let mut block = Block::new(tag);
    loop {
        block.clear();
        let filled = blocks.fill(&mut block, Rest::IsLine);
        let is_over = filled.is_err() || block.is_empty();
        if (!block.is_empty() && take.block(&block) == ControlFlow::Break(())) || is_over {
            let oddities = blocks.oddities();
            for (what, count) in
                [("ends of lines that were too long", oddities.cut_lines), ("bytes of 0", oddities.zeros)]
            {
                if count > 0 {
                    take.remark(Remark::PassedOver { what, count });
                }
            }
            return filled;
        }
    }
}
