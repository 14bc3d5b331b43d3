//! The one door through which compressed bytes come in: capped, in windows, all members and all frames.
//!
//! Invariants: what is decompressed beyond the last whole entry is at most one window more than the entry needs; the caps on
//! size and ratio are tested after every window, so a bomb costs one window. Fluentd appends a gzip member (or a zstd
//! frame) for each event it buffers, so one body holds many of them, one after the other.
#![expect(
    clippy::disallowed_types,
    reason = "the one door to decompression of what peers send, with its caps"
)]

use std::io::Read;

use super::{DecodeError, FrameScan, Scanned};

/// How the entries of a frame are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// Bytes decompressed at a time.
const WINDOW: usize = 256 * 1024;

/// The largest window that a zstd frame may ask for, as a power of two: what level 19 uses.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The ratio means nothing before this much.
const RATIO_FROM: u64 = 1 << 20;

enum Inner<'a> {
    Gzip(Box<flate2::bufread::MultiGzDecoder<&'a [u8]>>),
    Zstd(zstd::stream::read::Decoder<'a, &'a [u8]>),
}

/// Decompresses the entries of one frame, a window of whole entries at a time.
pub struct Decompressor<'a> {
    inner: Inner<'a>,
    window: Vec<u8>,
    /// The end of the last whole entry in the window.
    whole: usize,
    scan: FrameScan,
    produced: u64,
    /// Whether it came to bytes that are damaged.
    is_damaged: bool,
    cap: u64,
    cap_key: &'static str,
    cap_limit: u64,
    entry_limit: u64,
}

impl<'a> Decompressor<'a> {
    /// For `bytes` that may become `limit` bytes, or `ratio` times themselves, and one entry `entry_limit` bytes.
    pub fn new(
        codec: Codec,
        bytes: &'a [u8],
        limit: u64,
        ratio: u64,
        entry_limit: u64,
    ) -> Result<Self, DecodeError> {
        let by_ratio = ratio.saturating_mul(bytes.len() as u64).max(RATIO_FROM);
        let (cap, cap_key, cap_limit) = if by_ratio < limit {
            (by_ratio, "decompression_ratio", ratio)
        } else {
            (limit, "decompressed_bytes", limit)
        };
        Ok(Self {
            inner: open(codec, bytes)?,
            window: Vec::new(),
            whole: 0,
            scan: FrameScan::new(entry_limit),
            produced: 0,
            is_damaged: false,
            cap,
            cap_key,
            cap_limit,
            entry_limit,
        })
    }

    /// The next whole entries, end to end; none of them where one goes beyond this window, and is kept until it is whole.
    /// `None` when all have been given.
    pub fn next_window(&mut self) -> Result<Option<&[u8]>, DecodeError> {
        self.window.drain(..self.whole);
        self.whole = 0;
        if !self.read_window()? {
            return self.end();
        }
        self.find_whole_entries()?;
        Ok(self.window.get(..self.whole))
    }

    fn read_window(&mut self) -> Result<bool, DecodeError> {
        // why: it is remembered, since a decoder that is asked again may say that all is at its end.
        if self.is_damaged {
            return Err(self.damaged());
        }
        let start = self.window.len();
        let room = self.cap.saturating_add(1).saturating_sub(self.produced).min(WINDOW as u64);
        let mut capped = (&mut self.inner as &mut dyn Read).take(room);
        let read = capped.read_to_end(&mut self.window);
        self.produced += (self.window.len() - start) as u64;
        if self.produced > self.cap {
            return Err(DecodeError::Limit { key: self.cap_key, limit: self.cap_limit });
        }
        self.is_damaged = read.is_err();
        match read {
            Ok(read) => Ok(read > 0),
            // What came before the wound is whole all the same: it is given first.
            Err(_) if self.window.len() > start => Ok(true),
            Err(_) => Err(self.damaged()),
        }
    }

    fn damaged(&self) -> DecodeError {
        self.malformed("compressed entries that are damaged")
    }

    fn find_whole_entries(&mut self) -> Result<(), DecodeError> {
        while let Some(rest) = self.window.get(self.whole..).filter(|rest| !rest.is_empty()) {
            match self.scan.advance(rest)? {
                Scanned::Complete(length) => {
                    self.whole += length;
                    self.scan = FrameScan::new(self.entry_limit);
                }
                Scanned::Need(_) => break,
            }
        }
        Ok(())
    }

    fn end(&self) -> Result<Option<&[u8]>, DecodeError> {
        if self.window.is_empty() {
            Ok(None)
        } else {
            Err(self.malformed("compressed entries that end inside of one"))
        }
    }

    fn malformed(&self, what: &'static str) -> DecodeError {
        DecodeError::Unexpected { what, offset: usize::try_from(self.produced).unwrap_or(usize::MAX) }
    }
}

fn open(codec: Codec, bytes: &[u8]) -> Result<Inner<'_>, DecodeError> {
    let refused = |_| DecodeError::Unexpected { what: "zstd entries that cannot be read", offset: 0 };
    Ok(match codec {
        Codec::Gzip => Inner::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(bytes))),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(refused)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(refused)?;
            Inner::Zstd(decoder)
        }
    })
}

impl Read for Inner<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests pack what is unpacked here")]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn all(codec: Codec, bytes: &[u8], limit: u64, ratio: u64) -> Result<Vec<u8>, DecodeError> {
        let mut out = Vec::new();
        let mut decompressor = Decompressor::new(codec, bytes, limit, ratio, limit)?;
        while let Some(window) = decompressor.next_window()? {
            out.extend_from_slice(window);
        }
        Ok(out)
    }

    #[test]
    fn every_member_and_every_frame_is_read() {
        let members = [gzip(b"\x01\x02"), gzip(b""), gzip(b"\xa3abc")].concat();
        assert_eq!(all(Codec::Gzip, &members, 100, 100).as_deref(), Ok(&b"\x01\x02\xa3abc"[..]));
        let frame = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("in memory");
        let frames = [frame(b"\x01\x02"), frame(b"\xa3abc")].concat();
        assert_eq!(all(Codec::Zstd, &frames, 100, 100).as_deref(), Ok(&b"\x01\x02\xa3abc"[..]));
    }

    #[test]
    fn an_entry_larger_than_a_window_comes_whole() {
        let mut entry = vec![0xc6, 0x00, 0x0f, 0x42, 0x40];
        entry.resize(5 + 1_000_000, 7);
        let out = all(Codec::Gzip, &gzip(&entry), 2_000_000, 100_000).expect("within the limits");
        assert!(out == entry);
    }

    #[test]
    fn a_bomb_is_stopped_at_its_cap_and_the_cap_is_named() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let refused = |limit, ratio| all(Codec::Gzip, &bomb, limit, ratio).expect_err("too much");
        assert_eq!(
            refused(4 << 20, 10_000),
            DecodeError::Limit { key: "decompressed_bytes", limit: 4 << 20 }
        );
        assert_eq!(refused(1 << 30, 100), DecodeError::Limit { key: "decompression_ratio", limit: 100 });
    }

    #[test]
    fn damage_behind_the_last_entry_is_told_too() {
        let entries = b"\xa5hello\xa5world";
        let mut wrong_checksum = gzip(entries);
        let at = wrong_checksum.len() - 8;
        wrong_checksum[at] ^= 1;
        let no_member = [gzip(entries), b"\x1f\x8b\x08\xff no member".to_vec()].concat();
        for bytes in [wrong_checksum, no_member] {
            let mut decompressor = Decompressor::new(Codec::Gzip, &bytes, 100, 100, 100).expect("a decoder");
            assert_eq!(decompressor.next_window(), Ok(Some(&entries[..])), "what came before it is given");
            assert!(decompressor.next_window().is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn limits_may_be_as_large_as_numbers_are() {
        let out = all(Codec::Gzip, &gzip(b"\xa5hello"), u64::MAX, u64::MAX);
        assert_eq!(out.as_deref(), Ok(&b"\xa5hello"[..]));
    }

    #[test]
    fn damaged_or_cut_bytes_are_refused_wherever_they_end() {
        let good = gzip(b"\xa5hello\xa5world");
        for end in 1..good.len() {
            assert!(all(Codec::Gzip, &good[..end], 100, 100).is_err(), "cut at {end}");
        }
        assert!(all(Codec::Zstd, b"no zstd at all", 100, 100).is_err());
        assert!(all(Codec::Gzip, &gzip(b"\xa5hel"), 100, 100).is_err());
    }
}
