//! The forms in which lines say a time, each a nom parser over the beginning of a text.
//!
//! | form | example | printed by |
//! |---|---|---|
//! | [`iso`] | `2024-01-15T10:30:45.123Z`, `2024/01/15 10:30:45`, `2024-01-15 10:30:45,123 +0100` | nearly all |
//! | [`clf`] | `15/Jan/2024:10:30:45 +0000` | web servers |
//! | [`short_year`] | `24/01/15 10:30:45` | Spark |
//! | [`gin`] | `2024/01/15 - 10:30:45` | Gin |
//! | [`american`] | `01/15/2024, 10:30:45 AM` | NestJS |
//! | [`clock`] | `10:30:45.123` | Logback and Log4j without configuration, no day |
//! | [`syslog`] | `Jan 15 10:30:45` | RFC 3164, no year |
//! | [`cisco`] | `Jan 15 2024 10:30:45` | Cisco |
//! | [`ctime`] | `Mon Jan 15 10:30:45.123456 2024` | Apache's error log, C |
//! | [`rfc2822`] | `Mon, 15 Jan 2024 10:30:45 +0000`, `15 Jan 2024 10:30:45,123` | mail, Redis, log4j |
//!
//! A zone is `Z`, `UTC`, `GMT` or an offset, `+01`, `+0100`, `+01:00`, behind a blank or not. Other abbreviations are
//! ambiguous and stay in the rest.

use nom::Parser;

pub(crate) use super::clock::{time_of_day, zone};

use super::abbreviation;
use super::civil::{Civil, Zone};
use super::clock::{tail, time_of_day_at, two, zone_at};
use super::shape::Shape;
use crate::event::Timestamp;
use crate::parse::token::{Read, byte, digits, misfit};

/// A time as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) civil: Civil,
    /// Seconds east of UTC.
    pub(crate) offset: Option<i32>,
    /// Whether the year was said; a month that is 0 says that the day was not said either.
    pub(crate) has_year: bool,
}

impl Said {
    /// The point in time; see [`Civil::at`], [`Civil::near`] and [`Civil::on_the_day`].
    pub(crate) fn at(self, about: Timestamp, zone: &Zone) -> Option<Timestamp> {
        match self {
            Self { has_year: true, .. } => self.civil.at(self.offset, zone),
            Self { civil: Civil { month: 0, .. }, .. } => self.civil.on_the_day(about, self.offset, zone),
            _ => self.civil.near(about, self.offset, zone),
        }
    }
}

/// `24-01-15`, the end of a date.
const DASHES: Shape = Shape::new(b"00-00-00");
/// `24/01/15`
const SLASHES: Shape = Shape::new(b"00/00/00");
/// `15/Jan/2`, the beginning of a date.
const DAY: Shape = Shape::new(b"00/   /0");
/// `/2024:10`, its end.
const YEAR: Shape = Shape::new(b"/0000   ");

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Date and time of day, biggest first, with `-` or `/` inside the date and a blank or `T` behind it.
pub(crate) fn iso(text: &str) -> Read<'_, Said> {
    iso_here(text)
}

/// The same without a call, through whose answer a time takes longer than to be read: for formats of which many lines come.
#[inline(always)]
pub(crate) fn iso_here(text: &str) -> Read<'_, Said> {
    iso_at(text.as_bytes()).map_or_else(misfit, |(end, said)| Ok((tail(text, end), said)))
}

/// The same at the beginning of `text`, and where it ends.
#[inline(always)]
pub(super) fn iso_at(text: &[u8]) -> Option<(usize, Said)> {
    let (&[y1, y2, ref end @ .., b'T' | b't' | b' '], _) = text.split_first_chunk::<11>()? else {
        return None;
    };
    let shape = if end.get(2) == Some(&b'/') { SLASHES } else { DASHES };
    let (century, end) = (two(y1, y2)?, shape.parts(end)?);
    with_time(text, 11, year_of(century, end.two(0)), end.two(3), end.two(6))
}

/// Day, month and year with slashes, then the time of day behind a colon, and the offset.
#[inline]
pub(crate) fn clf(text: &str) -> Read<'_, Said> {
    slashes(text, b':')
}

/// The same with `gap` before the time of day.
#[inline]
pub(crate) fn slashes(text: &str, gap: u8) -> Read<'_, Said> {
    let bytes = text.as_bytes();
    let (Some(day), Some(&[_, _, _, m1, m2, m3, ref year @ ..])) =
        (bytes.first_chunk(), bytes.first_chunk::<14>())
    else {
        return misfit();
    };
    let (Some(day), Some(month), Some(parts)) = (DAY.parts(day), month([m1, m2, m3]), YEAR.parts(year))
    else {
        return misfit();
    };
    if bytes.get(11) != Some(&gap) {
        return misfit();
    }
    with_time(bytes, 12, year_of(parts.two(1), parts.two(3)), month, day.two(0))
        .map_or_else(misfit, |(end, said)| Ok((tail(text, end), said)))
}

/// A date, the time of day at `at` of `text`, and the zone behind it; where all that ends.
#[inline(always)]
fn with_time(text: &[u8], at: usize, year: i16, month: i8, day: i8) -> Option<(usize, Said)> {
    let (end, time) = time_of_day_at(text, at)?;
    let (end, offset) = zone_at(text, end);
    Some((end, Said { civil: Civil { year, month, day, ..time }, offset, has_year: true }))
}

/// Year of two digits, month and day with slashes, and the time of day; of this century.
pub(crate) fn short_year(text: &str) -> Read<'_, Said> {
    let Some((date, _)) = text.as_bytes().split_first_chunk::<9>() else { return misfit() };
    let [y1, y2, b'/', m1, m2, b'/', d1, d2, b' '] = *date else { return misfit() };
    let (Some(year), Some(month), Some(day)) = (two(y1, y2), two(m1, m2), two(d1, d2)) else {
        return misfit();
    };
    let (rest, time) = time_of_day(tail(text, 9))?;
    let civil = Civil { year: 2000 + i16::from(year), month, day, ..time };
    Ok((rest, Said { civil, offset: None, has_year: true }))
}

/// Date and time of day with a dash between them, as Gin has them.
pub(crate) fn gin(text: &str) -> Read<'_, Said> {
    let Some((date, _)) = text.as_bytes().split_first_chunk::<13>() else { return misfit() };
    let [y1, y2, y3, y4, b'/', m1, m2, b'/', d1, d2, b' ', b'-', b' '] = *date else { return misfit() };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (two(y1, y2), two(y3, y4), two(m1, m2), two(d1, d2))
    else {
        return misfit();
    };
    let (rest, time) = time_of_day(tail(text, 13))?;
    let civil = Civil { year: year_of(century, year), month, day, ..time };
    Ok((rest, Said { civil, offset: None, has_year: true }))
}

/// Month, day and year with slashes, and twice twelve hours, in the words of the United States.
pub(crate) fn american(text: &str) -> Read<'_, Said> {
    let (rest, month) = day(text)?;
    let (rest, ()) = byte(b'/').parse_complete(rest)?;
    let (rest, of_month) = day(rest)?;
    let (rest, ()) = byte(b'/').parse_complete(rest)?;
    let (rest, year) = year(rest)?;
    let (rest, hour) = day(rest.strip_prefix(", ").map_or_else(misfit, Ok)?)?;
    let Some((&[b':', m1, m2, b':', s1, s2], _)) = rest.as_bytes().split_first_chunk::<6>() else {
        return misfit();
    };
    // Newer Unicode data has a narrow blank that does not break.
    let half = tail(rest, 6).strip_prefix([' ', '\u{202f}']).unwrap_or_default();
    let (rest, noon) = match (half.strip_prefix("AM"), half.strip_prefix("PM")) {
        (Some(rest), _) => (rest, 0),
        (_, Some(rest)) => (rest, 12),
        _ => return misfit(),
    };
    let (Some(minute), Some(second), 1..=12) = (two(m1, m2), two(s1, s2), hour) else { return misfit() };
    let civil = Civil { year, month, day: of_month, hour: hour % 12 + noon, minute, second, nanos: 0 };
    Ok((rest, Said { civil, offset: None, has_year: true }))
}

/// A time of day alone.
pub(crate) fn clock(text: &str) -> Read<'_, Said> {
    let (rest, civil) = time_of_day(text)?;
    Ok((rest, Said { civil, offset: None, has_year: false }))
}

/// Month, day and time of day, without a year: RFC 3164, section 4.1.2; the day is filled with a blank or a nought.
pub(crate) fn syslog(text: &str) -> Read<'_, Said> {
    let (rest, (month, day)) = month_and_day(text)?;
    let (rest, time) = time_of_day(rest)?;
    Ok((rest, Said { civil: Civil { year: 0, month, day, ..time }, offset: None, has_year: false }))
}

/// The same with the year behind the day, as Cisco's devices can be told to say it.
pub(crate) fn cisco(text: &str) -> Read<'_, Said> {
    let (rest, (month, day)) = month_and_day(text)?;
    let (rest, year) = year(rest)?;
    let (rest, ()) = byte(b' ').parse_complete(rest)?;
    let (rest, time) = time_of_day(rest)?;
    Ok((rest, Said { civil: Civil { year, month, day, ..time }, offset: None, has_year: true }))
}

/// Weekday, month, day, time of day, year, as C's `ctime` and Apache's error log have it.
pub(crate) fn ctime(text: &str) -> Read<'_, Said> {
    let (rest, said) = weekday_and_time(text)?;
    with_year(rest, said)
}

/// The same with a zone's abbreviation before the year, as `date` prints it.
pub(super) fn date(text: &str) -> Read<'_, (Said, &str)> {
    let (rest, said) = weekday_and_time(text)?;
    let Some((zone, rest)) = abbreviation::read(rest) else { return misfit() };
    let (rest, said) = with_year(rest, said)?;
    Ok((rest, (said, zone)))
}

fn weekday_and_time(text: &str) -> Read<'_, Said> {
    let (rest, ()) = byte(b' ').parse_complete(weekday(text)?)?;
    syslog(rest)
}

fn with_year(text: &str, said: Said) -> Read<'_, Said> {
    let (rest, ()) = byte(b' ').parse_complete(text)?;
    let (rest, year) = year(rest)?;
    Ok((rest, Said { civil: Civil { year, ..said.civil }, has_year: true, ..said }))
}

/// Day, month as a word, year, time of day; a weekday with a comma may come first (RFC 2822, section 3.3).
pub(crate) fn rfc2822(text: &str) -> Read<'_, Said> {
    let text = match weekday(text).ok().and_then(|rest| rest.strip_prefix(", ")) {
        Some(rest) => rest.trim_start_matches(' '),
        None => text,
    };
    let (rest, day) = day(text)?;
    let Some((&[b' ' | b'-', m1, m2, m3, b' ' | b'-'], _)) = rest.as_bytes().split_first_chunk::<5>() else {
        return misfit();
    };
    let Some(month) = month([m1, m2, m3]) else { return misfit() };
    let (rest, year) = year(tail(rest, 5))?;
    let (rest, ()) = byte(b' ').parse_complete(rest)?;
    let (rest, time) = time_of_day(rest)?;
    let (rest, offset) = zone(rest);
    Ok((rest, Said { civil: Civil { year, month, day, ..time }, offset, has_year: true }))
}

fn weekday(text: &str) -> Result<&str, nom::Err<()>> {
    WEEKDAYS.iter().find_map(|day| text.strip_prefix(day)).map_or_else(misfit, Ok)
}

/// `Jan 15 ` or `Jan  5 `.
fn month_and_day(text: &str) -> Read<'_, (i8, i8)> {
    let Some((&[m1, m2, m3, b' ', d1, d2, b' '], _)) = text.as_bytes().split_first_chunk::<7>() else {
        return misfit();
    };
    let d1 = if d1 == b' ' { b'0' } else { d1 };
    match (month([m1, m2, m3]), two(d1, d2)) {
        (Some(month), Some(day)) => Ok((tail(text, 7), (month, day))),
        _ => misfit(),
    }
}

/// One or two digits.
fn day(text: &str) -> Read<'_, i8> {
    let (rest, day) = digits(text)?;
    day.parse().ok().filter(|_| day.len() <= 2).map_or_else(misfit, |day| Ok((rest, day)))
}

fn year(text: &str) -> Read<'_, i16> {
    let (rest, year) = digits(text)?;
    year.parse().ok().filter(|_| year.len() == 4).map_or_else(misfit, |year| Ok((rest, year)))
}

fn month(name: [u8; 3]) -> Option<i8> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

#[inline]
fn year_of(century: i8, year: i8) -> i16 {
    i16::from(century) * 100 + i16::from(year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-01-15T10:30:45Z
    const SECONDS: i64 = 1_705_314_645;

    fn at(read: Read<'_, Said>, nanos: u32, offset: i64, rest: &str) {
        let (left, said) = read.expect("a time");
        let about = Timestamp::new(SECONDS, 0).expect("a time");
        assert_eq!((left, said.at(about, &Zone::Utc)), (rest, Timestamp::new(SECONDS - offset, nanos)));
    }

    #[test]
    fn each_form_is_read_and_the_rest_stays() {
        at(iso("2024-01-15T10:30:45.123Z x"), 123_000_000, 0, " x");
        at(iso("2024/01/15 10:30:45 [error]"), 0, 0, " [error]");
        at(iso("2024-01-15 10:30:45,123 +0100 INFO"), 123_000_000, 3_600, " INFO");
        at(iso("2024-01-15 10:30:45.000001-05:30"), 1_000, -19_800, "");
        at(iso("2024-01-15 10:30:45 UTC [7]"), 0, 0, " [7]");
        at(iso("2024-01-15 10:30:45 CET [7]"), 0, 0, " CET [7]");
        at(clf("15/Jan/2024:10:30:45 +0000] \""), 0, 0, "] \"");
        at(short_year("24/01/15 10:30:45 INFO"), 0, 0, " INFO");
        at(gin("2024/01/15 - 10:30:45 | 200"), 0, 0, " | 200");
        at(american("01/15/2024, 10:30:45 AM   LOG"), 0, 0, "   LOG");
        at(american("1/15/2024, 10:30:45\u{202f}PM"), 0, -43_200, "");
        at(clock("10:30:45.123 [main]"), 123_000_000, 0, " [main]");
        at(slashes("15/Jan/2024 10:30:45] \"", b' '), 0, 0, "] \"");
        at(syslog("Jan 15 10:30:45 host"), 0, 0, " host");
        at(cisco("Jan 15 2024 10:30:45: %ASA"), 0, 0, ": %ASA");
        at(ctime("Mon Jan 15 10:30:45.123456 2024]"), 123_456_000, 0, "]");
        at(rfc2822("Mon, 15 Jan 2024 10:30:45 +0100"), 0, 3_600, "");
        at(rfc2822("15 Jan 2024 10:30:45.123 * Ready"), 123_000_000, 0, " * Ready");
        at(rfc2822("15-Jan-2024 10:30:45 UTC PHP"), 0, 0, " PHP");
    }

    #[test]
    fn a_blank_before_the_day_is_a_nought() {
        let (_, said) = syslog("Feb  5 01:02:03").expect("a time");
        assert_eq!((said.civil.month, said.civil.day), (2, 5));
    }

    #[test]
    fn what_is_nearly_a_time_is_none() {
        for text in [
            "",
            "2024-01-15",
            "2024-01-15T10:30",
            "2024-01/15 10:30:45",
            "2024-01-15_10:30:45",
            "2024-01-15T25:30:45",
            "20a4-01-15T10:30:45",
            "15/Jun/2024 10:30:45",
            "15/Foo/2024:10:30:45",
            "Jan 15 2024 10:30:45",
            "Foo 15 10:30:45",
            "größe 15 10:30:45",
            "2024-01-15T10:30:4",
            "2024-01-15T10:30;45",
            "2024-01-15T10:3a:45",
            "15/Jan/2024:10:",
            "15/Jan-2024:10:30:45",
            "15/Jan/20",
            "2024/01/15 10:30:45",
            "01/15/2024, 10:30:45",
            "01/15/2024, 13:30:45 PM",
            "01/15/2024, 00:30:45 AM",
        ] {
            for form in [clf, syslog, ctime, rfc2822, gin, american] {
                assert!(form(text).is_err(), "{text}");
            }
            assert!(iso(text).is_err() || text == "2024/01/15 10:30:45", "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_the_rest_is_its_end(text in r"[A-Za-z]{0,3}[ ,]{0,2}[0-9]{0,4}[-/ ][0-9A-Za-z]{0,3}[-/ ][0-9]{0,4}[T :][0-9:]{0,8}[.,]?[0-9]{0,10}[Zä +\-0-9:]{0,6}") {
            let about = Timestamp::new(SECONDS, 0).expect("a time");
            for form in [iso, clf, short_year, gin, american, clock, syslog, ctime, rfc2822] {
                let Ok((rest, said)) = form(&text) else { continue };
                prop_assert!(text.ends_with(rest));
                let _in_range_or_none = said.at(about, &Zone::Utc);
            }
        }
    }
}
