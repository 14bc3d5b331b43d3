//! Card numbers: 13 to 19 digits, together or in groups with a blank or a dash between, that begin as one of the issuers' do
//! and whose check digit is right (ISO/IEC 7812-1, annex B, by Luhn).
//!
//! Time grows with the text alone: from each group of digits on no more than 19 are looked at.

use super::bytes;

/// Digits of a card number.
const LEAST: usize = 13;
const MOST: usize = 19;

/// Hands each card number in `text` to `found`, by where it begins and ends.
///
/// The shortest is so long that one of so many places lies in it: most bytes are never looked at.
pub(super) fn find(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut at = LEAST - 1;
    while let Some(byte) = text.get(at) {
        let mut end = at;
        if bytes::is(*byte, bytes::CARD) {
            let (before, from) = text.split_at_checked(at).unwrap_or((text, &[]));
            let start = at - bytes::count_back(before, bytes::CARD, before.len());
            end += bytes::count(from, bytes::CARD);
            if end - start >= LEAST {
                find_in_run(text, start, end, &mut found);
            }
        }
        // The byte at `end` is of none.
        at = end + LEAST;
    }
}

fn find_in_run(text: &[u8], from: usize, to: usize, found: &mut impl FnMut(usize, usize)) {
    let mut at = from;
    while let Some(start) = next_digit(text, at).filter(|start| *start < to) {
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        at = match card(text, start).filter(|_| before.is_none_or(|before| !before.is_ascii_alphanumeric())) {
            Some(end) => {
                found(start, end);
                end
            }
            None => end_of_group(text, start),
        };
    }
}

fn next_digit(text: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.iter().position(u8::is_ascii_digit).map(|at| from + at)
}

fn end_of_group(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// Where the longest card number that begins at `start` ends.
fn card(text: &[u8], start: usize) -> Option<usize> {
    let (mut digits, mut count, mut lengths, mut end) = ([0; MOST], 0, 0, None);
    for (index, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte - b'0';
                count += 1;
                if count == 4 {
                    lengths = issued(&digits)?;
                }
                let is_length = count >= LEAST && lengths & 1 << count != 0;
                let ends = text.get(index + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
                if is_length && ends && digits.get(..count).is_some_and(has_check_digit) {
                    end = Some(index + 1);
                }
                // One digit more makes it no card number, unless it is of the next group.
                if count == MOST {
                    return end;
                }
            }
            b' ' | b'-' if text.get(index + 1).is_some_and(u8::is_ascii_digit) => (),
            _ => return end,
        }
    }
    end
}

/// The lengths of numbers that begin so, a bit each; none where no issuer's do. Visa, Mastercard, American Express, Discover,
/// Diners Club, JCB, UnionPay, Maestro.
fn issued(digits: &[u8; MOST]) -> Option<u32> {
    let first = digits.iter().take(4).fold(0, |first, digit| first * 10 + u32::from(*digit));
    let lengths = |least: u32| u32::MAX << least;
    match first {
        4000..=4999 => Some(1 << 13 | 1 << 16 | 1 << 19),
        5100..=5599 | 2221..=2720 => Some(1 << 16),
        3400..=3499 | 3700..=3799 => Some(1 << 15),
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => Some(lengths(14)),
        6011 | 6440..=6499 | 6500..=6599 | 3528..=3589 | 6200..=6299 | 8100..=8199 => Some(lengths(16)),
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => Some(lengths(13)),
        _ => None,
    }
}

fn has_check_digit(digits: &[u8]) -> bool {
    /// The sum of the digits of twice a digit.
    const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let doubled = |digit: u8| u32::from(DOUBLED.get(usize::from(digit)).copied().unwrap_or_default());
    let sum = digits.rchunks(2).fold(0, |sum, pair| match pair {
        [second, first] => sum + doubled(*second) + u32::from(*first),
        [first, ..] => sum + u32::from(*first),
        [] => sum,
    });
    sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text.as_bytes(), |start, end| found.push(text.get(start..end).expect("ASCII")));
        found
    }

    #[test]
    fn numbers_that_issuers_publish_for_tests_are_found_in_any_grouping() {
        for number in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "6200000000000005",
            "6759649826438453",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        ] {
            assert_eq!(found(number), [number]);
            assert_eq!(found(&format!("order 12345 {number}, paid")), [number]);
        }
    }

    #[test]
    fn what_is_no_card_number_is_left() {
        for text in [
            "",
            "4111111111111112",
            "1795867200123456789",
            "2024-01-15 10:30:45",
            "a4111111111111111",
            "41111111111111110000",
            "4111111111111111f",
            "4111.1111.1111.1111",
            "0000000000000000",
            "411111111111",
            "4111  1111 1111 1111",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_mebibyte_of_digits_is_none() {
        assert_eq!(found(&"4".repeat(1 << 20)), [""; 0]);
        let groups = "4111 ".repeat(200_000);
        assert!(found(&groups).iter().all(|card| card.len() <= 2 * MOST));
    }
}
