//! One record: bytes to and fro, in memory, without I/O. The layout is in the module above.
//!
//! Whatever the bytes, parsing neither panics nor reserves memory for a count that they do not carry.

use std::sync::Arc;

use super::codec::{MAX_UNPACKED, unpack};
use super::header::{take_sequence, take_u32, take_u64};
use super::salt::Salt;
use crate::buffer::TagRun;

/// Bytes of a record's head.
pub(crate) const HEAD: usize = 44;
/// A longer record is never written, so a longer length is damage.
pub(crate) const MAX_RECORD: u32 = 1 << 30;

/// Bytes of a voucher.
const VOUCHER: usize = 8;

/// What a record begins with.
pub(crate) const MARKER: &[u8; 4] = b"FBR1";

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Documents, ready to be sent.
    Batch = 1,
    /// A part of a docker line whose rest has not come yet.
    Part = 2,
}

/// How a payload is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// As it is.
    None = 0,
    /// As one zstd frame; batches only.
    Zstd = 1,
}

/// A record to be written.
pub(crate) struct NewRecord<'a> {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    /// Of `payload`; `ends` are without it.
    pub(crate) codec: Codec,
    pub(crate) ends: &'a [u32],
    pub(crate) tags: &'a [TagRun],
    pub(crate) parts: &'a [u64],
    pub(crate) payload: &'a [u8],
}

/// The head of a record, its CRC checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: u32,
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) codec: Codec,
    pub(crate) documents: u32,
    /// Bytes as they are stored.
    pub(crate) payload: u32,
    runs: u32,
    parts: u32,
    body_crc: u32,
}

/// The body of a record, its CRC checked and its contents in agreement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body<'a> {
    pub(crate) ends: Vec<u32>,
    pub(crate) tags: Vec<TagRun>,
    pub(crate) parts: Vec<u64>,
    /// As it is stored; see [`Body::unpack`].
    pub(crate) payload: &'a [u8],
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    /// A CRC or the marker does not fit.
    #[error("checksum does not fit")]
    Checksum,
    /// The CRC fits, the contents do not agree with each other, or are of a kind or codec that is not known here.
    #[error("contents contradict each other")]
    Malformed,
}

/// A record beyond [`MAX_RECORD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of {0} bytes exceeds the format's limit of {MAX_RECORD}")]
pub(crate) struct TooLarge(usize);

impl NewRecord<'_> {
    /// Bytes of the whole record.
    pub(crate) fn length(&self) -> usize {
        HEAD + self.indexes() + self.payload.len()
    }

    fn indexes(&self) -> usize {
        let tags: usize = self.tags.iter().map(|run| 8 + run.tag.len()).sum();
        4 * self.ends.len() + tags + 8 * self.parts.len() + VOUCHER
    }

    /// Appends everything but the payload to `out`, so that a large payload need not be copied to be written. `salt` is
    /// that of the segment.
    pub(super) fn encode_front(&self, salt: Option<Salt>, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let length = self.length();
        let narrow = u32::try_from(length).ok().filter(|length| *length <= MAX_RECORD);
        let length = narrow.ok_or(TooLarge(length))?;
        let start = out.len();
        self.put_head(out, length);
        self.put_indexes(salt, out);
        let body = crc32c::crc32c(&out[start + HEAD..]);
        let body = crc32c::crc32c_append(body, self.payload);
        out[start + 36..start + 40].copy_from_slice(&body.to_le_bytes());
        let head = crc32c::crc32c(&out[start..start + 40]);
        out[start + 40..start + HEAD].copy_from_slice(&head.to_le_bytes());
        Ok(())
    }

    /// All of the head, its two checksums still 0.
    // why: every count is far below the record's length, which was checked to fit in 32 bits.
    #[allow(clippy::cast_possible_truncation)]
    fn put_head(&self, out: &mut Vec<u8>, length: u32) {
        out.extend_from_slice(MARKER);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&[self.kind as u8, self.codec as u8, 0, 0]);
        for count in [self.ends.len(), self.tags.len(), self.parts.len() + 1, self.payload.len(), 0, 0] {
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn put_indexes(&self, salt: Option<Salt>, out: &mut Vec<u8>) {
        for end in self.ends {
            out.extend_from_slice(&end.to_le_bytes());
        }
        for run in self.tags {
            out.extend_from_slice(&run.documents.to_le_bytes());
            out.extend_from_slice(&(run.tag.len() as u32).to_le_bytes());
            out.extend_from_slice(run.tag.as_bytes());
        }
        for part in self.parts.iter().chain([&Salt::voucher(salt)]) {
            out.extend_from_slice(&part.to_le_bytes());
        }
    }
}

impl Head {
    /// Reads a head whose CRC fits.
    pub(crate) fn parse(bytes: &[u8; HEAD]) -> Result<Self, Damage> {
        let (covered, crc) = bytes.split_at(40);
        if !covered.starts_with(MARKER) || crc != crc32c::crc32c(covered).to_le_bytes() {
            return Err(Damage::Checksum);
        }
        Self::read(&covered[4..]).ok_or(Damage::Malformed)
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let length = take_u32(rest).filter(|length| (HEAD as u32..=MAX_RECORD).contains(length))?;
        let sequence = take_sequence(rest)?;
        let [kind, codec, 0, 0] = take_u32(rest)?.to_le_bytes() else { return None };
        let (kind, codec) = match (kind, codec) {
            (1, 0) => (Kind::Batch, Codec::None),
            (1, 1) => (Kind::Batch, Codec::Zstd),
            (2, 0) => (Kind::Part, Codec::None),
            _ => return None,
        };
        let (documents, runs, parts) = (take_u32(rest)?, take_u32(rest)?, take_u32(rest)?);
        let (payload, body_crc) = (take_u32(rest)?, take_u32(rest)?);
        Some(Self { length, sequence, kind, codec, documents, runs, parts, payload, body_crc })
    }

    /// Where in the body the last end is, which is the payload's length without its codec; none in a part.
    pub(crate) fn last_end(&self) -> Option<u64> {
        Some(4 * u64::from(self.documents.checked_sub(1)?))
    }

    /// The length that a damaged head claims, if a record could have it.
    pub(crate) fn claimed_length(bytes: &[u8; HEAD]) -> Option<u32> {
        take_u32(&mut &bytes[4..]).filter(|length| (HEAD as u32..=MAX_RECORD).contains(length))
    }

    /// Where in the record its voucher would be, if it has one.
    pub(super) fn voucher_at(&self) -> Option<u64> {
        let at = u64::from(self.length).checked_sub(u64::from(self.payload) + VOUCHER as u64)?;
        (self.parts > 0 && at >= HEAD as u64).then_some(at)
    }

    /// Whether `body` is what was written behind this head.
    pub(crate) fn fits(&self, body: &[u8]) -> bool {
        crc32c::crc32c(body) == self.body_crc
    }

    /// Reads a body that fits.
    pub(crate) fn parse_body<'a>(&self, body: &'a [u8]) -> Result<Body<'a>, Damage> {
        self.read_body(body).filter(|body| self.agrees(body)).ok_or(Damage::Malformed)
    }

    fn read_body<'a>(&self, body: &'a [u8]) -> Option<Body<'a>> {
        let front = body.len().checked_sub(self.payload as usize)?;
        let (mut indexes, payload) = body.split_at_checked(front)?;
        let rest = &mut indexes;
        let ends = take_all(rest, self.documents, 4, take_u32)?;
        let tags = take_all(rest, self.runs, 8, take_run)?;
        let mut parts = take_all(rest, self.parts, 8, take_u64)?;
        parts.pop_if(|last| Salt::is_voucher(*last));
        rest.is_empty().then_some(Body { ends, tags, parts, payload })
    }

    fn agrees(&self, body: &Body<'_>) -> bool {
        let documents: u64 = body.tags.iter().map(|run| u64::from(run.documents)).sum();
        let last = body.ends.last().copied();
        let whole = match (self.kind, self.codec) {
            (Kind::Batch, Codec::None) => last == Some(self.payload),
            (Kind::Batch, Codec::Zstd) => last.is_some_and(|last| last <= MAX_UNPACKED),
            (Kind::Part, _) => last.is_none(),
        };
        whole && documents == u64::from(self.documents) && body.ends.is_sorted()
    }
}

impl Body<'_> {
    /// Appends the payload without its codec to `out`; a frame that is not what the ends say is malformed.
    pub(crate) fn unpack(&self, head: &Head, out: &mut Vec<u8>) -> Result<(), Damage> {
        let length = self.ends.last().copied().unwrap_or(head.payload);
        if unpack(head.codec, self.payload, length, out) { Ok(()) } else { Err(Damage::Malformed) }
    }
}

/// `count` items of at least `least` bytes each; memory is reserved only for what can be there.
fn take_all<T>(
    bytes: &mut &[u8],
    count: u32,
    least: usize,
    take: impl Fn(&mut &[u8]) -> Option<T>,
) -> Option<Vec<T>> {
    let count = count as usize;
    if count.checked_mul(least)? > bytes.len() {
        return None;
    }
    (0..count).map(|_| take(bytes)).collect()
}

fn take_run(bytes: &mut &[u8]) -> Option<TagRun> {
    let documents = take_u32(bytes)?;
    let length = take_u32(bytes)? as usize;
    let (tag, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(TagRun { tag: Arc::from(std::str::from_utf8(tag).ok()?), documents })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> Vec<TagRun> {
        vec![
            TagRun { tag: Arc::from("ml-api.web"), documents: 2 },
            TagRun { tag: Arc::from(""), documents: 1 },
        ]
    }

    fn encode(record: &NewRecord<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        record.encode_front(Salt::of(77), &mut bytes).expect("small enough");
        bytes.extend_from_slice(record.payload);
        assert_eq!(bytes.len(), record.length());
        bytes
    }

    fn sample(tags: &[TagRun]) -> Vec<u8> {
        let payload = b"aabbbbc";
        encode(&NewRecord {
            sequence: 7,
            kind: Kind::Batch,
            codec: Codec::None,
            ends: &[2, 6, 7],
            tags,
            parts: &[5, 6],
            payload,
        })
    }

    fn parse(bytes: &[u8]) -> Option<(Head, Body<'_>)> {
        let (head, body) = bytes.split_first_chunk()?;
        let head = Head::parse(head).ok()?;
        let body = body.get(..head.length as usize - HEAD)?;
        Some((head, Some(body).filter(|body| head.fits(body)).and_then(|body| head.parse_body(body).ok())?))
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let tags = tags();
        let bytes = sample(&tags);
        let (head, body) = parse(&bytes).expect("a sound record");
        assert_eq!((head.sequence, head.kind, head.documents), (7, Kind::Batch, 3));
        let voucher = head.voucher_at().and_then(|at| bytes.get(at as usize..)?.first_chunk());
        assert_eq!(voucher, Some(&Salt::voucher(Salt::of(77)).to_le_bytes()));
        assert_eq!(body, Body { ends: vec![2, 6, 7], tags, parts: vec![5, 6], payload: b"aabbbbc" });
    }

    #[test]
    fn a_record_with_any_bit_flipped_is_refused() {
        let whole = sample(&tags());
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn a_record_cut_at_any_length_is_refused() {
        let whole = sample(&tags());
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn a_sound_checksum_over_contents_that_disagree_is_malformed() {
        let wrong_ends: [&[u32]; 4] = [&[2, 6, 8], &[6, 2, 7], &[2, 7], &[]];
        for ends in wrong_ends {
            let tags = tags();
            let payload = b"aabbbbc";
            let record = NewRecord {
                sequence: 7,
                kind: Kind::Batch,
                codec: Codec::None,
                ends,
                tags: &tags,
                parts: &[],
                payload,
            };
            assert_eq!(parse(&encode(&record)), None, "{ends:?}");
        }
    }

    #[test]
    fn counts_that_the_bytes_cannot_hold_reserve_nothing() {
        let mut bytes: &[u8] = &[0; 16];
        assert_eq!(take_all(&mut bytes, u32::MAX, 4, take_u32), None);
    }
}
