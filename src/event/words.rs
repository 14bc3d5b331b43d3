//! Short texts looked at eight bytes at a time.
//!
//! Names and most values are shorter than a vector register, where a loop over bytes, or one that the compiler makes of
//! it, costs more than the work itself.

/// 0x01 in every byte.
const ONES: u64 = u64::MAX / 255;
/// The high bit of every byte.
const HIGHS: u64 = ONES << 7;

/// The high bit set in every byte of `word` that is below `limit`, which is at most 128; exact for the lowest such byte.
pub(crate) const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGHS
}

/// The high bit set in every byte of `word` that is `byte`; exact for the lowest such byte.
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * byte as u64), 1)
}

/// The high bit of every byte that is no ASCII.
pub(crate) const fn not_ascii(word: u64) -> u64 {
    word & HIGHS
}

/// The high bit of every byte that JSON wants escaped in a text, or that ends one; exact for the lowest such byte.
pub(crate) const fn ends_json_text(word: u64) -> u64 {
    below(word, b' ') | equal(word, b'"') | equal(word, b'\\')
}

/// Whether `test`, which answers not 0 for a word with a byte in question, does so for any word of `bytes`. Where the
/// length is no multiple of eight, some bytes are looked at twice.
#[inline]
pub(crate) fn any(bytes: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let (words, _) = bytes.as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | test(u64::from_le_bytes(*word)));
    found != 0 || last_word(bytes).is_some_and(|word| test(word) != 0)
}

/// Where the first byte in question is. `test` has to be exact for the lowest byte of a word.
#[inline]
pub(crate) fn find(bytes: &[u8], test: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = test(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    let mut last = [0x80; 8];
    let filled = last.get_mut(..rest.len())?;
    filled.copy_from_slice(rest);
    let at = test(u64::from_le_bytes(last)).trailing_zeros() as usize / 8;
    (at < rest.len()).then_some(8 * words.len() + at)
}

/// Whether two short texts are the same, without the call that the standard library makes of it.
#[inline]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || last_word(a) != last_word(b) {
        return false;
    }
    let ((a, _), (b, _)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// The last eight bytes, or, of fewer, all of them in some places, some of them twice.
#[inline]
fn last_word(bytes: &[u8]) -> Option<u64> {
    if let Some(last) = bytes.last_chunk::<8>() {
        return Some(u64::from_le_bytes(*last));
    }
    Some(match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        (_, _, [first, .., last]) => {
            let middle = bytes.get(1).copied().unwrap_or(*first);
            (ONES * u64::from(*first)) & 0xff_ffff_ffff
                | u64::from(middle) << 40
                | u64::from(*last) << 48
                | u64::from(*last) << 56
        }
        (_, _, [only]) => ONES * u64::from(*only),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_find_what_bytes_find(bytes in proptest::collection::vec(any_byte(), 0..40), limit in 1_u8..=128, byte: u8) {
            prop_assert_eq!(super::any(&bytes, |word| below(word, limit)), bytes.iter().any(|byte| *byte < limit));
            prop_assert_eq!(super::any(&bytes, |word| equal(word, byte)), bytes.contains(&byte));
            prop_assert_eq!(super::any(&bytes, not_ascii), !bytes.is_ascii());
            let mut other = bytes.clone();
            prop_assert!(same(&bytes, &other));
            if let Some(place) = bytes.len().checked_sub(1 + usize::from(byte) % bytes.len().max(1)) {
                other[place] ^= 1;
                prop_assert!(!same(&bytes, &other) && !same(&bytes, &bytes[1..]));
            }
            let either = |word| below(word, limit) | equal(word, byte);
            prop_assert_eq!(find(&bytes, either), bytes.iter().position(|one| *one < limit || *one == byte));
        }
    }

    fn any_byte() -> impl Strategy<Value = u8> {
        prop_oneof![b'a'..=b'z', proptest::prelude::any::<u8>()]
    }
}
