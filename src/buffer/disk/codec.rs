//! Payloads to and from their codec. Every byte that is unpacked was checked by a CRC before; even so nothing is unpacked
//! beyond the length that is asked for, so that a frame that tells lies costs no more memory than an honest one.
#![expect(
    clippy::disallowed_types,
    reason = "the buffer's own records, unpacked to a length that is known before; outputs and peers have doors of their own"
)]

use std::io::{self, Cursor};

use zstd::bulk::{Compressor, Decompressor};

use super::record::{Codec, Kind, NewRecord};

/// Logs shrink to a fourteenth with it, at more than twice the speed of level 3; lz4 is a quarter faster and leaves
/// nearly twice as much, which a disk takes longer to write than is saved.
const LEVEL: i32 = 1;

/// Less is not worth it: a file system writes at least as much, and who waits for the ack of a line waits for less.
const WORTHWHILE: usize = 4 << 10;

/// More is stored as it is, so that no frame may claim to be more.
pub(super) const MAX_UNPACKED: u32 = 64 << 20;

/// Compresses payloads, or leaves them as they are.
#[derive(Default)]
pub(crate) struct Packer {
    /// None before something was compressed.
    compressor: Option<Compressor<'static>>,
    packed: Vec<u8>,
    /// The sequence of what is in `packed`.
    holds: Option<u64>,
}

impl Packer {
    /// The record as it is to be stored: with its payload packed if that makes it smaller by an eighth.
    pub(crate) fn pack<'a>(&'a mut self, record: NewRecord<'a>) -> NewRecord<'a> {
        if record.kind != Kind::Batch || !(WORTHWHILE..=MAX_UNPACKED as usize).contains(&record.payload.len())
        {
            return record;
        }
        // why: a disk that is full is asked for room for the same record again and again.
        let is_packed = self.holds == Some(record.sequence) || self.compress(&record).is_ok();
        if is_packed { NewRecord { codec: Codec::Zstd, payload: &self.packed, ..record } } else { record }
    }

    fn compress(&mut self, record: &NewRecord<'_>) -> io::Result<()> {
        self.holds = None;
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        self.packed.clear();
        // why: no more than what it may take to be worthwhile; a frame that does not fit is refused.
        self.packed.reserve_exact(record.payload.len() - record.payload.len() / 8);
        compressor.compress_to_buffer(record.payload, &mut self.packed)?;
        self.holds = Some(record.sequence);
        Ok(())
    }
}

/// Appends `payload` without its codec to `out`; false, and nothing appended, if that is not `length` bytes.
pub(crate) fn unpack(codec: Codec, payload: &[u8], length: u32, out: &mut Vec<u8>) -> bool {
    let (start, length) = (out.len(), length as usize);
    let unpacked = match codec {
        Codec::None => {
            out.extend_from_slice(payload);
            Some(payload.len())
        }
        // why: the longest that a record of this codec may claim was tested when its body was read.
        Codec::Zstd => unzstd(payload, length, out).ok(),
    };
    let fits = unpacked == Some(length);
    if !fits {
        out.truncate(start);
    }
    fits
}

fn unzstd(payload: &[u8], length: usize, out: &mut Vec<u8>) -> io::Result<usize> {
    let start = out.len() as u64;
    out.reserve(length);
    // why: a cursor writes into what is reserved, which nobody has to fill with zeros first, and never beyond it.
    let mut target = Cursor::new(std::mem::take(out));
    target.set_position(start);
    let unpacked = Decompressor::new().and_then(|mut zstd| zstd.decompress_to_buffer(payload, &mut target));
    *out = target.into_inner();
    unpacked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(payload: &[u8]) -> NewRecord<'_> {
        let (ends, tags, parts) = (&[], &[], &[]);
        NewRecord { sequence: 1, kind: Kind::Batch, codec: Codec::None, ends, tags, parts, payload }
    }

    fn lines() -> Vec<u8> {
        (0..2_000).flat_map(|n| format!("{{\"line\":{n},\"level\":\"INFO\"}}\n").into_bytes()).collect()
    }

    #[test]
    fn what_was_packed_is_unpacked_behind_what_is_there() {
        let (mut packer, lines) = (Packer::default(), lines());
        let packed = packer.pack(record(&lines));
        assert!(packed.codec == Codec::Zstd && packed.payload.len() * 4 < lines.len());
        let mut out = b"before".to_vec();
        assert!(unpack(Codec::Zstd, packed.payload, lines.len() as u32, &mut out));
        assert!(out.starts_with(b"before") && out[6..] == lines);
    }

    #[test]
    fn what_would_not_shrink_is_left_as_it_is() {
        let (mut packer, mut noise) = (Packer::default(), vec![0; 64 << 10]);
        getrandom::fill(&mut noise).expect("noise");
        assert_eq!(packer.pack(record(&noise)).codec, Codec::None);
        assert_eq!(packer.pack(record(b"a short line")).codec, Codec::None);
    }

    #[test]
    fn a_frame_that_is_longer_or_shorter_than_it_claims_or_damaged_gives_nothing() {
        let (mut packer, lines) = (Packer::default(), lines());
        let packed = packer.pack(record(&lines)).payload.to_vec();
        for length in [0, 1, lines.len() - 1, lines.len() + 1, 2 * lines.len()] {
            let mut out = b"before".to_vec();
            assert!(!unpack(Codec::Zstd, &packed, length as u32, &mut out), "{length}");
            assert_eq!(out, b"before");
        }
        for cut in (0..packed.len()).step_by(37) {
            assert!(
                !unpack(Codec::Zstd, &packed[..cut], lines.len() as u32, &mut Vec::new()),
                "cut at {cut}"
            );
        }
    }
}
