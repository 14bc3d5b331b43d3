//! The time that a line says of itself.
//!
//! RFC 3339 and its usual looser forms: a space for the `T`, a comma before the fraction, an offset with or without a colon.
//! A time without an offset is taken as UTC, which is what containers run in. Numbers are seconds since 1970, or
//! milli-, micro- or nanoseconds, told apart by their size: each reading gives a year from 1973 on for exactly one of them.

use jiff::civil::DateTime;
use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset};

use crate::event::Timestamp;

static PARSER: DateTimeParser = DateTimeParser::new();

/// Reads the JSON text of a time: a string in one of the forms above, or a number.
pub fn parse_time(json: &str) -> Option<Timestamp> {
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => parse_time_text(text.trim()),
        None => parse_number(json),
    }
}

/// Reads the text of a time.
pub fn parse_time_text(text: &str) -> Option<Timestamp> {
    // Shorter is a date alone, or a number in quotes, which says too little to move an event by.
    if !(16..=40).contains(&text.len()) {
        return None;
    }
    if let Some(time) = parse_usual(text.as_bytes()) {
        return Some(time);
    }
    let with_point;
    let text = if text.contains(',') {
        with_point = text.replacen(',', ".", 1);
        with_point.as_str()
    } else {
        text
    };
    let pieces: Pieces<'_> = PARSER.parse_pieces(text).ok()?;
    let offset = match pieces.offset() {
        Some(PiecesOffset::Numeric(offset)) => i64::from(offset.offset().seconds()),
        _ => 0,
    };
    at_offset(pieces.date().to_datetime(pieces.time()?), offset)
}

/// The form that nearly every logger prints, `2024-01-15T10:30:45` with or without a fraction, in UTC: read by place.
fn parse_usual(text: &[u8]) -> Option<Timestamp> {
    let (second, rest) = text.split_first_chunk::<19>()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', _, _, b':', _, _, b':', _, _] = second else {
        return None;
    };
    let digits = |from: usize, to: usize| number(second.get(from..to)?);
    let year = i16::try_from(digits(0, 4)?).ok()?;
    let small = |from: usize| i8::try_from(digits(from, from + 2)?).ok();
    let nanos = parse_fraction(rest.strip_suffix(b"Z").or(rest.strip_suffix(b"+00:00")).unwrap_or(rest))?;
    let local = DateTime::new(year, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, 0).ok()?;
    Timestamp::new(jiff::tz::Offset::UTC.to_timestamp(local).ok()?.as_second(), nanos)
}

/// `.123456`, `,123` or nothing, to nanoseconds.
fn parse_fraction(text: &[u8]) -> Option<u32> {
    match text {
        [] => Some(0),
        [b'.' | b',', digits @ ..] if (1..=9).contains(&digits.len()) => {
            Some(number(digits)? * 10_u32.pow(9 - digits.len() as u32))
        }
        _ => None,
    }
}

/// At most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}

fn at_offset(local: DateTime, offset: i64) -> Option<Timestamp> {
    let utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    let nanos = u32::try_from(local.subsec_nanosecond()).ok()?;
    let whole = utc.as_nanosecond().div_euclid(1_000_000_000);
    Timestamp::new(i64::try_from(whole).ok()? - offset, nanos)
}

/// Powers of ten below which a number is seconds, milliseconds, microseconds.
const SCALES: [(f64, i64); 4] = [(1e11, 1), (1e14, 1_000), (1e17, 1_000_000), (1e20, 1_000_000_000)];

fn parse_number(json: &str) -> Option<Timestamp> {
    let number: f64 = json.parse().ok()?;
    // why: a small number in a field called `time` is a duration or a counter, not the early seventies.
    if number.is_nan() || number < 1e8 {
        return None;
    }
    let (_, scale) = SCALES.iter().find(|(below, _)| number < *below)?;
    match json.parse::<i64>() {
        Ok(whole) => {
            let nanos = whole.rem_euclid(*scale) * (1_000_000_000 / scale);
            Timestamp::new(whole.div_euclid(*scale), u32::try_from(nanos).ok()?)
        }
        Err(_) => Timestamp::from_float(number / *scale as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: i64 = 1_705_314_645;

    fn read(text: &str) -> Option<Timestamp> {
        parse_time(&format!("\"{text}\""))
    }

    #[test]
    fn the_usual_forms_are_read() {
        let whole = Timestamp::new(SECONDS, 0);
        let fraction = Timestamp::new(SECONDS, 123_000_000);
        for text in [
            "2024-01-15T10:30:45Z",
            "2024-01-15 10:30:45",
            "2024-01-15T12:30:45+02:00",
            "2024-01-15T05:30:45-0500",
        ] {
            assert_eq!(read(text), whole, "{text}");
        }
        for text in
            ["2024-01-15T10:30:45.123Z", "2024-01-15 10:30:45,123", "2024-01-15T10:30:45.123000+00:00"]
        {
            assert_eq!(read(text), fraction, "{text}");
        }
        assert_eq!(read("2024-01-15T10:30:45.123456789Z"), Timestamp::new(SECONDS, 123_456_789));
    }

    #[test]
    fn numbers_are_read_by_their_size() {
        let fraction = Timestamp::new(SECONDS, 123_000_000);
        assert_eq!(parse_time("1705314645"), Timestamp::new(SECONDS, 0));
        assert_eq!(parse_time("1705314645.123"), fraction);
        assert_eq!(parse_time("1705314645123"), fraction);
        assert_eq!(parse_time("1705314645123000"), fraction);
        assert_eq!(parse_time("1705314645123000000"), fraction);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for json in [
            "null",
            "true",
            "12",
            "0.5",
            "{}",
            "\"\"",
            "\"yesterday\"",
            "\"2024-01-15\"",
            "\"2024-13-15T10:30:45Z\"",
            "1e300",
            "-1",
        ] {
            assert_eq!(parse_time(json), None, "{json}");
        }
    }
}
