//! Texts of times that few programs print, looked at where no common form fits.
//!
//! | example | from |
//! |---|---|
//! | `2024-01-15 10:30:45 CET`, `2024-01-15 10:30:45 Europe/Berlin` | PostgreSQL, JavaScript, by hand |
//! | `2024-01-15 10:30:45.123 +0100 CET m=+0.001` | Go's `time.String()` |
//! | `Mon Jan 15 10:30:45 UTC 2024` | `date`, Java's `Date` |
//! | `Jan 15 10:30:45` | syslog, where the event's own time tells the year |
//! | `2024-015T10:30:45Z`, `2024-W03-1T10:30:45Z` | ISO 8601 by the day of the year, and by week |
//! | `15 Jan 2024 10:30:45 EST`, `Mon, 15 Jan 2024 10:30 +0100` | the rest of RFC 2822 |
//! | `20240115T103045Z`, `2024-01-15T10:30Z`, `2024-01-15T10:30:45+01:00[Europe/Berlin]` | the rest of ISO 8601, and RFC 9557 |
//!
//! A zone that means several offsets makes no time, as in [`abbreviation`].

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Weekday};
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
    if let Some((said, rest)) = by_day_or_week(text) {
        return with_zone(said, rest, zone);
    }
    if let Some(time) = rfc2822(text, zone) {
        return Some(time);
    }
    match forms::date(text) {
        Ok(("", (said, abbreviation))) => in_zone(said, abbreviation, zone),
        _ => iso(text, zone),
    }
}

/// Without seconds, or with a zone's abbreviation.
fn rfc2822(text: &str, zone: &Zone) -> Option<Timestamp> {
    if let Ok((rest, said)) = forms::rfc2822(text) {
        return with_zone(said, rest, zone);
    }
    let (minutes, rest) = text.split_at_checked(text.find(':')? + 3)?;
    let whole = (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{minutes}:00{rest}"))?;
    let (rest, said) = forms::rfc2822(&whole).ok()?;
    if rest.is_empty() { said.civil.at(said.offset, zone) } else { with_zone(said, rest, zone) }
}

/// A date that is the day of its year, or a day of a week.
fn by_day_or_week(text: &str) -> Option<(Said, &str)> {
    let year: i16 = text.get(..4)?.parse().ok()?;
    let rest = text.get(4..)?.strip_prefix('-')?;
    let (date, rest) = match rest.strip_prefix('W') {
        Some(rest) => {
            let (week, day) = rest.get(..4)?.split_once('-')?;
            let day = Weekday::from_monday_one_offset(day.parse().ok()?).ok()?;
            (ISOWeekDate::new(year, week.parse().ok()?, day).ok()?.date(), rest.get(4..)?)
        }
        None => {
            let day: i16 = rest.get(..3)?.parse().ok()?;
            let date = Date::new(year, 1, 1).ok()?.checked_add((day - 1).days()).ok()?;
            (Some(date).filter(|date| date.year() == year)?, rest.get(3..)?)
        }
    };
    let (rest, time) = forms::time_of_day(rest.strip_prefix(['T', ' '])?).ok()?;
    let (rest, offset) = forms::zone(rest);
    let civil = Civil { year: date.year(), month: date.month(), day: date.day(), ..time };
    Some((Said { civil, offset, has_year: true }, rest))
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
    // What is more than a day from the meridian is on no clock.
    if offset.is_some_and(|offset| offset.unsigned_abs() >= 86_400) {
        return None;
    }
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
            "15 Jan 2024 05:30:45 EST",
            "Mon, 15 Jan 2024 02:30:45 PST",
            "20240115T103045Z",
            "2024-015T10:30:45Z",
            "2024-W03-1T11:30:45+01:00",
        ] {
            assert_eq!(seconds(text), Some(SECONDS), "{text}");
        }
        for text in [
            "2024-01-15T10:30Z",
            "Mon, 15 Jan 2024 02:30 -0800",
            "15 Jan 2024 05:30 EST",
            "15 Jan 2024 10:30",
        ] {
            assert_eq!(seconds(text), Some(SECONDS - 45), "{text}");
        }
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
            "2024-W53-1T10:30:45Z",
            "2024-000T10:30:45Z",
            "2024-367T10:30:45Z",
            "2023-366T10:30:45Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(read("Jan 15 10:30:45", &Zone::Utc, None), None);
    }
}
