//! The format of segments, marks and indexes, read and sealed by its description alone (`src/buffer/disk/mod.rs`): it
//! shares no code with the buffer.
//!
//! No fuzzer finds a checksum. So an input's are put right before it is used, but for those that it wants to be wrong:
//! what lies behind a checksum is reached, and what a wrong one does, too.

#![expect(clippy::disallowed_methods, reason = "another decoder than the one that is tested")]

use std::collections::HashSet;

/// Bytes of a segment's header.
pub const HEADER: usize = 36;
/// Bytes of a record's head.
pub const HEAD: usize = 44;
/// Bytes of a record, at most.
const LONGEST: usize = 1 << 30;
/// The length without its codec that a payload may claim.
const MAX_UNPACKED: usize = 64 << 20;

/// A sound record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// Its first byte.
    pub from: usize,
    /// The byte behind its last.
    pub to: usize,
    pub sequence: u64,
    pub kind: Kind,
    /// The parts that it made obsolete.
    pub superseded: Vec<u64>,
}

/// What a record holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Documents; none where their payload does not unpack to what the ends say.
    Batch(Option<Vec<Vec<u8>>>),
    /// A part's bytes.
    Part(Vec<u8>),
}

/// The number at `at`; 0 where it is not there.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at + 4).and_then(|number| number.try_into().ok());
    found.map_or(0, u32::from_le_bytes)
}

/// The same of eight bytes.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..at + 8).and_then(|number| number.try_into().ok());
    found.map_or(0, u64::from_le_bytes)
}

fn put_crc(bytes: &mut [u8], covered: std::ops::Range<usize>, at: usize) {
    let crc = crc32c::crc32c(bytes.get(covered).unwrap_or_default()).to_le_bytes();
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&crc);
    }
}

/// Puts the checksums of a segment right: of its header (bit 0 of `wrong` leaves it alone), and of each record, one bit
/// each for its body and its head.
pub fn seal_segment(bytes: &mut [u8], wrong: u16) {
    if wrong & 1 == 0 && bytes.len() >= HEADER {
        put_crc(bytes, 0..32, 32);
    }
    let (mut at, mut bits) = (HEADER, wrong >> 1);
    while at + HEAD <= bytes.len() {
        let length = u32_at(bytes, at + 4) as usize;
        let end = at.saturating_add(length);
        if bits & 1 == 0 {
            put_crc(bytes, (at + HEAD).min(end)..end.min(bytes.len()), at + 36);
        }
        if bits & 2 == 0 {
            put_crc(bytes, at..at + 40, at + 40);
        }
        bits >>= 2;
        if length < HEAD || end > bytes.len() {
            return;
        }
        at = end;
    }
}

/// The same for marks: their header, and a bit for each.
pub fn seal_marks(bytes: &mut [u8], wrong: u16) {
    if wrong & 1 == 0 {
        put_crc(bytes, 0..12, 12);
    }
    for (number, at) in (16..bytes.len()).step_by(12).enumerate() {
        if at + 12 <= bytes.len() && wrong & 2_u16.checked_shl(number as u32).unwrap_or(0) == 0 {
            put_crc(bytes, at..at + 8, at + 8);
        }
    }
}

/// The same for an index: its one checksum.
pub fn seal_index(bytes: &mut [u8], wrong: u16) {
    if let Some(end) = bytes.len().checked_sub(4).filter(|_| wrong & 1 == 0) {
        put_crc(bytes, 0..end, end);
    }
}

/// Whether a start reads the segment: a header that is sound, of a version that is known.
pub fn is_readable(bytes: &[u8]) -> bool {
    has_header(bytes) && (1..=2).contains(&u32_at(bytes, 8)) && u64_at(bytes, 24) < 1 << 63
}

/// Whether a start has to refuse it: a header that is sound, of another version.
pub fn is_of_another_version(bytes: &[u8]) -> bool {
    has_header(bytes) && !(1..=2).contains(&u32_at(bytes, 8))
}

fn has_header(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER
        && bytes.starts_with(b"FOREBAYS")
        && u32_at(bytes, 32) == crc32c::crc32c(&bytes[..32])
}

/// The sequences that marks say are settled.
pub fn settled(bytes: &[u8]) -> HashSet<u64> {
    let is_sound = bytes.len() >= 16
        && bytes.starts_with(b"FOREBAYD\x01\0\0\0")
        && u32_at(bytes, 12) == crc32c::crc32c(&bytes[..12]);
    let marks = bytes.get(16..).filter(|_| is_sound).unwrap_or_default().chunks_exact(12);
    let sound = marks.filter(|mark| u32_at(mark, 8) == crc32c::crc32c(&mark[..8]));
    sound.map(|mark| u64_at(mark, 0)).collect()
}

/// The record at `from`, if there is a sound one.
pub fn record(segment: &[u8], from: usize) -> Option<Record> {
    let bytes = segment.get(from..)?;
    let head = bytes.get(..HEAD).filter(|head| head.starts_with(b"FBR1"))?;
    let length = u32_at(head, 4) as usize;
    let body = bytes.get(HEAD..length).filter(|_| (HEAD..=LONGEST).contains(&length))?;
    let is_sound =
        u32_at(head, 40) == crc32c::crc32c(&head[..40]) && u32_at(head, 36) == crc32c::crc32c(body);
    let sequence = Some(u64_at(head, 8)).filter(|sequence| is_sound && *sequence < 1 << 63)?;
    let [documents, runs, parts, payload] = [20, 24, 28, 32].map(|at| u32_at(head, at) as usize);
    let (ends, rest) = body.split_at_checked(documents.checked_mul(4)?)?;
    let rest = without_runs(rest, runs, documents)?;
    let (superseded, payload_bytes) = rest.split_at_checked(parts.checked_mul(8)?)?;
    let ends: Vec<usize> = ends.chunks_exact(4).map(|end| u32_at(end, 0) as usize).collect();
    if payload_bytes.len() != payload || !ends.is_sorted() {
        return None;
    }
    let last = ends.last().copied();
    let kind = match (&head[16..20], last) {
        ([1, 0, 0, 0], Some(last)) if last == payload => Kind::Batch(cut(payload_bytes, &ends)),
        ([1, 1, 0, 0], Some(last)) if last <= MAX_UNPACKED => Kind::Batch(unpacked(payload_bytes, &ends)),
        ([2, 0, 0, 0], None) => Kind::Part(payload_bytes.to_vec()),
        _ => return None,
    };
    let superseded = superseded.chunks_exact(8).map(|part| u64_at(part, 0)).collect();
    Some(Record { from, to: from + length, sequence, kind, superseded })
}

/// What is behind `runs` runs of tags, which have to be as many as there are documents.
fn without_runs(mut bytes: &[u8], runs: usize, documents: usize) -> Option<&[u8]> {
    let mut tagged = 0;
    for _ in 0..runs {
        tagged += bytes.get(..4).map(|count| u32_at(count, 0) as usize)?;
        let length = bytes.get(4..8).map(|length| u32_at(length, 0) as usize)?;
        std::str::from_utf8(bytes.get(8..8 + length)?).ok()?;
        bytes = &bytes[8 + length..];
    }
    (tagged == documents).then_some(bytes)
}

fn unpacked(payload: &[u8], ends: &[usize]) -> Option<Vec<Vec<u8>>> {
    let last = *ends.last()?;
    let bytes = zstd::bulk::decompress(payload, last).ok().filter(|bytes| bytes.len() == last)?;
    cut(&bytes, ends)
}

fn cut(payload: &[u8], ends: &[usize]) -> Option<Vec<Vec<u8>>> {
    let starts = std::iter::once(&0).chain(ends);
    starts.zip(ends).map(|(from, to)| payload.get(*from..*to).map(<[u8]>::to_vec)).collect()
}
