//! The text of bytes that are still being written.
//!
//! As [`Text`](crate::input::file::Text), but without an end: half of a character waits for its other half.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding};

/// Bytes that are decoded at once.
const ROOM: usize = 16 << 10;

/// The text of `R`.
pub(super) struct Decoded<R> {
    from: R,
    /// None for what is UTF-8, or taken for it.
    decoding: Option<Box<Decoding>>,
}

struct Decoding {
    decoder: Decoder,
    bytes: Vec<u8>,
    start: usize,
}

impl<R> Decoded<R> {
    /// What is written in `encoding`, or in UTF-8.
    pub(super) fn new(from: R, encoding: Option<&'static Encoding>) -> Self {
        let decoding = encoding.map(|encoding| {
            let decoder = encoding.new_decoder_without_bom_handling();
            Box::new(Decoding { decoder, bytes: Vec::new(), start: 0 })
        });
        Self { from, decoding }
    }

    /// Where the bytes come from.
    pub(super) fn source(&self) -> &R {
        &self.from
    }

    /// The same, to be changed.
    pub(super) fn source_mut(&mut self) -> &mut R {
        &mut self.from
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoding {
            None => self.from.read(into),
            Some(decoding) => decoding.read(&mut self.from, into),
        }
    }
}

impl Decoding {
    fn read(&mut self, from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.start == self.bytes.len() {
                self.start = 0;
                self.bytes.resize(ROOM, 0);
                let read = from.read(&mut self.bytes);
                self.bytes.truncate(read.as_ref().map_or(0, |read| *read));
                if read? == 0 {
                    return Ok(0);
                }
            }
            let bytes = self.bytes.get(self.start..).unwrap_or_default();
            let (_, read, written, _) = self.decoder.decode_to_utf8(bytes, into, false);
            self.start += read;
            if written > 0 || read == 0 {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_character_waits_for_its_other_half() {
        let word = "gr\u{fc}\u{df}e \u{1f30a}\n";
        let bytes: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for cut in 0..bytes.len() {
            let (first, rest) = bytes.split_at(cut);
            let (mut text, mut decoded) = (Vec::new(), Decoded::new(first, Some(encoding_rs::UTF_16LE)));
            decoded.read_to_end(&mut text).expect("in memory");
            *decoded.source_mut() = rest;
            decoded.read_to_end(&mut text).expect("in memory");
            assert_eq!(String::from_utf8(text).expect("text"), word, "{cut}");
        }
    }
}
