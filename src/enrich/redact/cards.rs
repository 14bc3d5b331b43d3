//! Card numbers: 13 to 19 digits, together or in groups with a blank or a dash between, that begin as one of the issuers' do
//! and whose check digit is right (ISO/IEC 7812-1, annex B, by Luhn).
//!
//! Time grows with the text alone: from each group of digits on no more than 19 are looked at.

use super::bytes;

/// Digits of a card number.
const LEAST: usize = 13;
const MOST: usize = 19;

/// Digits that tell the issuer.
const PREFIX: usize = 4;

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
    while let Some(start) = text.get(..to).and_then(|run| next_digit(run, at)) {
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
    let mut rest = text.get(start..)?;
    let (mut first, mut count, mut lengths, mut sums, mut end) = (0, 0, 0, Sums::default(), None);
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'0'..=b'9' => {
                count += 1;
                sums = sums.with(byte - b'0');
                if count <= PREFIX {
                    first = first * 10 + u32::from(byte - b'0');
                    if count == PREFIX {
                        lengths = issued(first)?;
                    }
                }
                let ends = || after.first().is_none_or(|next| !next.is_ascii_alphanumeric());
                if lengths & 1 << count != 0 && sums.has_check_digit() && ends() {
                    end = Some(text.len() - after.len());
                }
                // One digit more makes it no card number, unless it is of the next group.
                if count == MOST {
                    return end;
                }
            }
            b' ' | b'-' if after.first().is_some_and(u8::is_ascii_digit) => (),
            _ => return end,
        }
    }
    end
}

/// The lengths of numbers that begin with these four digits, a bit each; none where no issuer's do. Visa, Mastercard, American Express, Discover,
/// Diners Club, JCB, UnionPay, Maestro.
fn issued(first: u32) -> Option<u32> {
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

/// Sums of the digits so far, each second one doubled: as if the last were one of those, and as if it were not.
#[derive(Clone, Copy, Default)]
struct Sums {
    doubled: u8,
    plain: u8,
}

impl Sums {
    /// With one digit more. The sums of nineteen digits of nine at most fit in.
    #[inline]
    fn with(self, digit: u8) -> Self {
        // The sum of the digits of twice a digit.
        let twice = if digit < 5 { 2 * digit } else { 2 * digit - 9 };
        Self { doubled: self.plain + twice, plain: self.doubled + digit }
    }

    #[inline]
    fn has_check_digit(self) -> bool {
        self.plain.is_multiple_of(10)
    }
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
