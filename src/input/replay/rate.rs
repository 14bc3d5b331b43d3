//! No more than so much a second, of all readers together.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::input::file::Room;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Events a second.
    Events(u64),
    /// Unpacked bytes a second.
    Bytes(u64),
}

impl std::str::FromStr for Rate {
    type Err = String;

    /// `5000` or `5000/s` events, `10MiB` or `10MiB/s` bytes.
    fn from_str(text: &str) -> Result<Self, String> {
        let amount = text.strip_suffix("/s").unwrap_or(text);
        let rate = match amount.parse() {
            Ok(events) => Self::Events(events),
            Err(_) => {
                let bytes: crate::units::ByteSize = amount.parse()?;
                Self::Bytes(bytes.0)
            }
        };
        match rate {
            Self::Events(0) | Self::Bytes(0) => Err("a rate of 0 would never end".to_owned()),
            rate => Ok(rate),
        }
    }
}

/// Steps of a second in which as much is read as the rate allows.
const STEPS: u64 = 10;

impl Rate {
    /// What may be read at once, so that it comes evenly.
    pub(super) fn room(self) -> Room {
        let most = Room::default();
        let of =
            |rate: u64, most: usize| usize::try_from(rate / STEPS).map_or(most, |step| step.clamp(1, most));
        match self {
            Self::Events(rate) => Room { events: of(rate, most.events), ..most },
            Self::Bytes(rate) => Room { bytes: of(rate, most.bytes), ..most },
        }
    }
}

/// Lets readers go on when it is time.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    /// When all that was let through so far is due to have come.
    due: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, due: Mutex::new(Instant::now()) }
    }

    /// How long who has just read so much has to wait before reading more.
    pub(super) fn wait(&self, events: u64, bytes: u64) -> Duration {
        let (amount, rate) = match self.rate {
            Rate::Events(rate) => (events, rate),
            Rate::Bytes(rate) => (bytes, rate),
        };
        let now = Instant::now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used while the target was slow is not made up for later.
        *due = (*due).max(now) + Duration::from_secs_f64(amount as f64 / rate as f64);
        due.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_events_or_of_bytes() {
        assert_eq!("5000".parse(), Ok(Rate::Events(5_000)));
        assert_eq!("5000/s".parse(), Ok(Rate::Events(5_000)));
        assert_eq!("10MiB/s".parse(), Ok(Rate::Bytes(10 << 20)));
        for wrong in ["", "fast", "0", "0KiB", "-1"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_more_is_read_at_once_than_a_step_allows_and_never_nothing() {
        assert_eq!(Rate::Events(5).room().events, 1);
        assert_eq!(Rate::Events(1_000).room().events, 100);
        assert_eq!(Rate::Bytes(10 << 10).room().bytes, 1 << 10);
        assert_eq!(Rate::Bytes(u64::MAX).room().bytes, Room::default().bytes);
    }

    #[test]
    fn what_was_read_is_waited_for_by_all_together() {
        let pace = Pace::new(Rate::Events(1_000));
        let first = pace.wait(500, 0);
        let second = pace.wait(500, 0);
        assert!(
            first <= Duration::from_millis(500) && second > Duration::from_millis(900),
            "{first:?} {second:?}"
        );
    }
}
