//! Texts of times that few programs print, looked at where no common form fits.
//!
//! | example | from |
//! |---|---|
//! | `2024-01-15 10:30:45 CET`, `2024-01-15 10:30:45 Europe/Berlin` | PostgreSQL, JavaScript, by hand |
//! | `2024-01-15 10:30:45.123 +0100 CET m=+0.001` | Go's `time.String()` |
//! | `Mon Jan 15 10:30:45 UTC 2024` | `date`, Java's `Date` |
//! | `Jan 15 10:30:45` | syslog, where the event's own time tells the year |
//! | `20240115T103045Z`, `2024-01-15T10:30Z`, `2024-01-15T10:30:45+01:00[Europe/Berlin]` | the rest of ISO 8601, and RFC 9557 |
//!
//! A zone that means several offsets makes no time, as in [`abbreviation`].

use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset};

use super::abbreviation;
use super::civil::{Civil, Zone};
use super::forms::{self, Said};
use crate::event::Timestamp;

static PARSER: DateTimeParser = DateTimeParser::new();

/// What is longer is none of them.
const LONGEST: usize = 80;

/// The time that `text` is; `about` is the event's own, where it may tell a year.
pub(super) fn read(text: &str, zone: &Zone, about: Option<Timestamp>) -> Option<Timestamp> {
    if text.len() > LONGEST {
        return None;
    }
    if let Ok((rest, said)) = forms::iso(text) {
        return with_zone(said, rest, zone).or_else(|| iso(text, zone));
    }
    if let Ok(("", said)) = forms::syslog(text) {
        return said.at(about?, zone);
    }
    match forms::date(text) {
        Ok(("", (said, abbreviation))) => in_zone(said, abbreviation, zone),
        _ => iso(text, zone),
    }
}

/// A time with what stands behind it: a zone, and what Go's monotonic clock says.
fn with_zone(said: Said, rest: &str, zone: &Zone) -> Option<Timestamp> {
    let rest = rest.split_once(" m=").map_or(rest, |(rest, _)| rest);
    match (abbreviation::read(rest), said.offset) {
        (None, Some(_)) if rest.is_empty() => said.civil.at(said.offset, zone),
        (Some((_, "")), Some(_)) => said.civil.at(said.offset, zone),
        (Some((word, "")), None) => in_zone(said, word, zone),
        (_, None) => said.civil.at(None, &Zone::named(rest.strip_prefix(' ')?)?),
        _ => None,
    }
}

fn in_zone(said: Said, abbreviation: &str, zone: &Zone) -> Option<Timestamp> {
    // The year is said, so that nothing is near to anything.
    let about = Timestamp::new(0, 0)?;
    abbreviation::at(said, abbreviation, about, zone)
}

/// Without seconds or separators, or with a zone's name in brackets.
fn iso(text: &str, zone: &Zone) -> Option<Timestamp> {
    // Shorter is a date alone, or a number in quotes.
    if text.len() < 13 {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-01-15T10:30:45Z
    const SECONDS: i64 = 1_705_314_645;

    fn seconds(text: &str) -> Option<i64> {
        let about = Timestamp::new(SECONDS + 86_400 * 60, 0);
        read(text, &Zone::Utc, about).map(Timestamp::seconds)
    }

    #[test]
    fn a_zone_may_be_said_by_its_name() {
        for text in [
            "2024-01-15 11:30:45 CET",
            "2024-01-15 11:30:45.5 CET",
            "2024-01-15 11:30:45 Europe/Berlin",
            "2024-01-15T11:30:45[Europe/Berlin]",
            "2024-01-15T11:30:45+01:00[Europe/Berlin]",
            "2024-01-15 11:30:45 +0100 CET",
            "2024-01-15 11:30:45.123456789 +0100 CET m=+0.001",
            "Mon Jan 15 10:30:45 UTC 2024",
            "Mon Jan 15 11:30:45 CET 2024",
            "Mon Jan 15 02:30:45 PST 2024",
            "Jan 15 10:30:45",
            "20240115T103045Z",
        ] {
            assert_eq!(seconds(text), Some(SECONDS), "{text}");
        }
        assert_eq!(seconds("2024-01-15T10:30Z"), Some(SECONDS - 45));
    }

    #[test]
    fn a_zone_that_is_not_known_or_means_several_makes_no_time() {
        for text in [
            "2024-01-15 10:30:45 IST",
            "2024-01-15 10:30:45 Mars/Olympus",
            "2024-01-15 10:30:45 is when",
            "2024-01-15 10:30:45 +0100 is when",
            "Mon Jan 15 10:30:45 IST 2024",
            "Jan 15 10:30:45 2024",
            "Jan 15 10:30:45 x",
            "2024-W03-1",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(read("Jan 15 10:30:45", &Zone::Utc, None), None);
    }
}
