//! The time that a line says of itself: forms in [`forms`], points in time in [`civil`].
//!
//! A time without an offset is taken as of the pipeline's zone, UTC where it names none, which is what containers run in.
//! Numbers are seconds since 1970, or milli-, micro- or nanoseconds, told apart by their size: each reading gives a year
//! from 1973 on for exactly one of them.

pub(crate) mod abbreviation;
pub(crate) mod civil;
mod clock;
pub(crate) mod forms;
mod rare;
mod shape;

pub use civil::Zone;

use crate::event::Timestamp;

/// Reads the JSON text of a time: a string in one of the forms above, or a number.
pub fn parse_time(json: &str, zone: &Zone) -> Option<Timestamp> {
    time_of_json(json, zone, None)
}

/// Reads the text of a time that is nothing else; a date alone says too little to move an event by.
pub fn parse_time_text(text: &str, zone: &Zone) -> Option<Timestamp> {
    time_of_text(text, zone, None)
}

/// As [`parse_time`]; where the event's own time is known, a year may be missing.
pub(super) fn time_of_json(json: &str, zone: &Zone, about: Option<Timestamp>) -> Option<Timestamp> {
    match json.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => match text.as_bytes() {
            // Nearly all: to look for blanks of all alphabets costs as much as to read the time.
            [b'!'..=b'~', .., b'!'..=b'~'] => time_of_text(text, zone, about),
            _ => time_of_text(text.trim(), zone, about),
        },
        None => parse_number(json),
    }
}

/// As [`parse_time_text`], in the same way.
pub(super) fn time_of_text(text: &str, zone: &Zone, about: Option<Timestamp>) -> Option<Timestamp> {
    time_of_iso(text.as_bytes(), zone).unwrap_or_else(|| time_of_rarer_text(text, zone, about))
}

/// The same of bytes.
pub(super) fn time_of_bytes(text: &[u8], zone: &Zone, about: Option<Timestamp>) -> Option<Timestamp> {
    time_of_iso(text, zone).unwrap_or_else(|| time_of_rarer_text(str::from_utf8(text).ok()?, zone, about))
}

/// Where `text` is one in the form that nearly all have, and nothing else: the time, unless there is no such day.
#[inline(always)]
fn time_of_iso(text: &[u8], zone: &Zone) -> Option<Option<Timestamp>> {
    let (end, said) = forms::iso_at(text)?;
    (end == text.len()).then(|| said.civil.at(said.offset, zone))
}

fn time_of_rarer_text(text: &str, zone: &Zone, about: Option<Timestamp>) -> Option<Timestamp> {
    // In the order in which they are common.
    let forms = [forms::rfc2822, forms::clf, forms::ctime];
    let said = forms.iter().find_map(|form| form(text).ok().filter(|(rest, _)| rest.is_empty()));
    match said {
        Some((_, said)) => said.civil.at(said.offset, zone),
        None => parse_quoted(text).or_else(|| rare::read(text, zone, about)),
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
