//! Walks a segment record by record and tells torn from damaged from unreadable.
//!
//! Reads ahead a little, or one record at a time where these are larger, and reserves no more than the file has left.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::header::{SEGMENT_HEADER, SegmentHeader};
use super::record::{Body, Damage, HEAD, Head};
use super::salt::Salt;
use super::search::Search;

/// Bytes read at once, so that small records do not take a call each.
const AHEAD: u64 = 128 << 10;

/// What a walk meets next.
pub(super) enum Step<'b> {
    /// A sound record.
    Record { from: u64, head: Head, body: Body<'b> },
    /// Damage up to where the next record begins: the walk goes on there. A sound head tells what is lost by it.
    Damaged { from: u64, to: u64, damage: Damage, head: Option<Head> },
    /// Damage from here to the end of the file: nothing behind it tells that it is a record.
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
    /// The segment's salt, once it was asked for.
    salt: Option<Option<Salt>>,
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
        Self { file, offset, end, reach: end, window: Window::default(), salt: None }
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
            Err(damage) => self.damaged_head(from, &bytes, damage),
        }
    }

    fn record(&mut self, from: u64, head: Head) -> io::Result<Step<'_>> {
        let to = from + u64::from(head.length);
        let length = head.length as usize - HEAD;
        if to > self.end || !head.fits(self.bytes_at(from + HEAD as u64, length)?) {
            return self.damaged_body(from, to, head);
        }
        self.offset = to;
        Ok(match head.parse_body(self.bytes_at(from + HEAD as u64, length)?) {
            Ok(body) => Step::Record { from, head, body },
            Err(damage) => Step::Damaged { from, to, damage, head: Some(head) },
        })
    }

    /// Goes on at `to`, where a sound head says that the record ends, unless the next one begins elsewhere: bytes may have
    /// come in between, or be missing.
    fn damaged_body(&mut self, from: u64, to: u64, head: Head) -> io::Result<Step<'static>> {
        let next = match self.search()? {
            Some(search) if to != self.end && !search.vouches(to)? => search.next(from + 1)?,
            _ => None,
        };
        let Some(to) = next.or(Some(to)).filter(|to| *to <= self.end) else {
            return Ok(self.over(Step::Torn { from }));
        };
        self.offset = to;
        Ok(Step::Damaged { from, to, damage: Damage::Checksum, head: Some(head) })
    }

    fn damaged_head(&mut self, from: u64, bytes: &[u8; HEAD], damage: Damage) -> io::Result<Step<'static>> {
        if self.is_zero(from)? {
            return Ok(self.over(Step::Torn { from }));
        }
        let next = match self.search()? {
            Some(search) => search.next(from + 1)?,
            None => self.claimed_end(from, bytes)?,
        };
        let Some(to) = next else { return Ok(self.over(Step::Lost { from, damage })) };
        self.offset = to;
        Ok(Step::Damaged { from, to, damage, head: None })
    }

    /// A length that nothing vouches for is believed only if it leads to a sound head.
    fn claimed_end(&mut self, from: u64, bytes: &[u8; HEAD]) -> io::Result<Option<u64>> {
        let Some(length) = Head::claimed_length(bytes) else { return Ok(None) };
        let to = from + u64::from(length);
        Ok(self.head_at(to)?.filter(|next| Head::parse(next).is_ok()).map(|_| to))
    }

    /// A search for records, where the segment has a salt to tell them by.
    fn search(&mut self) -> io::Result<Option<Search<'a>>> {
        let salt = match self.salt {
            Some(salt) => salt,
            None => *self.salt.insert(salt(self.file)?),
        };
        Ok(salt.map(|salt| Search { file: self.file, salt, end: self.end }))
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

/// What the segment's header tells; nothing if that is damaged.
fn salt(file: &File) -> io::Result<Option<Salt>> {
    let mut bytes = [0; SEGMENT_HEADER];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(SegmentHeader::parse(&bytes).ok().and_then(|header| header.salt))
}
