//! The times that stand in a line, found by expressions and read by jiff, so that no parser of ours judges itself.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan};
use regex::{Captures, Regex};

use super::line_fixtures::ARRIVAL;

/// What a time looks like, and strptime's words for its parts but for the fraction and the zone.
const FORMS: [(&str, &str); 13] = [
    (r"(?<date>\d{1,2}/\d{1,2}/\d{4}), (?<clock>\d{1,2}:\d\d:\d\d[ \x{202f}][AP]M)", "%m/%d/%Y %I:%M:%S %p"),
    // HAProxy has the milliseconds in a place of their own.
    (
        r#"(?<date>\d\d/[A-Z][a-z]{2}/\d{4}):(?<clock>\d\d:\d\d:\d\d) \+0000\] .* "" "" \d+ (?<fraction>\d{3}) "#,
        "%d/%b/%Y %H:%M:%S",
    ),
    (r"(?<date>\d{4}-\d\d-\d\d)[T ](?<clock>\d\d:\d\d:\d\d)", "%Y-%m-%d %H:%M:%S"),
    (r"(?<date>\d{4}/\d\d/\d\d)(?: -)? (?<clock>\d\d:\d\d:\d\d)", "%Y/%m/%d %H:%M:%S"),
    (r"(?<date>\d\d/[A-Z][a-z]{2}/\d{4})[: ](?<clock>\d\d:\d\d:\d\d)", "%d/%b/%Y %H:%M:%S"),
    (r"(?<date>\d{1,2} [A-Z][a-z]{2} \d{4}) (?<clock>\d\d:\d\d:\d\d)", "%d %b %Y %H:%M:%S"),
    (r"(?<date>\d\d-[A-Z][a-z]{2}-\d{4}) (?<clock>\d\d:\d\d:\d\d)", "%d-%b-%Y %H:%M:%S"),
    (r"(?<date>[A-Z][a-z]{2} +\d{1,2} \d{4}) (?<clock>\d\d:\d\d:\d\d)", "%b %d %Y %H:%M:%S"),
    (
        r"(?<date>[A-Z][a-z]{2} +\d{1,2}) (?<clock>\d\d:\d\d:\d\d)(?<fraction>\.\d+)? (?<year>\d{4})",
        "%b %d %H:%M:%S",
    ),
    (r"(?<date>[A-Z][a-z]{2} +\d{1,2}) (?<clock>\d\d:\d\d:\d\d)", "%b %d %H:%M:%S"),
    (r"\b[IWEF](?<date>\d{4}) (?<clock>\d\d:\d\d:\d\d)", "%m%d %H:%M:%S"),
    (r"(?<date>\d\d/?\d\d/?\d\d) +(?<clock>\d{1,2}:\d\d:\d\d)", "%y%m%d %H:%M:%S"),
    (r"(?<date>)(?<clock>\d\d:\d\d:\d\d)", "%H:%M:%S"),
];

const END: &str =
    r"(?<end>[.,]\d+)?(?: ?(?<zone>[+-]\d\d(?::?\d\d)?|[A-Z]{1,4}|[A-Z][a-z]+(?:/[A-Z][A-Za-z_]+)+)\b)?";

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compile = |(form, words): (&str, _)| (Regex::new(&format!("{form}{END}")).expect("a regex"), words);
    FORMS.map(compile).into()
});

/// Seconds, or milli-, micro- or nanoseconds since 1970.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(1\d{18}|1\d{15}|1\d{12}|1\d{9})(\.\d+)?\b").expect("a regex"));

/// The same in two members of an object.
static INSTANT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(?:epochSecond|seconds)":(\d{10}),"(?:nanoOfSecond|nanos)":(\d+)"#).expect("a regex")
});

/// Every one that may be meant, and where it begins.
pub(super) fn times(line: &str) -> Vec<(usize, Timestamp)> {
    let placed = |captures: &Captures<'_>, time| Some((captures.get_match().start(), time?));
    let of_form = |(pattern, words): &'static (Regex, &str)| {
        pattern.captures_iter(line).filter_map(|found| placed(&found, time(&found, words)))
    };
    let numbers = NUMBER.captures_iter(line).filter_map(|found| placed(&found, number(&found)));
    let pairs = INSTANT.captures_iter(line).filter_map(|found| placed(&found, pair(&found)));
    PATTERNS.iter().flat_map(of_form).chain(numbers).chain(pairs).collect()
}

fn time(captures: &Captures<'_>, words: &str) -> Option<Timestamp> {
    let part = |name| captures.name(name).map_or("", |part| part.as_str());
    let text = format!(
        "{} {}",
        part("date").replace('/', if words.starts_with("%y") { "" } else { "/" }),
        part("clock")
    );
    let fraction = format!("{}{}", part("fraction"), part("end"));
    let nanos = format!("{:0<9.9}", fraction.trim_start_matches(['.', ',']));
    let parts = jiff::fmt::strtime::parse(words, text.trim_start().replace('\u{202f}', " ")).ok()?;
    let clock = parts.to_time().ok()?;
    let date = match part("year") {
        "" => parts.to_date().ok(),
        year => Date::new(year.parse().ok()?, parts.month()?, parts.day()?).ok(),
    };
    let at = |date: Date| instant(date.to_datetime(clock), part("zone"), nanos.parse().ok()?);
    match (date, parts.month()) {
        (Some(date), _) => at(date),
        // The year, or the day, that is the last by the time of arrival.
        (None, Some(month)) => {
            let years =
                [2026, 2025, 2024].into_iter().filter_map(|year| Date::new(year, month, parts.day()?).ok());
            { years }.filter_map(at).find(|time| time.as_second() <= ARRIVAL + 2 * 86_400)
        }
        (None, None) => {
            let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(ARRIVAL).ok()?).date();
            let days = [today, today.yesterday().ok()?];
            { days }.into_iter().filter_map(at).find(|time| time.as_second() <= ARRIVAL + 3_600)
        }
    }
}

fn instant(local: DateTime, zone: &str, nanos: i64) -> Option<Timestamp> {
    if zone.contains('/') {
        let there = local.in_tz(zone).ok()?.timestamp();
        return there.checked_add(nanos.nanoseconds()).ok();
    }
    let offset = offset(zone)?;
    let utc = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    utc.checked_add((nanos - offset * 1_000_000_000).nanoseconds()).ok()
}

/// Seconds east of UTC; of a word that is no zone none is meant.
fn offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    match (zone, digits.len()) {
        ("CET", _) => Some(3_600),
        ("EST", _) => Some(-18_000),
        (_, 2) => Some(sign * digits.parse::<i64>().ok()? * 3_600),
        (_, 4) => {
            let number: i64 = digits.parse().ok()?;
            Some(sign * (number / 100 * 3_600 + number % 100 * 60))
        }
        _ => Some(0),
    }
}

fn number(captures: &Captures<'_>) -> Option<Timestamp> {
    let (whole, fraction) = (captures.get(1)?.as_str(), captures.get(2).map_or("", |part| part.as_str()));
    // All of its digits, the first ten of which are seconds.
    let digits = format!("{whole}{}", fraction.trim_start_matches('.'));
    let (seconds, nanos) = digits.split_at(10);
    Timestamp::new(seconds.parse().ok()?, format!("{nanos:0<9.9}").parse().ok()?).ok()
}

fn pair(captures: &Captures<'_>) -> Option<Timestamp> {
    let (_, [seconds, nanos]) = captures.extract();
    Timestamp::new(seconds.parse().ok()?, nanos.parse().ok()?).ok()
}

#[test]
fn the_times_of_a_line_are_found() {
    for (line, expected) in [
        ("a 2026-11-28T13:00:00.5+01:00 b", "2026-11-28T12:00:00.5Z"),
        ("[28/Nov/2026:12:00:00 +0000]", "2026-11-28T12:00:00Z"),
        ("Mar  4 05:06:07 h", "2026-03-04T05:06:07Z"),
        ("Dec 31 05:06:07 h", "2025-12-31T05:06:07Z"),
        ("Sat Nov 28 12:00:00.25 2026]", "2026-11-28T12:00:00.25Z"),
        ("23:00:00,1 x", "2026-11-27T23:00:00.1Z"),
        ("1772600767.891", "2026-03-04T05:06:07.891Z"),
        ("I1128 12:00:00.000001 1 a.go:1]", "2026-11-28T12:00:00.000001Z"),
        ("26/11/28 12:00:00 INFO", "2026-11-28T12:00:00Z"),
        ("[GIN] 2026/11/20 - 12:00:00 |", "2026-11-20T12:00:00Z"),
        ("[28-Nov-2026 09:00:00 America/Argentina/Buenos_Aires] x", "2026-11-28T12:00:00Z"),
    ] {
        let expected: Timestamp = expected.parse().expect("a time");
        assert!(times(line).iter().any(|(_, time)| *time == expected), "{line}: {:?}", times(line));
    }
}
