//! Texts looked at sixteen bytes at a time, with a bit for each byte in question.

use wide::u8x16;

use super::words;

/// Bytes of a block: as many as a word has bits.
pub(crate) const BLOCK: usize = 64;

/// All bits of each byte that JSON wants escaped in a text, or that ends one.
#[inline]
fn text_ends(bytes: u8x16) -> u8x16 {
    let controls = bytes.min(u8x16::splat(b' ' - 1)).simd_eq(bytes);
    controls | bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'))
}

/// A bit for each of the first [`BLOCK`] bytes of `text`, the lowest for the first, that JSON wants escaped in a text, or that
/// ends one.
#[inline]
pub(crate) fn json_text_ends(text: &[u8]) -> u64 {
    bits(text, text_ends)
}

/// The same of bytes that a line of logfmt may stop at: what ends a key or a value, a blank or a control character, `=`, a double quote;
/// a backslash; and what makes a key unusual, a dot or a byte that is no ASCII.
#[inline]
pub(crate) fn pair_ends(text: &[u8]) -> u64 {
    bits(text, |bytes| {
        let [quote, backslash] = [u8x16::splat(b'"'), u8x16::splat(b'\\')];
        let signs = bytes.simd_eq(quote) | bytes.simd_eq(backslash) | bytes.simd_eq(u8x16::splat(b'='));
        blanks(bytes) | signs | bytes.simd_eq(u8x16::splat(b'.')) | bytes
    })
}

/// The same of syslog's structured data: all that no name has, which is a blank, a control character, `=`, `]`, a double quote
/// and a byte that is no ASCII; and a backslash.
#[inline]
pub(crate) fn element_ends(text: &[u8]) -> u64 {
    bits(text, |bytes| {
        let [quote, backslash] = [u8x16::splat(b'"'), u8x16::splat(b'\\')];
        let signs = bytes.simd_eq(quote) | bytes.simd_eq(backslash) | bytes.simd_eq(u8x16::splat(b'='));
        let others = bytes.simd_eq(u8x16::splat(b']')) | bytes.simd_eq(u8x16::splat(0x7f));
        blanks(bytes) | signs | others | bytes
    })
}

/// The same of blanks alone.
#[inline]
pub(crate) fn spaces(text: &[u8]) -> u64 {
    bits(text, |bytes| bytes.simd_eq(u8x16::splat(b' ')))
}

/// The same of what opens a time of an access line, `[`, and of what ends a text in quotes, with the backslash.
#[inline]
pub(crate) fn access_ends(text: &[u8]) -> u64 {
    bits(text, |bytes| {
        let [quote, backslash] = [u8x16::splat(b'"'), u8x16::splat(b'\\')];
        bytes.simd_eq(quote) | bytes.simd_eq(backslash) | bytes.simd_eq(u8x16::splat(b'['))
    })
}

/// All bits of each byte that is a blank or a control character.
#[inline]
fn blanks(bytes: u8x16) -> u8x16 {
    bytes.min(u8x16::splat(b' ')).simd_eq(bytes)
}

/// The high bits of what `test` answers: a byte that is no ASCII has one itself.
#[inline]
fn bits(text: &[u8], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let bits = |block: &[u8; BLOCK]| {
        let (parts, _) = block.as_chunks::<16>();
        let bits = |part: &[u8; 16]| u64::from(test(u8x16::new(*part)).to_bitmask());
        parts.iter().rev().fold(0, |all, part| all << 16 | bits(part))
    };
    text.first_chunk().map_or_else(
        || {
            // No test asks for a nought.
            let mut block = [b'0'; BLOCK];
            block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            bits(&block)
        },
        bits,
    )
}

/// The bits of the block of `text` that begins at `at`, by `test`, where the text has one.
#[inline]
pub(crate) fn bits_at(text: &[u8], at: usize, test: impl Fn(&[u8]) -> u64) -> Option<u64> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    Some(match text.last_chunk::<BLOCK>() {
        // A block that ends where the text does: what is left would have to be copied.
        Some(last) if rest.len() < BLOCK => test(last) >> (BLOCK - rest.len()),
        _ => test(rest),
    })
}

/// Goes through the bytes of a text that are in question, in order; each is looked at once.
pub(crate) struct Search<'a> {
    text: &'a [u8],
    /// The bits of a block.
    test: fn(&[u8]) -> u64,
    /// Where the block begins that was looked at last.
    block: usize,
    bits: u64,
}

impl<'a> Search<'a> {
    /// Through `text`, where `test` has the bits of a block.
    #[inline]
    pub(crate) fn new(text: &'a [u8], test: fn(&[u8]) -> u64) -> Self {
        Self { text, test, block: 0, bits: test(text) }
    }

    /// The first in question from the place `from` on, which is not before the one that was answered last.
    #[inline(always)]
    pub(crate) fn next(&mut self, from: usize) -> Option<usize> {
        match self.bits_from(from) {
            0 => self.next_beyond(from),
            bits => Some(self.block + bits.trailing_zeros() as usize),
        }
    }

    /// Those of the block that was looked at last.
    #[inline(always)]
    fn bits_from(&self, from: usize) -> u64 {
        let passed = from.saturating_sub(self.block);
        if passed < BLOCK { self.bits >> passed << passed } else { 0 }
    }

    fn next_beyond(&mut self, from: usize) -> Option<usize> {
        loop {
            self.block += BLOCK;
            self.bits = bits_at(self.text, self.block, self.test)?;
            let bits = self.bits_from(from);
            if bits != 0 {
                return Some(self.block + bits.trailing_zeros() as usize);
            }
        }
    }
}

/// Whether `text` is ASCII, and has nothing that JSON wants escaped in a text.
#[inline(always)]
pub(crate) fn is_clean(text: &[u8]) -> bool {
    // What is no ASCII has its high bit set.
    !any(text, |bytes| bytes | text_ends(bytes))
}

/// The same of a name, which has no blank and no dot either.
#[inline(always)]
pub(crate) fn is_plain_name(name: &[u8]) -> bool {
    !any(name, |bytes| {
        let signs = bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'));
        blanks(bytes) | signs | bytes.simd_eq(u8x16::splat(b'.')) | bytes
    })
}

/// A bit for each place of `text` where `byte` is, the lowest for the first; none where the text is shorter than sixteen bytes or
/// longer than a block.
#[inline]
pub(crate) fn places(text: &[u8], byte: u8) -> Option<u64> {
    let last = text.last_chunk().filter(|_| text.len() <= BLOCK)?;
    let bits = |part: &[u8; 16]| u64::from(u8x16::new(*part).simd_eq(u8x16::splat(byte)).to_bitmask());
    let (parts, _) = text.as_chunks();
    let all = parts.iter().rev().fold(0, |all, part| all << 16 | bits(part));
    // The last ones have some bytes once more, at the same places.
    Some(all | bits(last) << (text.len() - 16))
}

/// Whether `text` has a `byte`, which is no nought of print.
#[inline(always)]
pub(crate) fn have(text: &[u8], byte: u8) -> bool {
    any(text, |bytes| bytes.simd_eq(u8x16::splat(byte)))
}

/// Copies `text` to `to`, which is as long, and answers whether it [`is_clean`].
#[inline(always)]
pub(crate) fn copy_clean(to: &mut [u8], text: &[u8]) -> bool {
    !copy_testing(to, text, |bytes| bytes | text_ends(bytes))
}

/// Copies a short text to `to`, which is as long, without the call that the standard library makes of it.
#[inline(always)]
pub(crate) fn copy(to: &mut [u8], text: &[u8]) {
    copy_testing(to, text, |_| u8x16::splat(0));
}

/// Copies and answers whether `test` answers a high bit for any byte.
#[inline(always)]
fn copy_testing(to: &mut [u8], text: &[u8], test: impl Fn(u8x16) -> u8x16) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return copy_few(to, text, test) };
    let mut found = test(u8x16::new(*last));
    for (to, part) in to.as_chunks_mut().0.iter_mut().zip(text.as_chunks().0) {
        found |= test(u8x16::new(*part));
        *to = *part;
    }
    to.last_chunk_mut().into_iter().for_each(|to| *to = *last);
    found.to_bitmask() != 0
}

/// The same of fewer bytes than sixteen.
#[inline(always)]
fn copy_few(to: &mut [u8], text: &[u8], test: impl Fn(u8x16) -> u8x16) -> bool {
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        to.first_chunk_mut().into_iter().for_each(|to| *to = *first);
        to.last_chunk_mut().into_iter().for_each(|to| *to = *last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        to.first_chunk_mut().into_iter().for_each(|to| *to = *first);
        to.last_chunk_mut().into_iter().for_each(|to| *to = *last);
    } else {
        to.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    }
    test(few(text)).to_bitmask() != 0
}

/// Whether `test` answers a high bit for any byte of `text`; some it may get twice.
#[inline(always)]
fn any(text: &[u8], test: impl Fn(u8x16) -> u8x16) -> bool {
    let Some(last) = text.last_chunk() else { return test(few(text)).to_bitmask() != 0 };
    let (parts, _) = text.as_chunks();
    let found = parts.iter().fold(test(u8x16::new(*last)), |all, part| all | test(u8x16::new(*part)));
    found.to_bitmask() != 0
}

/// Fewer bytes than sixteen, some of them twice; of none, noughts as they are printed.
#[inline(always)]
fn few(text: &[u8]) -> u8x16 {
    let (first, last) = match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => {
            let word = words::last_word(text).unwrap_or(u64::from_le_bytes([b'0'; 8]));
            (word, word)
        }
    };
    u8x16::new((u128::from(last) << 64 | u128::from(first)).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::TestCaseResult;

    fn any_byte() -> impl Strategy<Value = u8> {
        prop_oneof![30 => b' '..=b'~', 1 => proptest::prelude::any::<u8>()]
    }

    fn searches(
        text: &[u8],
        skip: usize,
        test: fn(&[u8]) -> u64,
        is_one: impl Fn(&u8) -> bool,
    ) -> TestCaseResult {
        let (mut search, mut found, mut from) = (Search::new(text, test), Vec::new(), 0);
        while let Some(at) = search.next(from) {
            found.push(at);
            from = at + 1;
        }
        let expected: Vec<_> = (0..text.len()).filter(|at| text.get(*at).is_some_and(&is_one)).collect();
        prop_assert_eq!(&found, &expected);
        let next = expected.into_iter().find(|at| *at >= skip);
        prop_assert_eq!(Search::new(text, test).next(skip), next);
        Ok(())
    }

    proptest! {
        #[test]
        fn blocks_find_what_bytes_find(text in proptest::collection::vec(any_byte(), 0..150), skip in 0_usize..160) {
            let is_end = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
            let ends = json_text_ends(&text);
            for index in 0..BLOCK {
                prop_assert_eq!(ends >> index & 1 == 1, text.get(index).is_some_and(is_end));
            }
            let is_pair_end = |byte: &u8| matches!(byte, 0..=b' ' | b'=' | b'"' | b'\\' | b'.' | 0x80..);
            prop_assert_eq!(have(&text, b'.'), text.contains(&b'.'));
            for (at, places) in (0..text.len()).zip(std::iter::repeat(places(&text, b'e'))) {
                prop_assert!(places.is_none_or(|places| (places >> at & 1 == 1) == (text[at] == b'e')));
            }
            prop_assert_eq!(places(&text, b'e').is_some(), (16..=BLOCK).contains(&text.len()));
            let is_element_end = |byte: &u8| matches!(byte, 0..=b' ' | b'=' | b'"' | b'\\' | b']' | 0x7f..);
            let is_access_end = |byte: &u8| matches!(byte, b'[' | b'"' | b'\\');
            searches(&text, skip, pair_ends, is_pair_end)?;
            searches(&text, skip, element_ends, is_element_end)?;
            searches(&text, skip, access_ends, is_access_end)?;
            searches(&text, skip, spaces, |byte| *byte == b' ')?;
            let is_all_clean = text.is_ascii() && !text.iter().any(is_end);
            prop_assert_eq!(is_clean(&text), is_all_clean);
            let (mut copied, mut tested) = (vec![0; text.len()], vec![0; text.len()]);
            copy(&mut copied, &text);
            prop_assert_eq!(copy_clean(&mut tested, &text), is_all_clean);
            prop_assert_eq!((&copied, &tested), (&text, &text));
        }
    }
}
