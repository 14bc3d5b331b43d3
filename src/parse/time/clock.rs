//! What forms of times have in common: a time of day, and the zone that it is in.

use super::civil::Civil;
use super::shape::Shape;
use crate::event::words;
use crate::parse::token::{Read, misfit};

const CLOCK: Shape = Shape::new(b"00:00:00");
/// An offset behind its sign.
const WHOLE: Shape = Shape::new(b" 0000   ");
/// The same with its colon.
const COLON: Shape = Shape::new(b" 00:00  ");

/// `10:30:45`, perhaps with a fraction behind a point or a comma, whose digits beyond the ninth are left out; `24:00:00`, the end
/// of a day.
pub(crate) fn time_of_day(text: &str) -> Read<'_, Civil> {
    time_of_day_at(text.as_bytes(), 0).map_or_else(misfit, |(end, time)| Ok((tail(text, end), time)))
}

/// The same at `at` of `text`, and where it ends.
#[inline(always)]
pub(super) fn time_of_day_at(text: &[u8], at: usize) -> Option<(usize, Civil)> {
    let (time, rest) = text.get(at..)?.split_first_chunk()?;
    let parts = CLOCK.parts(time)?;
    let (hour, minute, second) = (parts.two(0), parts.two(3), parts.two(6));
    let (taken, nanos) = fraction(rest);
    let is_time =
        (hour <= 23 && minute <= 59 && second <= 60) || (hour, minute, second, nanos) == (24, 0, 0, 0);
    is_time.then_some((at + 8 + taken, Civil { hour, minute, second, nanos, ..Civil::default() }))
}

/// How many bytes a fraction takes, and its nanoseconds.
#[inline]
fn fraction(text: &[u8]) -> (usize, u32) {
    let [b'.' | b',', digits @ ..] = text else { return (0, 0) };
    match (words::leading_digits(digits), digits.get(8..)) {
        ((0, _), _) => (0, 0),
        ((8, number), Some([ninth @ b'0'..=b'9', beyond @ ..])) => {
            let beyond = beyond.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (10 + beyond, number * 10 + u32::from(ninth - b'0'))
        }
        ((taken, number), _) => (taken + 1, number * 10),
    }
}

/// A zone, where there is one that is surely one; the rest is what follows it.
pub(crate) fn zone(text: &str) -> (&str, Option<i32>) {
    let (end, offset) = zone_at(text.as_bytes(), 0);
    (tail(text, end), offset)
}

/// The same at `at` of `text`, and where it ends.
#[inline(always)]
pub(super) fn zone_at(text: &[u8], at: usize) -> (usize, Option<i32>) {
    let begin = at + usize::from(text.get(at) == Some(&b' '));
    let bare = text.get(begin..).unwrap_or_default();
    let found = match bare {
        [b'+' | b'-', ..] => offset(bare),
        [b'Z', ..] if is_word_end(text, begin + 1) => Some((1, 0)),
        [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] if is_word_end(text, begin + 3) => Some((3, 0)),
        _ => None,
    };
    found.map_or((at, None), |(taken, offset)| (begin + taken, Some(offset)))
}

/// Whether no letter and no digit, of any alphabet, is at `at`.
#[inline]
fn is_word_end(text: &[u8], at: usize) -> bool {
    match text.get(at..) {
        Some([byte, ..]) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
        Some(rest) => {
            let first = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
            !first.is_some_and(char::is_alphanumeric)
        }
        None => true,
    }
}

/// `+01`, `+0100` or `+01:00`: how many bytes, and seconds east of UTC.
#[inline]
fn offset(text: &[u8]) -> Option<(usize, i32)> {
    let [sign @ (b'+' | b'-'), h1, h2, rest @ ..] = text else { return None };
    let shaped = text.first_chunk().map(|text| (WHOLE.parts(text), COLON.parts(text)));
    let (hours, minutes, taken) = match (shaped, rest) {
        // Mostly.
        (Some((Some(parts), _)), _) => (parts.two(1), parts.two(3), 5),
        (Some((_, Some(parts))), _) => (parts.two(1), parts.two(4), 6),
        (_, [b':', m1, m2, ..]) => (two(*h1, *h2)?, two(*m1, *m2)?, 6),
        (_, [m1 @ b'0'..=b'9', m2, ..]) => (two(*h1, *h2)?, two(*m1, *m2)?, 5),
        _ => (two(*h1, *h2)?, 0, 3),
    };
    if hours > 23 || minutes > 59 || text.get(taken).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let seconds = i32::from(hours) * 3_600 + i32::from(minutes) * 60;
    Some((taken, if *sign == b'-' { -seconds } else { seconds }))
}

/// Two digits.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<i8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| ((tens - b'0') * 10 + (ones - b'0')) as i8)
}

/// What follows the first `taken` bytes, which were ASCII.
pub(super) fn tail(text: &str, taken: usize) -> &str {
    text.get(taken..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_read_to_the_ninth_digit() {
        for (text, read) in [
            (".", (0, 0)),
            (",5", (2, 500_000_000)),
            (".1234567 ", (8, 123_456_700)),
            (".12345678", (9, 123_456_780)),
            (".123456789Z", (10, 123_456_789)),
            (".1234567890123Z", (14, 123_456_789)),
            (".a", (0, 0)),
            (":1", (0, 0)),
        ] {
            assert_eq!(fraction(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn a_day_ends_at_24_and_no_later() {
        assert!(time_of_day("24:00:00").is_ok());
        for text in ["24:00:01", "24:01:00", "24:00:00.5", "25:00:00"] {
            assert!(time_of_day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_behind_a_time_is_no_zone() {
        for text in ["Zoo", "Zä", " UTCX", " +1", " -x", "+010", " +2500", "+01000"] {
            assert_eq!(zone(text), (text, None), "{text}");
        }
    }
}
