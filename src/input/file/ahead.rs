//! A reader that can be looked into before anything is taken from it.
//!
//! Invariants: bytes come in their order, each once; an error comes where it happened, behind the bytes before it, and as it
//! was. What is read past the buffer goes straight to the reader's own.

use std::io::{self, ErrorKind, Read};

/// What is read at a time for those who take from the buffer.
const ROOM: usize = 128 << 10;

/// See the module.
pub(super) struct Ahead<'a> {
    from: &'a mut dyn Read,
    buffer: Vec<u8>,
    /// The first byte that has not been taken.
    start: usize,
    /// Behind the last byte that has been read.
    end: usize,
    /// Met while looking ahead.
    failed: Option<io::Error>,
}

impl<'a> Ahead<'a> {
    /// Nothing is read yet.
    pub(super) fn new(from: &'a mut dyn Read) -> Self {
        Self { from, buffer: Vec::new(), start: 0, end: 0, failed: None }
    }

    /// What has been read and not been taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes the first `count` bytes of the rest.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// The next `count` bytes, or all up to the end or an error, which waits for who reads as far.
    pub(super) fn look(&mut self, count: usize) -> &[u8] {
        while self.rest().len() < count && self.failed.is_none() {
            match self.read_behind(count) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => self.failed = Some(error),
            }
        }
        let rest = self.rest();
        rest.get(..count).unwrap_or(rest)
    }

    /// Reads on behind the rest; 0 at the end.
    pub(super) fn more(&mut self) -> io::Result<usize> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.read_behind(ROOM),
        }
    }

    fn read_behind(&mut self, room: usize) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() < room.max(self.end + 1) {
            self.buffer.resize(room.max(self.end + 1), 0);
        }
        let behind = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = read_uninterrupted(self.from, behind)?;
        self.end += read;
        Ok(read)
    }
}

/// As [`Read::read`], whatever interrupts it.
pub(super) fn read_uninterrupted(from: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.start < self.end {
            let read = self.rest().read(into)?;
            self.consume(read);
            return Ok(read);
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.from.read(into),
        }
    }
}
