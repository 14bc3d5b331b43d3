//! The lines of one content as blocks of events.

use std::io::{self, Read};

use super::block::{Block, Fixed};
use super::form::{Carried, Form, Unwrap};
use super::zeros;
use super::{Line, Lines, Mark, Rest, Resting};
use crate::event::Timestamp;

/// What was noticed of lines that are not as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oddities {
    /// Lines that were longer than any may be, and were cut.
    pub(crate) cut_lines: u64,
    /// Bytes of zeros in place of text, as a crash leaves them; they were left out.
    pub(crate) zeros: u64,
}

/// Lines cut out of `R`, as blocks.
pub(crate) struct Blocks<R> {
    lines: Lines<R>,
    unwrap: Unwrap,
    fixed: Fixed,
    /// The time of lines that say none.
    time: Option<Timestamp>,
    oddities: Oddities,
    /// Where the last line began.
    last: Option<Mark>,
    /// Whether parts of lines that have no rest here are left for the next file.
    is_carrying: bool,
    /// What stands between zeros.
    piece: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    /// The lines of the form `form` that stand in `from`, whose first byte is at `mark`; no event is longer than `limit`.
    pub(crate) fn new(from: R, mark: Mark, form: Form, fixed: Fixed, limit: usize) -> Self {
        let (lines, unwrap) = (Lines::new(from, mark, limit), Unwrap::new(form, limit));
        Self {
            lines,
            unwrap,
            fixed,
            time: None,
            oddities: Oddities::default(),
            last: None,
            is_carrying: false,
            piece: Vec::new(),
        }
    }

    /// Gives lines that say no time this one.
    pub(crate) fn with_time(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }

    /// Gives lines of a container that say no labels these.
    pub(crate) fn with_labels(mut self, labels: Fixed) -> Self {
        self.unwrap.set_labels(labels);
        self
    }

    /// Leaves parts of lines that have no rest here, where the file `goes_on` in another.
    pub(crate) fn carrying(mut self, goes_on: bool) -> Self {
        self.is_carrying = goes_on;
        self
    }

    /// Goes on with lines that began in the file before.
    pub(crate) fn carry_on(&mut self, carried: Carried) {
        self.unwrap.carry_on(carried);
    }

    /// Parts of lines that have no rest here.
    pub(crate) fn take_parts(&mut self) -> Carried {
        self.unwrap.take_parts()
    }

    /// The same, which stay here too: where they begin is where it is to be read from until they are safe elsewhere.
    pub(crate) fn lend_parts(&self) -> Option<Carried> {
        self.unwrap.lend_parts()
    }

    /// What was noticed so far.
    pub(crate) fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// Where the bytes come from.
    pub(crate) fn source(&self) -> &R {
        self.lines.source()
    }

    /// The lines below.
    pub(crate) fn lines(&mut self) -> &mut Lines<R> {
        &mut self.lines
    }

    /// Fills `block`, which is empty, until it is full or there is no more now; what is in it stands where it fails, too.
    pub(crate) fn fill(&mut self, block: &mut Block, rest: Rest) -> io::Result<()> {
        let filled = self.fill_with_lines(block, rest);
        if rest == Rest::IsLine && !self.is_carrying && matches!(filled, Ok(false)) {
            self.unwrap.end(block, &self.fixed);
        }
        block.end = match self.unwrap.waits_from() {
            Some(mark) => Resting { mark, last: None },
            None => Resting { mark: self.lines.mark(), last: self.last },
        };
        filled.map(drop)
    }

    /// Whether there may be more.
    fn fill_with_lines(&mut self, block: &mut Block, rest: Rest) -> io::Result<bool> {
        while !block.is_full() {
            let Some(line) = self.lines.next(rest)? else { return Ok(false) };
            self.oddities.cut_lines += u64::from(line.length > line.bytes.len() as u64);
            self.last = Some(line.start);
            if memchr::memchr(0, line.bytes).is_some() {
                let mut taking = Taking { unwrap: &mut self.unwrap, time: self.time, fixed: &self.fixed };
                self.oddities.zeros += taking.pieces(&line, block, &mut self.piece);
            } else if !line.bytes.is_empty() {
                let id = line.end.id(line.start);
                self.unwrap.line((line.bytes, line.start, id), self.time, block, &self.fixed);
            }
        }
        Ok(true)
    }
}

/// What takes lines, while one of them is borrowed.
struct Taking<'b> {
    unwrap: &'b mut Unwrap,
    time: Option<Timestamp>,
    fixed: &'b Fixed,
}

impl Taking<'_> {
    /// Takes what stands between the zeros of `line`; how many these are.
    fn pieces(&mut self, line: &Line<'_>, block: &mut Block, piece: &mut Vec<u8>) -> u64 {
        let (mut rest, mut id, mut text) = (line.bytes, line.end.id(line.start), 0);
        while zeros::next_piece(&mut rest, piece) {
            self.unwrap.line((piece, line.start, id), self.time, block, self.fixed);
            // why: a line has one id; what stands behind a hole in it has another, the same whenever it is read.
            id = id.plus(1);
            text += piece.len();
        }
        line.zeros + (line.bytes.len() - text) as u64
    }
}
