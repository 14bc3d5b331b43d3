//! The time of an entry, in each of the forms that clients send it.
//!
//! Promise: no time is lost. One that cannot be written (the years 0 to 9999 can) gives way to the time of arrival, and
//! stays in the event as the field [`ORIGINAL`] where an index can hold it; it is counted, as nanoseconds of a second
//! or more are, which are held to the second that was said.

use super::msgpack::Item;
use crate::event::{Fields, Name, Timestamp, Value};

/// The field that keeps a time that cannot be written.
const ORIGINAL: &str = "forebay.time";

/// Numbers that are plainly milliseconds: as seconds they would lie beyond the year 5138, as milliseconds they lie
/// between 1973 and 5138.
const MILLISECONDS: std::ops::Range<i64> = 100_000_000_000..100_000_000_000_000;

/// What a time is that is none.
pub(super) struct NoTime;

/// Reads times, and counts those that had to be mended.
#[derive(Default)]
pub(super) struct Times {
    /// Whether numbers that are plainly milliseconds are such.
    pub(super) milliseconds: bool,
    /// How many were mended.
    pub(super) mended: u32,
    /// The one that could not be written, until its record has been read.
    original: Option<Value<'static>>,
}

impl Times {
    /// An EventTime, a number, or nil and 0, which mean the time of arrival.
    pub(super) fn of(&mut self, item: Item<'_>) -> Result<Option<Timestamp>, NoTime> {
        self.original = None;
        Ok(match item {
            Item::Extension(0, bytes) => self.event_time(bytes.try_into().map_err(|_| NoTime)?),
            Item::Nil | Item::Unsigned(0) | Item::Signed(0) => None,
            Item::Unsigned(number) => match i64::try_from(number) {
                Ok(number) => self.whole(number),
                Err(_) => self.unwritable(None),
            },
            Item::Signed(number) => self.whole(number),
            Item::Single(number) => self.float(f64::from(number)),
            Item::Double(number) => self.float(number),
            _ => return Err(NoTime),
        })
    }

    /// An EventTime: seconds and nanoseconds, each as 32 bits.
    #[inline]
    pub(super) fn event_time(&mut self, &[a, b, c, d, e, f, g, h]: &[u8; 8]) -> Option<Timestamp> {
        self.original = None;
        let (seconds, nanos) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        if seconds == 0 && nanos == 0 {
            return None;
        }
        self.mended += u32::from(nanos >= 1_000_000_000);
        Timestamp::new(i64::from(seconds), nanos)
    }

    fn whole(&mut self, number: i64) -> Option<Timestamp> {
        if self.milliseconds && MILLISECONDS.contains(&number) {
            return Timestamp::new(number / 1_000, (number % 1_000) as u32 * 1_000_000);
        }
        Timestamp::new(number, 0).or_else(|| self.unwritable(Some(Value::Signed(number))))
    }

    fn float(&mut self, number: f64) -> Option<Timestamp> {
        let millis = MILLISECONDS.start as f64..MILLISECONDS.end as f64;
        let seconds = if self.milliseconds && millis.contains(&number) { number / 1_000.0 } else { number };
        // why: one that a 64-bit integer cannot hold would be refused by the index that has seen such integers here.
        let kept = (number.abs() < i64::MAX as f64).then_some(Value::Double(number));
        Timestamp::from_float(seconds).or_else(|| self.unwritable(kept))
    }

    fn unwritable(&mut self, original: Option<Value<'static>>) -> Option<Timestamp> {
        self.mended += 1;
        self.original = original;
        None
    }

    /// Adds the time that could not be written to the `fields` of its record.
    pub(super) fn keep_original(&mut self, fields: &mut Fields<'_>) {
        if let Some(original) = self.original.take() {
            let name = fields.free_name(Name::from(ORIGINAL));
            fields.push(name, original);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(milliseconds: bool, item: Item<'_>) -> (Option<Timestamp>, u32, Option<Value<'static>>) {
        let mut times = Times { milliseconds, ..Times::default() };
        let time = times.of(item).unwrap_or_else(|NoTime| panic!("{item:?} is a time"));
        (time, times.mended, times.original)
    }

    #[test]
    fn milliseconds_are_taken_as_such_where_that_is_wanted() {
        let at = Timestamp::new(1_705_314_645, 123_000_000);
        for item in [
            Item::Unsigned(1_705_314_645_123),
            Item::Signed(1_705_314_645_123),
            Item::Double(1_705_314_645_123.0),
        ] {
            assert_eq!(read(true, item), (at, 0, None), "{item:?}");
            let (time, mended, original) = read(false, item);
            assert!(time.is_none() && mended == 1 && original.is_some(), "{item:?}");
        }
        let seconds = Timestamp::new(1_705_314_645, 0);
        assert_eq!(read(true, Item::Unsigned(1_705_314_645)).0, seconds, "seconds stay seconds");
    }

    #[test]
    fn a_time_before_1970_is_one_and_nil_and_zero_are_none() {
        assert_eq!(read(false, Item::Signed(-1)), (Timestamp::new(-1, 0), 0, None));
        assert_eq!(read(false, Item::Double(-0.5)).0, Timestamp::new(-1, 500_000_000));
        for nothing in [Item::Nil, Item::Unsigned(0), Item::Signed(0), Item::Extension(0, &[0; 8])] {
            assert_eq!(read(true, nothing), (None, 0, None), "{nothing:?}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_written_is_counted_and_kept_where_an_index_can_hold_it() {
        let kept = Some(Value::Signed(i64::MIN));
        assert_eq!(read(false, Item::Signed(i64::MIN)), (None, 1, kept));
        assert_eq!(read(false, Item::Unsigned(u64::MAX)), (None, 1, None));
        assert_eq!(read(false, Item::Double(1e300)), (None, 1, None));
        let (time, mended, original) = read(true, Item::Double(f64::NAN));
        assert!(time.is_none() && mended == 1 && original.is_none());
    }

    #[test]
    fn nanoseconds_of_a_second_and_more_are_counted() {
        let bytes = [&1_u32.to_be_bytes()[..], &u32::MAX.to_be_bytes()].concat();
        assert_eq!(read(false, Item::Extension(0, &bytes)), (Timestamp::new(1, 999_999_999), 1, None));
    }

    #[test]
    fn the_original_goes_beside_a_field_of_its_name() {
        let mut fields = Fields::default();
        fields.push(Name::from(ORIGINAL), Value::Null);
        let mut times = Times { original: Some(Value::Signed(7)), ..Times::default() };
        times.keep_original(&mut fields);
        times.keep_original(&mut fields);
        assert_eq!((fields.len(), fields.get("forebay.time_")), (2, Some(&Value::Signed(7))));
    }
}
