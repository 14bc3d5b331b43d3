//! Walks a segment record by record and tells torn from damaged from unreadable.
//!
//! Reads one record at a time, and reserves no more than the file has left.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{Body, Damage, HEAD, Head};

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
    bytes: Vec<u8>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(file: &'a File, offset: u64, end: u64) -> Self {
        Self { file, offset, end, bytes: Vec::new() }
    }

    /// The byte behind what has been walked over.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The head of the next record, if it is a sound one.
    pub(super) fn peek(&self) -> io::Result<Option<Head>> {
        Ok(self.head_at(self.offset)?.and_then(|bytes| Head::parse(&bytes).ok()))
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
        self.bytes.resize(head.length as usize - HEAD, 0);
        self.file.read_exact_at(&mut self.bytes, from + HEAD as u64)?;
        self.offset = to;
        Ok(match head.parse_body(&self.bytes) {
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

    fn head_at(&self, from: u64) -> io::Result<Option<[u8; HEAD]>> {
        if from.saturating_add(HEAD as u64) > self.end {
            return Ok(None);
        }
        let mut bytes = [0; HEAD];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(Some(bytes))
    }

    fn is_zero(&self, from: u64) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let mut at = from;
        while at < self.end {
            let length = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(chunk.len());
            self.file.read_exact_at(&mut chunk[..length], at)?;
            if chunk[..length].iter().any(|byte| *byte != 0) {
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
