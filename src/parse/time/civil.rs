//! A date and a time of day as a line says them, brought to a point in time.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::clock;
use crate::event::Timestamp;

/// The zone of times that name none.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Zone {
    /// UTC, which is what containers run in.
    #[default]
    Utc,
    /// One of the time-zone database, or an offset that always holds.
    Named(TimeZone),
}

impl Zone {
    /// By its name in the time-zone database, `UTC` or `Europe/Berlin`, or by its offset, `+05:30`; none where there is no
    /// such zone.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "UTC" | "Z" | "Etc/UTC" => Some(Self::Utc),
            _ if name.starts_with(['+', '-']) => Self::fixed(name),
            _ => TimeZone::get(name).ok().map(Self::Named),
        }
    }

    /// `+05:30`, `+0530` or `+05`.
    fn fixed(offset: &str) -> Option<Self> {
        match clock::zone(offset) {
            ("", Some(0)) => Some(Self::Utc),
            ("", Some(seconds)) => {
                Offset::from_seconds(seconds).ok().map(|offset| Self::Named(TimeZone::fixed(offset)))
            }
            _ => None,
        }
    }

    /// Its name, by which it is found again.
    pub fn name(&self) -> Cow<'_, str> {
        let Self::Named(zone) = self else { return "UTC".into() };
        match (zone.iana_name(), zone.to_fixed_offset()) {
            (None, Ok(offset)) => {
                let minutes = offset.seconds() / 60;
                let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60).into()
            }
            (name, _) => name.unwrap_or("UTC").into(),
        }
    }
}

/// What a line says, to the nanosecond; the parts may be out of range until [`Civil::at`] looks at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    pub(crate) nanos: u32,
}

/// How far ahead of the event's own time, in seconds, a line's may be: clocks differ, but not by more than zones do.
pub(crate) const AHEAD: i64 = 2 * 86_400;

/// The same of a time of day, which would otherwise be of yesterday: clocks differ by less.
const CLOCKS_DIFFER: i64 = 3_600;

/// Days of a year before each month, and before the next year.
const DAYS: [u16; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Days before a year, from one that is before all that an `i16` has.
const fn days_before(year: i32) -> i32 {
    // Leap years come again after 400 years; from here on no number is below nought.
    let years = (year + 400 * 100 - 1) as u32;
    (365 * years + years / 4 - years / 100 + years / 400) as i32
}

impl Civil {
    /// The point in time, `offset` seconds east of UTC where it is said, in `zone` where it is not. A leap second is the
    /// second before it.
    pub(crate) fn at(self, offset: Option<i32>, zone: &Zone) -> Option<Timestamp> {
        let second = if self.second == 60 { 59 } else { self.second };
        let civil = Self { second, ..self };
        let seconds = match (offset, zone) {
            (None, Zone::Named(zone)) => civil.seconds_in(zone)?,
            (offset, _) => civil.seconds()? - i64::from(offset.unwrap_or_default()),
        };
        Timestamp::new(seconds, self.nanos)
    }

    /// The same as [`Civil::seconds`] in `zone`; apart, since few lines need it and it needs all registers.
    #[inline(never)]
    fn seconds_in(self, zone: &TimeZone) -> Option<i64> {
        let Self { year, month, day, hour, minute, second, .. } = self;
        let local = match hour {
            24 => DateTime::new(year, month, day, 0, minute, second, 0).ok()?.tomorrow().ok()?,
            _ => DateTime::new(year, month, day, hour, minute, second, 0).ok()?,
        };
        Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_second())
    }

    /// Seconds from 1970 on, as if in UTC; none where a part is out of range. By hand, since every line with a time asks.
    fn seconds(self) -> Option<i64> {
        let month = usize::try_from(self.month).ok()?.checked_sub(1)?;
        let (before, end) = (i32::from(*DAYS.get(month)?), i32::from(*DAYS.get(month + 1)?));
        let (year, day) = (i32::from(self.year), i32::from(self.day));
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = end - before + i32::from(is_leap && month == 1);
        let is_of_clock =
            matches!((self.hour, self.minute, self.second), (0..=23, 0..=59, 0..=59) | (24, 0, 0));
        if !is_of_clock || !(1..=length).contains(&day) {
            return None;
        }
        let days = days_before(year) - days_before(1970) + before + i32::from(is_leap && month > 1) + day - 1;
        let minutes = i64::from(days) * 1_440 + i64::from(self.hour) * 60 + i64::from(self.minute);
        Some(minutes * 60 + i64::from(self.second))
    }

    /// The same where the line says no year: the latest that is no more than [`AHEAD`] ahead of `about`: a line is printed
    /// before it arrives. So a line of New Year's Eve that arrives on New Year's Day is of the old year, and one of March in November
    /// of this one.
    pub(crate) fn near(self, about: Timestamp, offset: Option<i32>, zone: &Zone) -> Option<Timestamp> {
        let year = Offset::UTC.to_datetime(jiff::Timestamp::from_second(about.seconds()).ok()?).year();
        // The 29th of February is no day of most years.
        let years = [year + 1, year, year - 1].map(|year| Self { year, ..self }.at(offset, zone));
        years.into_iter().flatten().find(|time| time.seconds() - about.seconds() <= AHEAD)
    }

    /// The same where the line says no day: the latest that is no more than [`CLOCKS_DIFFER`] ahead of `about`.
    pub(crate) fn on_the_day(self, about: Timestamp, offset: Option<i32>, zone: &Zone) -> Option<Timestamp> {
        // By zone, its own day is one of UTC's or a neighbour of it.
        let days = [1, 0, -1, -2].into_iter().filter_map(|by| {
            let day = jiff::Timestamp::from_second(about.seconds().checked_add(by * 86_400)?).ok()?;
            let date = Offset::UTC.to_datetime(day).date();
            Self { year: date.year(), month: date.month(), day: date.day(), ..self }.at(offset, zone)
        });
        { days }.find(|time| time.seconds() - about.seconds() <= CLOCKS_DIFFER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn days_are_counted_as_jiff_counts_them(year in 0_i16..=9_999, month in 0_i8..=13, day in -1_i8..=32, hour in -1_i8..=24, second in 0_i8..=61) {
            let civil = Civil { year, month, day, hour, minute: 30, second, nanos: 0 };
            let local = DateTime::new(year, month, day, hour, 30, if second == 60 { 59 } else { second }, 0);
            let expected = local.ok().and_then(|local| Offset::UTC.to_timestamp(local).ok());
            let expected = expected.and_then(|time| Timestamp::new(time.as_second() + 60, 0));
            prop_assert_eq!(civil.at(Some(-60), &Zone::Utc), expected);
        }
    }

    const EVE: Civil = Civil { year: 0, month: 12, day: 31, hour: 23, minute: 59, second: 58, nanos: 5 };
    /// 2024-01-01T00:00:03Z
    const NEW_YEAR: i64 = 1_704_067_203;

    #[test]
    fn a_line_of_new_years_eve_is_of_the_old_year() {
        let about = Timestamp::new(NEW_YEAR, 0).expect("a time");
        assert_eq!(EVE.near(about, None, &Zone::Utc), Timestamp::new(NEW_YEAR - 5, 5));
        let first = Civil { month: 1, day: 1, hour: 0, minute: 0, second: 3, ..EVE };
        let before = Timestamp::new(NEW_YEAR - 60, 0).expect("a time");
        assert_eq!(first.near(before, None, &Zone::Utc), Timestamp::new(NEW_YEAR, 5));
    }

    #[test]
    fn a_line_of_any_month_is_of_the_last_twelve() {
        // 2026-11-28T12:00:00Z
        let about = Timestamp::new(1_795_867_200, 0).expect("a time");
        for (month, day, year) in [(3, 4, 2026), (11, 28, 2026), (11, 30, 2026), (12, 1, 2025)] {
            let noon = Civil { month, day, hour: 12, ..Civil::default() };
            let expected = Civil { year, ..noon }.at(None, &Zone::Utc);
            assert_eq!(noon.near(about, None, &Zone::Utc), expected, "{month}-{day}");
        }
    }

    #[test]
    fn a_time_of_day_that_is_still_to_come_is_of_the_day_before() {
        let eleven = Timestamp::new(NEW_YEAR + 23 * 3_600, 0).expect("a time");
        let clock = |hour, minute| Civil { hour, minute, ..Civil::default() };
        for (hour, minute, seconds) in [(5, 6, 5 * 3_600 + 360), (23, 59, 86_340), (0, 0, 86_400), (0, 1, 60)]
        {
            let expected = Timestamp::new(NEW_YEAR - 3 + seconds, 0);
            assert_eq!(clock(hour, minute).on_the_day(eleven, None, &Zone::Utc), expected, "{hour}:{minute}");
        }
        let samoa = Zone::named("Pacific/Pago_Pago").expect("a zone");
        // 13:20 of the day before, there.
        let midnight = Timestamp::new(NEW_YEAR + 20 * 60, 0).expect("a time");
        let expected = Timestamp::new(NEW_YEAR - 3 - 14 * 3_600, 0);
        assert_eq!(clock(23, 0).on_the_day(midnight, None, &samoa), expected);
    }

    #[test]
    fn a_time_of_day_alone_is_of_the_nearest_day() {
        let about = Timestamp::new(NEW_YEAR, 0).expect("a time");
        assert_eq!(EVE.on_the_day(about, None, &Zone::Utc), Timestamp::new(NEW_YEAR - 5, 5));
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let one = Civil { hour: 1, minute: 0, second: 4, ..Civil::default() };
        assert_eq!(one.on_the_day(about, None, &berlin), Timestamp::new(NEW_YEAR + 1, 0));
        let never = Timestamp::new(i64::MAX / 2, 0);
        assert_eq!(never.and_then(|about| EVE.on_the_day(about, None, &Zone::Utc)), None);
    }

    #[test]
    fn the_leap_day_is_of_a_leap_year() {
        let leap = Civil { month: 2, day: 29, ..EVE };
        for (days, year) in [(-30, None), (90, Some(2024)), (400, Some(2024)), (900, None)] {
            let about = Timestamp::new(NEW_YEAR + 86_400 * days, 0).expect("a time");
            let expected = year.and_then(|year| Civil { year, ..leap }.at(None, &Zone::Utc));
            assert_eq!(leap.near(about, None, &Zone::Utc), expected, "{days} days on");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_in_the_zone() {
        let noon = Civil { year: 2024, month: 7, day: 1, hour: 12, ..Civil::default() };
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let utc = noon.at(None, &Zone::Utc).expect("a time");
        assert_eq!(noon.at(None, &berlin), Timestamp::new(utc.seconds() - 7_200, 0));
        assert_eq!(noon.at(Some(3_600), &berlin), Timestamp::new(utc.seconds() - 3_600, 0));
        assert!(Zone::named("Mars/Olympus").is_none());
    }

    #[test]
    fn a_zone_may_be_an_offset_that_always_holds() {
        let noon = Civil { year: 2024, month: 7, day: 1, hour: 12, ..Civil::default() };
        let utc = noon.at(None, &Zone::Utc).expect("a time").seconds();
        for (text, name, east) in [
            ("+05:30", "+05:30", 19_800),
            ("-0930", "-09:30", -34_200),
            ("+09", "+09:00", 32_400),
            ("-00:00", "UTC", 0),
        ] {
            let zone = Zone::named(text).expect("a zone");
            assert_eq!(zone.name(), name);
            assert_eq!(Zone::named(name), Some(zone.clone()), "it is found again by its name");
            assert_eq!(noon.at(None, &zone), Timestamp::new(utc - east, 0), "{text}");
        }
        for text in ["+", "+5", "+25:00", "+05:60", "+05:30 ", "+05:30x", "05:30"] {
            assert_eq!(Zone::named(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next() {
        let end = Civil { year: 2023, hour: 24, minute: 0, second: 0, ..EVE };
        let begin = Civil { year: 2024, month: 1, day: 1, hour: 0, ..end };
        for zone in [Zone::Utc, Zone::named("Europe/Berlin").expect("a zone")] {
            assert_eq!(end.at(None, &zone), begin.at(None, &zone), "{zone:?}");
        }
    }

    #[test]
    fn a_leap_second_is_held_and_other_nonsense_is_none() {
        let leap = Civil { second: 60, ..Civil { year: 2016, ..EVE } };
        assert_eq!(leap.at(None, &Zone::Utc), Civil { second: 59, ..leap }.at(None, &Zone::Utc));
        for bad in [
            Civil { second: 61, ..leap },
            Civil { hour: 24, ..leap },
            Civil { month: 13, ..leap },
            Civil { day: 0, ..leap },
        ] {
            assert_eq!(bad.at(None, &Zone::Utc), None, "{bad:?}");
        }
    }
}
