//! All members of a compressed file, one after the other, as one stream of bytes.
//!
//! Zeros may follow a member, as tapes and files that were reserved have them; anything else that is no member is a fault,
//! told behind the last byte.

use std::io::{self, Read};

use super::codec::Codec;
use super::fault::{Trouble, UnpackFault};
use super::kind::Packing;
use crate::input::file::ahead::Ahead;

/// The longest mark that a member begins with.
const MARK: usize = 6;

/// See the module.
pub(super) struct Unpacked<'a, 'b> {
    packing: Packing,
    input: &'a mut Ahead<'b>,
    /// None before the first member.
    codec: Option<Codec>,
    state: State,
    /// Bytes that have come out.
    at: u64,
}

enum State {
    /// Where a member may begin.
    Between,
    Within,
    /// Told to whoever reads on.
    Broken(UnpackFault),
}

impl<'a, 'b> Unpacked<'a, 'b> {
    /// `input` begins with the mark of `packing`.
    pub(super) fn new(packing: Packing, input: &'a mut Ahead<'b>) -> Self {
        Self { packing, input, codec: None, state: State::Between, at: 0 }
    }

    /// Finds the next member; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let is_marked = self.packing.begins(self.input.look(MARK));
            let rest = self.input.rest();
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            if zeros > 0 {
                self.input.consume(zeros);
            } else if rest.is_empty() {
                if self.input.more()? == 0 {
                    return Ok(false);
                }
            } else if is_marked {
                self.start().map_err(|trouble| self.broken(trouble))?;
                return Ok(true);
            } else {
                return Err(self.broken(Trouble::Followed).into());
            }
        }
    }

    fn start(&mut self) -> Result<(), Trouble> {
        match &mut self.codec {
            Some(codec) => codec.restart(self.packing)?,
            none => *none = Some(Codec::new(self.packing)?),
        }
        self.state = State::Within;
        Ok(())
    }

    fn broken(&mut self, trouble: Trouble) -> UnpackFault {
        let fault = UnpackFault { what: self.packing.name(), at: self.at, trouble };
        self.state = State::Broken(fault);
        fault
    }

    /// None where the member has ended without giving more.
    fn advance(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(codec) = &mut self.codec else { return Ok(None) };
        let step = codec.step(self.input.rest(), into);
        self.input.consume(step.read);
        self.at += step.written as u64;
        match step.is_end {
            Ok(true) => self.state = State::Between,
            Ok(false) if step.read == 0 && step.written == 0 => self.refill()?,
            Ok(false) => {}
            Err(trouble) => {
                let fault = self.broken(trouble);
                if step.written == 0 {
                    return Err(fault.into());
                }
            }
        }
        Ok(Some(step.written).filter(|written| *written > 0))
    }

    fn refill(&mut self) -> io::Result<()> {
        if !self.input.rest().is_empty() {
            // why: a decoder that wants none of what there is would be asked for ever.
            return Err(self.broken(Trouble::Damaged).into());
        }
        if self.input.more()? == 0 {
            return Err(self.broken(Trouble::Cut).into());
        }
        Ok(())
    }
}

impl Read for Unpacked<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match self.state {
                State::Between => (!self.begin()?).then_some(0),
                State::Within => self.advance(into)?,
                State::Broken(fault) => return Err(fault.into()),
            };
            if let Some(read) = read {
                return Ok(read);
            }
        }
    }
}
