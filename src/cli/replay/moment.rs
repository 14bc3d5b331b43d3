//! A moment, as people say it.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};

use crate::event::Timestamp;

/// `2026-11-28`, `2026-11-28 12:00`, `2026-11-28T12:00:00Z`, or `2h` for two hours ago. What says no zone is of this machine's.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is neither a time such as 2026-11-28T12:00:00Z nor an age such as 2h");
    let moment = text.parse().ok().or_else(|| ago(text)).or_else(|| local(text)).ok_or_else(wrong)?;
    Timestamp::from_jiff(moment).ok_or_else(wrong)
}

/// Days and weeks are those of the calendar here: `1d` is this time yesterday, whatever the clocks did in between.
fn ago(text: &str) -> Option<jiff::Timestamp> {
    let age: Span = text.parse().ok()?;
    Some(ZonedDateTime::now().checked_sub(age.abs()).ok()?.timestamp())
}

fn local(text: &str) -> Option<jiff::Timestamp> {
    let civil = text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(DateTime::from))?;
    TimeZone::system().to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_dates_and_ages() {
        assert_eq!(
            parse("2026-11-28T12:00:00.5Z"),
            Ok(Timestamp::new(1_795_867_200, 500_000_000).expect("a time"))
        );
        assert_eq!(parse("1969-12-31T23:59:59.5Z"), Ok(Timestamp::new(-1, 500_000_000).expect("a time")));
        let age = Timestamp::now().seconds() - parse("2h").expect("an age").seconds();
        assert!((7_199..7_202).contains(&age), "{age}");
        for (age, seconds) in [
            ("1h30m", 5_400),
            ("90s", 90),
            ("1d", 86_400),
            ("30d", 30 * 86_400),
            ("1w", 7 * 86_400),
            ("1d 2h", 93_600),
        ] {
            let told = Timestamp::now().seconds() - parse(age).expect(age).seconds();
            assert!((told - seconds).abs() <= 3_602, "{age}: {told}");
        }
        assert!(parse("2026-11-28") < parse("2026-11-28 00:01"));
        for wrong in ["", "yesterday", "2026-13-01", "5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
