//! What readers of files hand on, and to whom.

use std::io;
use std::ops::ControlFlow;

use super::values::Stop;
use super::{Block, Line, Mark, Resting, Sheet};
use crate::decode::Frame;
use crate::encode::IdBase;

/// Who takes what a reader has found; a break ends the reading.
pub(crate) trait Take {
    /// Events, for the pipeline.
    fn block(&mut self, block: &Block) -> ControlFlow<()>;

    /// Documents that are ready.
    fn sheet(&mut self, sheet: &Sheet) -> ControlFlow<()>;

    /// A frame as a connection was sent it, always with a chunk; it ends at `end`.
    fn frame(&mut self, frame: &Frame<'_>, end: Mark) -> ControlFlow<()>;

    /// Something that whoever reads the report should know.
    fn remark(&mut self, remark: Remark);
}

/// See [`Take::remark`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Remark {
    /// Nothing behind this byte can be read.
    #[error("nothing can be read from byte {at} on: {why}")]
    Ends {
        /// From the beginning of the content.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// A checksum says that something is not what was written; what can be read is taken all the same.
    #[error("its checksum does not fit, though what can be read was taken")]
    Checksum,
    /// What is no event and no document was passed over, so many times.
    #[error("{what} passed over: {count}")]
    PassedOver {
        /// What it was, in the plural.
        what: &'static str,
        /// How often.
        count: u64,
    },
    /// What was to be an event or a document was not taken, so many times.
    #[error("{what} not taken: {count}")]
    NotTaken {
        /// What it was, in the plural.
        what: &'static str,
        /// How often.
        count: u64,
    },
    /// Something about the content as a whole.
    #[error("{0}")]
    About(&'static str),
}

/// Gathers events and documents until there are enough of them to be handed on.
pub(super) struct Outlet<'t> {
    pub(super) take: &'t mut dyn Take,
    pub(super) block: Block,
    pub(super) sheet: Sheet,
}

impl<'t> Outlet<'t> {
    pub(super) fn new(take: &'t mut dyn Take, tag: &str) -> Self {
        Self { take, block: Block::of(tag), sheet: Sheet::new(tag) }
    }

    /// Adds one entry, `[time, record]`, that ends at `end`.
    pub(super) fn entry(&mut self, id: IdBase, entry: &[u8], end: Mark) -> ControlFlow<()> {
        self.block.entry(id, entry);
        self.added(Resting { mark: end, last: None })
    }

    /// What was added to the block or the sheet last ends with `line`.
    pub(super) fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        self.added(Resting { mark: line.end, last: Some(line.start) })
    }

    /// What was added to the block or the sheet last ends at `end`.
    pub(super) fn added(&mut self, end: Resting) -> ControlFlow<()> {
        (self.block.end, self.sheet.end) = (end, end);
        if self.block.is_full() || self.sheet.is_full() { self.flush() } else { ControlFlow::Continue(()) }
    }

    /// From here on, events and documents have another tag.
    pub(super) fn set_tag(&mut self, tag: &[u8]) -> ControlFlow<()> {
        if self.block.tag != tag {
            self.flush()?;
            self.block.tag = tag.into();
            self.sheet.tag = tag.into();
        }
        ControlFlow::Continue(())
    }

    /// Hands on what there is.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        if !self.block.is_empty() {
            self.take.block(&self.block)?;
            self.block.clear();
        }
        if !self.sheet.is_empty() {
            self.take.sheet(&self.sheet)?;
            self.sheet.clear();
        }
        ControlFlow::Continue(())
    }

    /// Hands on what there is, and tells why there is no more behind the byte `at`.
    pub(super) fn end(&mut self, stop: Option<Stop>, at: u64) -> io::Result<()> {
        if self.flush().is_break() {
            return Ok(());
        }
        match stop {
            Some(Stop::Io(error)) => return Err(error),
            Some(stop) => self.take.remark(Remark::Ends { at, why: stop.to_string() }),
            None => (),
        }
        Ok(())
    }

    /// Tells that so many were passed over, if any were.
    pub(super) fn passed_over(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            self.take.remark(Remark::PassedOver { what, count });
        }
    }

    /// Tells that so many were to be taken and were not, if any were.
    pub(super) fn not_taken(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            self.take.remark(Remark::NotTaken { what, count });
        }
    }
}
