//! A line with the places at which a grammar may stop: the bytes that mean something to it, all found by one search of
//! blocks in place of one search for each piece.
//!
//! Pieces end at ASCII bytes, so that every slice ends where a character does. Each stop is met once: places are asked for in
//! order, and behind the stop that was answered last.

use std::marker::PhantomData;

use crate::event::blocks::{BLOCK, bits_at};

/// Which bytes are stops.
pub(crate) trait Kind {
    /// A bit for each of the first [`BLOCK`] bytes of `text`, the lowest for the first, that is one.
    fn bits(text: &[u8]) -> u64;
}

/// A line and its stops.
pub(crate) struct Stops<'a, K> {
    line: &'a str,
    /// Where the block begins that was looked at last.
    block: usize,
    /// Its stops that were not met yet.
    bits: u64,
    kind: PhantomData<K>,
}

impl<'a, K: Kind> Stops<'a, K> {
    /// Of `line`.
    #[inline]
    pub(crate) fn new(line: &'a str) -> Self {
        Self { line, block: 0, bits: K::bits(line.as_bytes()), kind: PhantomData }
    }

    /// The byte at `at`.
    #[inline]
    pub(crate) fn byte(&self, at: usize) -> Option<u8> {
        self.line.as_bytes().get(at).copied()
    }

    /// What is between two places.
    #[inline]
    pub(crate) fn piece(&self, from: usize, to: usize) -> Option<&'a str> {
        self.line.get(from..to)
    }

    /// What is behind `from`.
    #[inline]
    pub(crate) fn rest(&self, from: usize) -> Option<&'a str> {
        self.line.get(from..)
    }

    /// The first stop from `from` on, and its byte.
    #[inline(always)]
    pub(crate) fn next(&mut self, from: usize) -> Option<(usize, u8)> {
        loop {
            if self.bits == 0 {
                self.bits = self.beyond()?;
            }
            // A block begins at a multiple of its length, so that there is nothing to add up.
            let at = self.block | self.bits.trailing_zeros() as usize;
            self.bits &= self.bits.wrapping_sub(1);
            if at >= from {
                return Some((at, self.byte(at)?));
            }
        }
    }

    /// The stops of the next block that has any.
    #[inline(never)]
    fn beyond(&mut self) -> Option<u64> {
        loop {
            self.block += BLOCK;
            let bits = bits_at(self.line.as_bytes(), self.block, K::bits)?;
            if bits != 0 {
                return Some(bits);
            }
        }
    }

    /// The first stop from `from` on that is `byte`.
    #[inline(always)]
    pub(crate) fn to(&mut self, byte: u8, from: usize) -> Option<usize> {
        let (mut at, mut found) = self.next(from)?;
        while found != byte {
            (at, found) = self.next(at + 1)?;
        }
        Some(at)
    }

    /// What stands between `from` and the first `end`, which is a stop, and where what follows it begins.
    #[inline(always)]
    pub(crate) fn until(&mut self, end: u8, from: usize) -> Option<(usize, &'a str)> {
        let at = self.to(end, from)?;
        Some((at + 1, self.piece(from, at)?))
    }

    /// The inside of the text in double quotes that opens at `at`, as it stands, whether it has a backslash, which keeps the next
    /// byte from ending it, and where what follows it begins. Both signs have to be stops.
    #[inline]
    pub(crate) fn quoted(&mut self, at: usize) -> Option<(usize, &'a str, bool)> {
        if self.byte(at) != Some(b'"') {
            return None;
        }
        let (mut from, mut has_backslash) = (at + 1, false);
        loop {
            from = match self.next(from)? {
                (end, b'"') => return Some((end + 1, self.piece(at + 1, end)?, has_backslash)),
                (stop, b'\\') => {
                    has_backslash = true;
                    stop + 2
                }
                (stop, _) => stop + 1,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::blocks::{pair_ends, spaces};
    use crate::parse::token::{quoted_text, until};
    use nom::Parser;
    use proptest::prelude::*;

    struct OfPairs;

    impl Kind for OfPairs {
        fn bits(text: &[u8]) -> u64 {
            pair_ends(text)
        }
    }

    struct Blanks;

    impl Kind for Blanks {
        fn bits(text: &[u8]) -> u64 {
            spaces(text)
        }
    }

    fn word<K: Kind>(line: &str, from: usize) -> Option<(&str, &str)> {
        let (end, piece) = Stops::<K>::new(line).until(b' ', from)?;
        Some((line.get(end..)?, piece))
    }

    proptest! {
        #[test]
        fn pieces_are_those_that_bytes_make(line in r#"[ "\\ä=.a-c]{0,90}"#, from in 0_usize..90) {
            prop_assume!(line.is_char_boundary(from));
            let text = line.get(from..).unwrap_or_default();
            let expected = quoted_text(text).ok();
            let read = Stops::<OfPairs>::new(&line).quoted(from);
            let read = read.map(|(end, inside, has)| (line.get(end..).expect("a rest"), (inside, has)));
            prop_assert_eq!(read, expected);
            let expected = until(b' ').parse_complete(text).ok();
            prop_assert_eq!(word::<OfPairs>(&line, from), expected);
            prop_assert_eq!(word::<Blanks>(&line, from), expected);
        }

        #[test]
        fn each_stop_is_met_once_and_in_order(line in "[a =]{0,200}") {
            let mut stops = Stops::<Blanks>::new(&line);
            let (mut met, mut from) = (Vec::new(), 0);
            while let Some((at, b' ')) = stops.next(from) {
                met.push(at);
                from = at + 1;
            }
            let expected: Vec<_> = line.match_indices(' ').map(|(at, _)| at).collect();
            prop_assert_eq!(met, expected);
        }
    }
}
