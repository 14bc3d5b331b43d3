//! When an event happened: seconds and nanoseconds since 1970 in UTC, within the years 0 to 9999
//! less their last two days.

use std::time::{SystemTime, UNIX_EPOCH};

/// The last second that `jiff` can write: it leaves the year 9999 a day for every offset from UTC.
const LATEST: i64 = 253_402_207_200;
/// The first second of the year 0.
const EARLIEST: i64 = -62_167_219_200;
const NANOS: u32 = 1_000_000_000;

/// A point in time to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The time now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(LATEST);
        Self { seconds: seconds.min(LATEST), nanos: since.subsec_nanos() }
    }

    /// `seconds` since 1970 and `nanos` on top; `None` outside of the years that can be written.
    /// Nanoseconds of a second or more, which no sender should send, are held to the second that was said.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        let within = (EARLIEST..=LATEST).contains(&seconds);
        within.then_some(Self { seconds, nanos: nanos.min(NANOS - 1) })
    }

    /// The same point in time; `None` as for [`Timestamp::new`].
    pub(crate) fn from_jiff(time: jiff::Timestamp) -> Option<Self> {
        // Before 1970 a fraction counts backwards there, and forwards here.
        let nanos = time.as_nanosecond();
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
        Self::new(seconds, u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?)
    }

    /// From seconds with a fraction, as some clients send them, to the microsecond that a float can hold.
    pub fn from_float(seconds: f64) -> Option<Self> {
        // why: beyond this range, or NaN, the casts below would saturate into a wrong time.
        if !(seconds >= EARLIEST as f64 && seconds <= LATEST as f64) {
            return None;
        }
        let whole = seconds.floor();
        let micros = ((seconds - whole) * 1e6).round() as u32;
        Self::new(whole as i64 + i64::from(micros / 1_000_000), micros % 1_000_000 * 1_000)
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds into the second.
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Milliseconds since 1970, for ids; 0 before.
    pub fn millis(self) -> u64 {
        u64::try_from(self.seconds).map_or(0, |seconds| seconds * 1_000 + u64::from(self.nanos / 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_read_to_the_microsecond() {
        assert_eq!(Timestamp::from_float(1_700_000_000.25), Timestamp::new(1_700_000_000, 250_000_000));
        assert_eq!(Timestamp::from_float(1_700_000_000.999_999_9), Timestamp::new(1_700_000_001, 0));
        assert_eq!(Timestamp::from_float(-0.5), Timestamp::new(-1, 500_000_000));
    }

    #[test]
    fn a_time_that_cannot_be_written_is_none() {
        assert_eq!(Timestamp::new(i64::MAX, 0), None);
        assert_eq!(Timestamp::from_float(f64::NAN), None);
        assert_eq!(Timestamp::from_float(1e300), None);
        assert_eq!(Timestamp::new(1_700_000_000_000, 0), None);
    }

    #[test]
    fn nanoseconds_out_of_range_are_held_to_their_second() {
        assert_eq!(Timestamp::new(1, u32::MAX), Timestamp::new(1, 999_999_999));
    }
}
