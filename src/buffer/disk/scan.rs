//! Walks a segment record by record and tells torn from damaged from unreadable.
//!
//! Reads ahead a little, or one record at a time where these are larger, and reserves no more than the file has left.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{Body, Damage, HEAD, Head};

/// Bytes read at once, so that small records do not take a call each.
const AHEAD: u64 = 128 << 10;

/// What a walk meets next.
pub(super) enum Step<'b> {
    /// A sound record.
    Record { from: u64, head: Head, body: Body<'b> },
    /// A damaged one whose end is known: the walk goes on behind it.
    Damaged { from: u64, to: u64, damage: Damage },
    /// Damage from here to the end of the file: there is no way to tell where the next record begins.
    Lost { from: u64, damage: Damage },
    /// The file ends within a record, or in zeros that were never written over.
    Torn { from: u64 },
    /// The end.
    End,
}

/// A walk over `[offset, end)` of a segment.
pub(super) struct Scan<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
    /// How far it may read ahead, at least to `end`.
    reach: u64,
    window: Window,
}

/// Bytes of the file that were read last.
#[derive(Default)]
struct Window {
    from: u64,
    length: usize,
    bytes: Vec<u8>,
}

impl Window {
    /// `length` bytes from `from` on, all of which lie before `reach`.
    fn get(&mut self, file: &File, from: u64, length: usize, reach: u64) -> io::Result<&[u8]> {
        let holds = from.checked_sub(self.from).and_then(|skip| usize::try_from(skip).ok());
        let start = match holds.filter(|start| start.saturating_add(length) <= self.length) {
            Some(start) => start,
            None => {
                let more = usize::try_from(AHEAD.min(reach.saturating_sub(from))).unwrap_or_default();
                self.read(file, from, length.max(more))?;
                0
            }
        };
        self.bytes.get(start..start + length).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn read(&mut self, file: &File, from: u64, length: usize) -> io::Result<()> {
        self.length = 0;
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
        file.read_exact_at(self.bytes.get_mut(..length).unwrap_or_default(), from)?;
        (self.from, self.length) = (from, length);
        Ok(())
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(file: &'a File, offset: u64, end: u64) -> Self {
        Self { file, offset, end, reach: end, window: Window::default() }
    }

    /// A walk over nothing yet, to be turned to ranges before `reach` one after the other.
    pub(super) fn reaching(file: &'a File, reach: u64) -> Self {
        Self { reach, ..Self::new(file, 0, 0) }
    }

    /// Goes on with `[offset, end)`; what was read ahead of it is not read again.
    pub(super) fn turn_to(&mut self, offset: u64, end: u64) {
        (self.offset, self.end) = (offset, end);
    }

    /// The byte behind what has been walked over.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The head of the next record, if it is a sound one, and the length of its payload without its codec as far as
    /// that can be told before its body was checked.
    pub(super) fn peek(&mut self) -> io::Result<Option<(Head, u32)>> {
        let Some(head) = self.head_at(self.offset)?.and_then(|bytes| Head::parse(&bytes).ok()) else {
            return Ok(None);
        };
        let last_end = head.last_end().map(|at| self.offset + HEAD as u64 + at);
        let length = match last_end.filter(|at| at.saturating_add(4) <= self.end) {
            Some(at) => self.bytes_at(at, 4)?.try_into().map_or(head.payload, u32::from_le_bytes),
            None => head.payload,
        };
        Ok(Some((head, length)))
    }

    /// One step on. After [`Step::Lost`] and [`Step::Torn`] the walk is over.
    pub(super) fn step(&mut self) -> io::Result<Step<'_>> {
        let from = self.offset;
        if from >= self.end {
            return Ok(Step::End);
        }
        let Some(bytes) = self.head_at(from)? else { return Ok(self.over(Step::Torn { from })) };
        match Head::parse(&bytes) {
            Ok(head) => self.record(from, head),
            Err(damage) => self.damaged(from, &bytes, damage),
        }
    }

    fn record(&mut self, from: u64, head: Head) -> io::Result<Step<'_>> {
        let to = from + u64::from(head.length);
        if to > self.end {
            return Ok(self.over(Step::Torn { from }));
        }
        self.offset = to;
        let body = self.bytes_at(from + HEAD as u64, head.length as usize - HEAD)?;
        Ok(match head.parse_body(body) {
            Ok(body) => Step::Record { from, head, body },
            Err(damage) => Step::Damaged { from, to, damage },
        })
    }

    /// A length that nothing vouches for is believed only if it leads to a sound head.
    fn damaged(&mut self, from: u64, bytes: &[u8; HEAD], damage: Damage) -> io::Result<Step<'_>> {
        if self.is_zero(from)? {
            return Ok(self.over(Step::Torn { from }));
        }
        let Some(to) = Head::claimed_length(bytes).map(|length| from + u64::from(length)) else {
            return Ok(self.over(Step::Lost { from, damage }));
        };
        match self.head_at(to)? {
            Some(next) if Head::parse(&next).is_ok() => {
                self.offset = to;
                Ok(Step::Damaged { from, to, damage })
            }
            _ => Ok(self.over(Step::Lost { from, damage })),
        }
    }

    fn head_at(&mut self, from: u64) -> io::Result<Option<[u8; HEAD]>> {
        if from.saturating_add(HEAD as u64) > self.end {
            return Ok(None);
        }
        Ok(self.bytes_at(from, HEAD)?.try_into().ok())
    }

    fn bytes_at(&mut self, from: u64, length: usize) -> io::Result<&[u8]> {
        self.window.get(self.file, from, length, self.reach)
    }

    fn is_zero(&mut self, from: u64) -> io::Result<bool> {
        let mut at = from;
        while at < self.end {
            let length = usize::try_from(AHEAD.min(self.end - at)).unwrap_or_default();
            if self.bytes_at(at, length)?.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }

    fn over(&mut self, step: Step<'static>) -> Step<'static> {
        self.offset = self.end;
        step
    }
}
