//! Times in a form that the configuration describes in strptime's words: `%d.%m.%Y %H:%M:%S`.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};

use crate::event::Timestamp;
use crate::parse::sink::Sink;
use crate::parse::time::civil::Civil;
use crate::parse::time::forms::Said;

/// 2024-02-29T17:45:56Z: no two parts of it are the same.
const SAMPLE: i64 = 1_709_228_756;

/// A form that was tried out.
#[derive(Debug)]
pub(super) struct TimeForm(String);

impl TimeForm {
    /// Takes `form` where a time that was written in it can be read back, to the second.
    pub(super) fn new(form: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("`{form}` is no form of a time: {why}");
        let sample = jiff::Timestamp::from_second(SAMPLE).map_err(|error| wrong(error.to_string()))?;
        let sample = &sample.to_zoned_datetime(TimeZone::UTC);
        let written = strtime::format(form, sample).map_err(|error| wrong(error.to_string()))?;
        let parts = strtime::parse(form, &written).map_err(|error| wrong(error.to_string()))?;
        match said(&parts) {
            Some(Read::Instant(_)) => Ok(Self(form.to_owned())),
            Some(Read::Said(said)) if (said.civil.hour, said.civil.day) == (17, 29) => {
                Ok(Self(form.to_owned()))
            }
            _ => Err(wrong("it has to say a day and a time of day".into())),
        }
    }

    /// The time of the event; none where `text` has another form.
    pub(super) fn read(&self, text: &str, sink: &mut Sink<'_, '_>) -> Option<()> {
        match said(&strtime::parse(&self.0, text).ok()?)? {
            Read::Instant(time) => sink.time(time),
            Read::Said(said) => sink.said(said)?,
        }
        Some(())
    }
}

enum Read {
    Instant(Timestamp),
    Said(Said),
}

fn said(parts: &BrokenDownTime) -> Option<Read> {
    if parts.timestamp().is_some() {
        return Some(Read::Instant(Timestamp::from_jiff(parts.to_timestamp().ok()?)?));
    }
    let time = parts.to_time().ok()?;
    let (has_year, year, month, day) = match parts.to_date() {
        Ok(date) => (true, date.year(), date.month(), date.day()),
        Err(_) => (false, 0, parts.month()?, parts.day()?),
    };
    let nanos = u32::try_from(time.subsec_nanosecond()).ok()?;
    let civil =
        Civil { year, month, day, hour: time.hour(), minute: time.minute(), second: time.second(), nanos };
    Some(Read::Said(Said { civil, offset: parts.offset().map(Offset::seconds), has_year }))
}
