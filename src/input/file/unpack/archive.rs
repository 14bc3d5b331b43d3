//! Members of a tar archive, one after the other: old, POSIX (ustar, pax) and GNU.
//!
//! Invariants: a header is believed only with its checksum; behind one that is damaged, the next one that can be believed is
//! looked for, a block at a time, and told once. Names and records that are longer than a header holds are read up to
//! [`LONGEST`], whatever they say of themselves. An archive without its end mark is cut, even where it ends behind a member:
//! others may have followed. Behind the mark it goes on: archives are put one behind the other, and what compresses them has
//! to be read to its end for its checksum.
//!
//! `tar::Archive` is not used: it stops at the first damaged header, and reads long names without a bound.

use std::io::{self, Read};

use super::fault::{Trouble, UnpackFault};
use super::header::{self, BLOCK, Extras, Member};
use crate::input::file::ahead::Ahead;

/// The longest name, or set of pax records, that is read.
const LONGEST: u64 = 256 << 10;

/// See the module; what is read is the content of the member that was told last.
pub(super) struct Archive<'a, 'b> {
    input: &'a mut Ahead<'b>,
    /// Bytes of the archive that were read.
    at: u64,
    /// Bytes of the member that were not.
    left: u64,
    /// What fills its last block.
    padding: u64,
    /// Zeros were last.
    has_ended: bool,
    /// Headers are looked for behind damage, which was told.
    is_lost: bool,
    /// Nothing more can be read, and who reads was told why.
    is_over: bool,
}

impl<'a, 'b> Archive<'a, 'b> {
    /// `input` begins with a header.
    pub(super) fn new(input: &'a mut Ahead<'b>) -> Self {
        Self { input, at: 0, left: 0, padding: 0, has_ended: false, is_lost: false, is_over: false }
    }

    /// The next member, behind what is left of the last; `None` at the end. It may go on behind an error.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        if self.is_over {
            return Ok(None);
        }
        // why: whatever ends it is told once. Only a member, or damage that is passed over, is followed by anything.
        self.is_over = true;
        self.skip()?;
        self.member()
    }

    fn member(&mut self) -> io::Result<Option<Member>> {
        let mut extras = Extras::default();
        loop {
            let Some(block) = self.header()? else { return Ok(None) };
            let size = extras.size.unwrap_or(block.size);
            match block.type_flag {
                b'L' => extras.name(&self.record(block.size)?),
                b'x' | b'X' => extras.pax(&self.record(block.size)?),
                b'K' | b'g' => {
                    self.enter(block.size);
                    self.skip()?;
                }
                _ => {
                    let member = extras.member(block);
                    self.enter(if member.has_bytes() { size } else { 0 });
                    self.is_over = false;
                    return Ok(Some(member));
                }
            }
        }
    }

    /// The next header that can be believed.
    fn header(&mut self) -> io::Result<Option<header::Block>> {
        loop {
            let block = self.input.look(BLOCK);
            let (length, is_zero) = (block.len(), block.iter().all(|byte| *byte == 0));
            let header = header::read(block);
            if length < BLOCK && !(is_zero && self.has_ended) {
                return self.cut(length);
            }
            if length == 0 {
                return self.input.more().map(|_| None);
            }
            self.passed(length);
            if let Some(header) = header {
                (self.has_ended, self.is_lost) = (false, false);
                return Ok(Some(header));
            }
            self.has_ended |= is_zero;
            if !is_zero && !std::mem::replace(&mut self.is_lost, true) {
                self.is_over = false;
                return Err(self.fault(if self.has_ended { Trouble::Followed } else { Trouble::Damaged }));
            }
        }
    }

    /// The end inside a block, or an error from below it.
    fn cut<T>(&mut self, length: usize) -> io::Result<T> {
        self.passed(length);
        self.input.more()?;
        Err(self.fault(Trouble::Cut))
    }

    /// All of a member that tells about the next one.
    fn record(&mut self, size: u64) -> io::Result<Vec<u8>> {
        self.enter(size);
        let mut bytes = Vec::new();
        self.by_ref().take(LONGEST).read_to_end(&mut bytes)?;
        self.skip()?;
        Ok(bytes)
    }

    fn enter(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Passes over what is left of a member.
    fn skip(&mut self) -> io::Result<()> {
        while self.left > 0 || self.padding > 0 {
            let left = if self.left > 0 { &mut self.left } else { &mut self.padding };
            let rest = self.input.rest().len() as u64;
            let count = rest.min(*left);
            *left -= count;
            self.at = self.at.saturating_add(count);
            self.input.consume(usize::try_from(count).unwrap_or(usize::MAX));
            if rest == 0 && self.input.more()? == 0 {
                return Err(self.fault(Trouble::Cut));
            }
        }
        Ok(())
    }

    fn passed(&mut self, count: usize) {
        self.input.consume(count);
        self.at = self.at.saturating_add(count as u64);
    }

    fn fault(&self, trouble: Trouble) -> io::Error {
        UnpackFault { what: "tar", at: self.at, trouble }.into()
    }
}

impl Read for Archive<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let into = into.get_mut(..room).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        let read = match self.input.read(into) {
            Ok(0) => Err(self.fault(Trouble::Cut)),
            read => read,
        };
        self.is_over |= read.is_err();
        let count = read? as u64;
        self.left -= count.min(self.left);
        self.at = self.at.saturating_add(count);
        Ok(room.min(usize::try_from(count).unwrap_or(usize::MAX)))
    }
}
