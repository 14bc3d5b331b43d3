//! The time that a line says of itself: forms in [`forms`], points in time in [`civil`].
//!
//! A time without an offset is taken as of the pipeline's zone, UTC where it names none, which is what containers run in.
//! Numbers are seconds since 1970, or milli-, micro- or nanoseconds, told apart by their size: each reading gives a year
//! from 1973 on for exactly one of them.

pub(crate) mod abbreviation;
pub(crate) mod civil;
mod clock;
pub(crate) mod forms;
mod shape;

pub use civil::Zone;

use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset};

use crate::event::Timestamp;
use civil::Civil;

static PARSER: DateTimeParser = DateTimeParser::new();

/// Reads the JSON text of a time: a string in one of the forms above, or a number.
pub fn parse_time(json: &str, zone: &Zone) -> Option<Timestamp> {
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => match text.as_bytes() {
            // Nearly all: to look for blanks of all alphabets costs as much as to read the time.
            [b'!'..=b'~', .., b'!'..=b'~'] => parse_time_text(text, zone),
            _ => parse_time_text(text.trim(), zone),
        },
        None => parse_number(json),
    }
}

/// Reads the text of a time that is nothing else; a date alone says too little to move an event by.
pub fn parse_time_text(text: &str, zone: &Zone) -> Option<Timestamp> {
    // In the order in which they are common. A form without a year is for the formats that have it.
    let forms = [forms::iso, forms::rfc2822, forms::clf, forms::ctime];
    let said = forms.iter().find_map(|form| form(text).ok().filter(|(rest, _)| rest.is_empty()));
    match said {
        Some((_, said)) => said.civil.at(said.offset, zone),
        None => parse_quoted(text).or_else(|| parse_rare(text, zone)),
    }
}

/// A number that was made a text, as nginx's `$msec` often is. The digits of a date in a row are none: those of this
/// century begin with a two, and no number of this size does before 2033.
fn parse_quoted(text: &str) -> Option<Timestamp> {
    let whole = text.bytes().position(|byte| byte == b'.').unwrap_or(text.len());
    let is_number = text.starts_with('1') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_whole = matches!(whole, 10 | 13 | 16 | 19) && !text.ends_with('.');
    (is_number && is_whole).then(|| parse_number(text)).flatten()
}

/// The rest of ISO 8601: without seconds or separators, with a zone's name in brackets.
fn parse_rare(text: &str, zone: &Zone) -> Option<Timestamp> {
    // Shorter is a date alone, or a number in quotes.
    if !(13..=60).contains(&text.len()) {
        return None;
    }
    let pieces: Pieces<'_> = PARSER.parse_pieces(text).ok()?;
    let time = pieces.time()?;
    let date = pieces.date();
    let offset = match pieces.offset() {
        Some(PiecesOffset::Numeric(offset)) => Some(offset.offset().seconds()),
        Some(PiecesOffset::Zulu) => Some(0),
        _ => None,
    };
    let named = pieces.to_time_zone().ok().flatten().map(Zone::Named);
    let civil = Civil {
        year: date.year(),
        month: date.month(),
        day: date.day(),
        hour: time.hour(),
        minute: time.minute(),
        second: time.second(),
        nanos: u32::try_from(time.subsec_nanosecond()).ok()?,
    };
    civil.at(offset, named.as_ref().unwrap_or(zone))
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
        Err(_) if *scale == 1 => parse_decimal(json).or_else(|| Timestamp::from_float(number)),
        Err(_) => Timestamp::from_float(number / *scale as f64),
    }
}

/// Seconds with a fraction, digit by digit: a float holds no nanoseconds.
fn parse_decimal(json: &str) -> Option<Timestamp> {
    let (seconds, fraction) = json.split_once('.')?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.get(..9).unwrap_or(fraction);
    let nanos: u32 = digits.parse().ok()?;
    Timestamp::new(seconds.parse().ok()?, nanos * 10_u32.pow(9 - digits.len() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: i64 = 1_705_314_645;

    fn read(text: &str) -> Option<Timestamp> {
        parse_time(&format!("\"{text}\""), &Zone::Utc)
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
        assert_eq!(parse_time("1705314645", &Zone::Utc), Timestamp::new(SECONDS, 0));
        assert_eq!(parse_time("1705314645.123", &Zone::Utc), fraction);
        assert_eq!(parse_time("1705314645123", &Zone::Utc), fraction);
        assert_eq!(parse_time("1705314645123000", &Zone::Utc), fraction);
        assert_eq!(parse_time("1705314645123000000", &Zone::Utc), fraction);
    }

    #[test]
    fn a_number_in_quotes_is_a_time_where_it_has_the_digits_of_one() {
        assert_eq!(read("1705314645"), Timestamp::new(SECONDS, 0));
        assert_eq!(read("1705314645.123"), Timestamp::new(SECONDS, 123_000_000));
        assert_eq!(read("1705314645123"), Timestamp::new(SECONDS, 123_000_000));
        for text in
            ["170531464", "17053146451", "20240115103045", "1705314645.", "1705.3146", "17a5314645", "1."]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_fraction_is_read_digit_by_digit() {
        assert_eq!(parse_time("1705314645.123456789", &Zone::Utc), Timestamp::new(SECONDS, 123_456_789));
        assert_eq!(parse_time("1705314645.1234567891", &Zone::Utc), Timestamp::new(SECONDS, 123_456_789));
        assert_eq!(parse_time("1.705314645123e9", &Zone::Utc), Timestamp::new(SECONDS, 123_000_000));
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
            assert_eq!(parse_time(json, &Zone::Utc), None, "{json}");
        }
    }
}
