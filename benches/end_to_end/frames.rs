//! What a connection sends: blocks of bytes, encoded before the clock starts.
//!
//! Invariants: a block is one write and, but in Message mode, one frame; the places of its sequence numbers are
//! known, so that it is sent again with new numbers by patching bytes. Compressed blocks cannot be patched:
//! they are all made beforehand.
#![allow(clippy::disallowed_types, reason = "a sender's side of gzip: the daemon has its own door to it")]

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::{Compression, write::GzEncoder};
use memchr::memmem;
use rmp::encode::{write_array_len, write_bin, write_map_len, write_str, write_uint};

use crate::Fault;
use crate::record;
use crate::scenario::{Mode, Scenario};

/// What comes before the sequence number, in every line.
pub(crate) const MARK: &[u8] = b"seq=";

/// Digits of a sequence number; leading zeros keep its place fixed.
pub(crate) const DIGITS: usize = 12;

const TAG: &str = "ml-api";

/// The fixed beginning of every chunk id; the first sequence number of its block follows.
const CHUNK: &str = "Zm9yZWJheS1i";

/// The blocks of one connection.
pub(crate) enum Blocks {
    /// One block, patched for each write.
    Patched(Block),
    /// Every block, as it is.
    Ready(Vec<Vec<u8>>),
}

/// Encoded frames whose sequence numbers can be changed.
pub(crate) struct Block {
    bytes: Vec<u8>,
    sequences: Vec<usize>,
    chunk: Option<usize>,
}

/// The bytes of an ack for the block that starts with sequence number `first`.
pub(crate) fn ack_of(first: u64) -> Vec<u8> {
    let mut ack = vec![0x81, 0xa3];
    ack.extend_from_slice(b"ack");
    // why: 0xa0 + 24 is a str of 24 bytes, which every chunk id of this generator has.
    ack.push(0xa0 + 24);
    ack.extend_from_slice(CHUNK.as_bytes());
    ack.extend_from_slice(&digits(first));
    ack
}

impl Blocks {
    /// The blocks of connection `connection`, whose first sequence number is `first`.
    pub(crate) fn new(scenario: &Scenario, connection: u64, first: u64) -> Result<Self, Fault> {
        if scenario.mode != Mode::Gzip {
            return Ok(Self::Patched(Block::new(encode(scenario, connection)?, scenario.ack)));
        }
        let mut entries = Block::new(entries(scenario, connection)?, false);
        let numbers = (0..scenario.blocks()).map(|block| first + block * scenario.block_events);
        numbers
            .map(|number| gzipped(scenario, entries.number(number), number))
            .collect::<Result<_, _>>()
            .map(Self::Ready)
    }

    /// Block `index`, whose first sequence number is `first`.
    pub(crate) fn get(&mut self, index: usize, first: u64) -> &[u8] {
        match self {
            Self::Patched(block) => block.number(first),
            Self::Ready(blocks) => blocks.get(index).map_or(&[], Vec::as_slice),
        }
    }
}

impl Block {
    fn new(bytes: Vec<u8>, ack: bool) -> Self {
        let sequences = memmem::find_iter(&bytes, MARK).map(|at| at + MARK.len()).collect();
        let chunk = memmem::rfind(&bytes, CHUNK.as_bytes()).filter(|_| ack).map(|at| at + CHUNK.len());
        Self { bytes, sequences, chunk }
    }

    fn number(&mut self, first: u64) -> &[u8] {
        let mut number = digits(first);
        if let Some(at) = self.chunk {
            self.bytes[at..at + DIGITS].copy_from_slice(&number);
        }
        for at in &self.sequences {
            self.bytes[*at..at + DIGITS].copy_from_slice(&number);
            increment(&mut number);
        }
        &self.bytes
    }
}

fn encode(scenario: &Scenario, connection: u64) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    match scenario.mode {
        Mode::Message => {
            for nth in 0..scenario.block_events {
                write_array_len(&mut out, 4)?;
                write_str(&mut out, TAG)?;
                record::write(&mut out, scenario.line, connection, nth, moment(nth))?;
                write_option(&mut out, scenario, &[])?;
            }
        }
        Mode::Forward => {
            write_array_len(&mut out, 3)?;
            write_str(&mut out, TAG)?;
            write_array_len(&mut out, u32::try_from(scenario.block_events)?)?;
            out.extend(entries(scenario, connection)?);
            write_option(&mut out, scenario, &[])?;
        }
        Mode::Packed | Mode::Gzip => {
            write_array_len(&mut out, 3)?;
            write_str(&mut out, TAG)?;
            write_bin(&mut out, &entries(scenario, connection)?)?;
            write_option(&mut out, scenario, &[])?;
        }
    }
    Ok(out)
}

/// A frame of the gzipped `entries`; the level is the fastest, as the generator has nothing to prove.
fn gzipped(scenario: &Scenario, entries: &[u8], first: u64) -> Result<Vec<u8>, Fault> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(entries)?;
    let mut out = Vec::new();
    write_array_len(&mut out, 3)?;
    write_str(&mut out, TAG)?;
    write_bin(&mut out, &gzip.finish()?)?;
    write_option(&mut out, scenario, &[("compressed", "gzip")])?;
    let mut frame = Block::new(out, scenario.ack);
    frame.sequences.clear();
    frame.number(first);
    Ok(frame.bytes)
}

fn entries(scenario: &Scenario, connection: u64) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    for nth in 0..scenario.block_events {
        write_array_len(&mut out, 2)?;
        record::write(&mut out, scenario.line, connection, nth, moment(nth))?;
    }
    Ok(out)
}

/// `{}` in Message mode without ack, as docker sends it; else what `out_forward` says of a chunk.
fn write_option(out: &mut Vec<u8>, scenario: &Scenario, more: &[(&str, &str)]) -> Result<(), Fault> {
    let sized = scenario.mode != Mode::Message;
    let fields = more.len() + usize::from(sized) + usize::from(scenario.ack);
    write_map_len(out, u32::try_from(fields)?)?;
    if sized {
        write_str(out, "size")?;
        write_uint(out, scenario.block_events)?;
    }
    for (name, value) in more {
        write_str(out, name)?;
        write_str(out, value)?;
    }
    if scenario.ack {
        write_str(out, "chunk")?;
        write_str(out, &format!("{CHUNK}{:0DIGITS$}", 0))?;
    }
    Ok(())
}

/// The time of the `nth` event of a block: now, and as many microseconds.
fn moment(nth: u64) -> (u32, u32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = (u64::from(now.subsec_micros()) + nth) % 1_000_000;
    let nanoseconds = u32::try_from(micros * 1000).unwrap_or(0);
    (u32::try_from(now.as_secs()).unwrap_or(u32::MAX), nanoseconds)
}

fn digits(number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    digits
}

fn increment(digits: &mut [u8; DIGITS]) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
}
