//! Times as RFC 3339 with nine digits, so that documents sort by it as text too.

use jiff::tz::Offset;

use crate::event::Timestamp;

/// Bytes of `2026-11-23T15:14:58`.
const SECOND_LENGTH: usize = 19;

/// Bytes of `.123456789Z`.
const FRACTION_LENGTH: usize = 11;

/// Bytes of both.
const LENGTH: usize = SECOND_LENGTH + FRACTION_LENGTH;

/// Writes `at` without quotes.
pub(super) fn write(out: &mut Vec<u8>, at: Timestamp) {
    out.extend_from_slice(&second(at.seconds()));
    out.extend_from_slice(&fraction(at.nanos()));
}

/// Writes times of which many fall into one second, as logs do.
#[derive(Default)]
pub(super) struct TimeWriter {
    second: i64,
    /// Noughts, before there was any.
    text: [u8; LENGTH],
}

impl TimeWriter {
    /// `at`, without quotes.
    #[inline]
    pub(super) fn text(&mut self, at: Timestamp) -> &[u8] {
        if self.second != at.seconds() || self.text.first() == Some(&0) {
            self.second = at.seconds();
            self.text[..SECOND_LENGTH].copy_from_slice(&second(at.seconds()));
        }
        self.text[SECOND_LENGTH..].copy_from_slice(&fraction(at.nanos()));
        &self.text
    }
}

fn second(seconds: i64) -> [u8; SECOND_LENGTH] {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let time = Offset::UTC.to_datetime(time);
    let year = u32::try_from(time.year()).unwrap_or_default();
    let part = |part: i8| two(u32::try_from(part).unwrap_or_default());
    let ([y1, y2], [y3, y4], [m1, m2], [d1, d2]) =
        (two(year / 100), two(year % 100), part(time.month()), part(time.day()));
    let ([h1, h2], [n1, n2], [s1, s2]) = (part(time.hour()), part(time.minute()), part(time.second()));
    [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2]
}

/// The digits of a number below a hundred.
const fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

#[inline]
const fn fraction(nanos: u32) -> [u8; FRACTION_LENGTH] {
    let [[a, b], [c, d], [e, f], [g, h]] = [
        two(nanos / 10_000_000),
        two(nanos / 100_000 % 100),
        two(nanos / 1_000 % 100),
        two(nanos / 10 % 100),
    ];
    [b'.', a, b, c, d, e, f, g, h, b'0' + (nanos % 10) as u8, b'Z']
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: i64, nanos: u32) -> String {
        let mut writer = TimeWriter::default();
        let text = writer.text(Timestamp::new(seconds, nanos).expect("in range"));
        String::from_utf8(text.to_vec()).expect("ASCII")
    }

    #[test]
    fn times_are_written_to_the_nanosecond() {
        assert_eq!(written(1_705_314_645, 123_456_789), "2024-01-15T10:30:45.123456789Z");
        assert_eq!(written(1_705_314_645, 5), "2024-01-15T10:30:45.000000005Z");
        assert_eq!(written(0, 0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(written(-1, 0), "1969-12-31T23:59:59.000000000Z");
    }

    #[test]
    fn the_far_ends_of_what_can_be_written_are_written() {
        assert_eq!(written(253_402_207_200, 999_999_999), "9999-12-30T22:00:00.999999999Z");
        assert_eq!(written(-62_167_219_200, 0), "0000-01-01T00:00:00.000000000Z");
    }
}
