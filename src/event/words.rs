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

/// The high bit of every byte that is no digit.
pub(crate) const fn not_digit(word: u64) -> u64 {
    let values = word ^ (ONES * b'0' as u64);
    // No byte carries into the next: what is at most 127 and 118 is at most 245.
    (values | (values & !HIGHS).wrapping_add(ONES * (128 - 10))) & HIGHS
}

/// The number that eight digits make, each a byte of `values` from 0 to 9, the lowest the first.
pub(crate) const fn number(values: u64) -> u32 {
    // Of neighbours one number each: twos of ones, fours of twos, eight of fours.
    let twos = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) as u32
}

/// Of a text that begins with digits: how many they are, but at most eight, and the number that they make with noughts behind them,
/// up to eight digits.
#[inline]
pub(crate) fn leading_digits(bytes: &[u8]) -> (usize, u32) {
    let word = first_word(bytes);
    let others = not_digit(word);
    // All that is below the first byte that is no digit.
    let digits = (others & others.wrapping_neg()).wrapping_sub(1) >> 7;
    let digits = if others == 0 { u64::MAX } else { digits };
    (others.trailing_zeros() as usize / 8, number((word ^ (ONES * b'0' as u64)) & digits))
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
    let last = match bytes.last_chunk() {
        Some(_) if rest.is_empty() => return None,
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        None => first_word(rest),
    };
    let at = test(last).trailing_zeros() as usize / 8;
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

/// The first eight bytes; behind fewer, noughts.
#[inline]
pub(crate) fn first_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), ..) => u64::from_le_bytes(*first),
        (_, Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The last eight bytes, or, of fewer, all of them in some places, some of them twice.
#[inline(always)]
pub(super) fn last_word(bytes: &[u8]) -> Option<u64> {
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
            let is_other = |byte: &u8| !byte.is_ascii_digit();
            prop_assert_eq!(super::any(&bytes, not_digit), bytes.iter().any(is_other));
        }

        #[test]
        fn digits_are_a_number(digits in "[0-9]{0,10}", behind in "[a-z.:\u{80}-\u{ff}/]?[0-9]{0,3}") {
            let text = format!("{digits}{behind}");
            let count = text.bytes().take(8).take_while(u8::is_ascii_digit).count();
            let number = format!("{:0<8}", text.get(..count).expect("digits")).parse().expect("a number");
            prop_assert_eq!(leading_digits(text.as_bytes()), (count, number));
        }
    }

    fn any_byte() -> impl Strategy<Value = u8> {
        prop_oneof![b'a'..=b'z', proptest::prelude::any::<u8>()]
    }
}
