//! The first bytes of a segment.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::index::Index;
use super::salt::Salt;
use super::scan::{Scan, Step};

/// Bytes of a segment's header.
pub(super) const SEGMENT_HEADER: usize = 36;
/// Payloads as they are.
pub(super) const PLAIN: u32 = 1;
/// Payloads that may be compressed.
pub(super) const PACKED: u32 = 2;

/// The last sequence; nothing that counts comes to it.
const LAST_SEQUENCE: u64 = i64::MAX as u64;

const MAGIC: &[u8; 8] = b"FOREBAYS";

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// Of the format: [`PLAIN`] or [`PACKED`].
    pub(super) version: u32,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    /// No sequence from here on had been given away by then.
    pub(super) first: u64,
    /// What its records carry; none in segments of releases that knew no salt.
    pub(super) salt: Option<Salt>,
}

/// The header that takes the place of a damaged one: the copy in the segment's index, or one made anew, where a record
/// follows it in `file`: records vouch for themselves, and tell the numbers that had been given away. None where it is no
/// segment.
pub(super) fn salvaged(file: &File, length: u64, index: Option<&Path>) -> io::Result<Option<SegmentHeader>> {
    if let Some(header) = index.and_then(|index| Index::header(index, length)) {
        return Ok(Some(header));
    }
    let from = SEGMENT_HEADER as u64;
    let voucher = match Scan::new(file, from, length).step()? {
        Step::Record { head, .. } => head.voucher_at(),
        Step::Damaged { .. } => None,
        _ => return Ok(None),
    };
    let salt = voucher.map(|at| salt_at(file, from + at)).transpose()?.flatten();
    let written = file.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let created = u64::try_from(written.as_millis()).unwrap_or_default();
    Ok(Some(SegmentHeader { version: PACKED, created, first: 1, salt }))
}

fn salt_at(file: &File, at: u64) -> io::Result<Option<Salt>> {
    let mut voucher = [0; 8];
    file.read_exact_at(&mut voucher, at)?;
    Ok(Salt::of_voucher(u64::from_le_bytes(voucher)))
}

/// Why a header is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// Not a segment, or a damaged one.
    Damaged,
    /// A sound one of another version.
    Version(u32),
}

impl SegmentHeader {
    pub(super) fn encode(self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.map_or(0, Salt::number).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.created.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..32]);
        bytes[32..36].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8; SEGMENT_HEADER]) -> Result<Self, HeaderFault> {
        let (covered, crc) = bytes.split_at(32);
        let (magic, mut rest) = covered.split_at(8);
        if magic != MAGIC || crc != crc32c::crc32c(covered).to_le_bytes() {
            return Err(HeaderFault::Damaged);
        }
        let version = take_u32(&mut rest).ok_or(HeaderFault::Damaged)?;
        if !(PLAIN..=PACKED).contains(&version) {
            return Err(HeaderFault::Version(version));
        }
        let salt = Salt::of(take_u32(&mut rest).ok_or(HeaderFault::Damaged)?);
        let created = take_u64(&mut rest).ok_or(HeaderFault::Damaged)?;
        let first = take_sequence(&mut rest).ok_or(HeaderFault::Damaged)?;
        Ok(Self { version, created, first, salt })
    }
}

/// Cuts a `u32` off the front.
pub(super) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*first))
}

/// Cuts a `u64` off the front.
pub(super) fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*first))
}

/// Cuts a sequence off the front; none where no record could be behind it.
pub(super) fn take_sequence(bytes: &mut &[u8]) -> Option<u64> {
    take_u64(bytes).filter(|sequence| *sequence <= LAST_SEQUENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { version: PACKED, created: 1_700_000_000_123, first: 42, salt: None };

    #[test]
    fn a_header_reads_back_as_it_was_written() {
        assert_eq!(SegmentHeader::parse(&HEADER.encode()), Ok(HEADER));
        let salted = SegmentHeader { salt: Salt::of(0x0102_0304), ..HEADER };
        assert_eq!(SegmentHeader::parse(&salted.encode()), Ok(salted));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut bytes = HEADER.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::parse(&bytes), Err(HeaderFault::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn a_header_that_leaves_no_sequence_for_what_comes_is_damaged() {
        let last = SegmentHeader { first: LAST_SEQUENCE, ..HEADER };
        assert_eq!(SegmentHeader::parse(&last.encode()), Ok(last));
        let beyond = SegmentHeader { first: LAST_SEQUENCE + 1, ..HEADER };
        assert_eq!(SegmentHeader::parse(&beyond.encode()), Err(HeaderFault::Damaged));
    }

    #[test]
    fn a_sound_header_of_another_version_is_told_by_its_number() {
        let mut bytes = HEADER.encode();
        bytes[8..12].copy_from_slice(&7u32.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..32]);
        bytes[32..36].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::parse(&bytes), Err(HeaderFault::Version(7)));
    }
}
