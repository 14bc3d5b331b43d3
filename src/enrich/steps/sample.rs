//! `sample`: a part of the events, chosen by a hash, so that the same are chosen everywhere and again.
//!
//! With `key`, events whose field of that name has the same value are kept or dropped together, on every host: all of a trace. An
//! event without it is chosen by its own time, tag and message, so that a chunk which is sent again is sampled as before.

use bumpalo::Bump;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::options::SampleOptions;
use crate::enrich::level;
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::event::Event;
use crate::parse::Level;

/// See the module.
#[derive(Debug)]
pub(super) struct Sample {
    rate: u64,
    by_level: Vec<(Level, u64)>,
    key: Option<Path>,
}

impl Sample {
    pub(super) fn new(options: &SampleOptions) -> Result<Self, String> {
        let by_level = options.by_level.iter().map(|(name, rate)| {
            let level =
                level::of(name.as_bytes()).ok_or_else(|| format!("by_level: `{name}` is no level"))?;
            Ok((level, threshold(*rate)?))
        });
        let by_level = by_level.collect::<Result<_, String>>()?;
        Ok(Self { rate: threshold(options.rate)?, by_level, key: options.key.as_deref().map(Path::new) })
    }

    /// Whether `event` is one of those that stay.
    pub(super) fn keeps<'a>(&self, event: &Event<'a>, arena: &'a Bump) -> bool {
        let rate = self.rate_of(event);
        rate == u64::MAX || self.hash(event, arena) < rate
    }

    fn rate_of(&self, event: &Event<'_>) -> u64 {
        if self.by_level.is_empty() {
            return self.rate;
        }
        let level = level::of_event(&event.fields);
        let own = self.by_level.iter().find(|(one, _)| Some(*one) == level);
        own.map_or(self.rate, |(_, rate)| *rate)
    }

    fn hash<'a>(&self, event: &Event<'a>, arena: &'a Bump) -> u64 {
        let key = self.key.as_ref().and_then(|key| view::shown(&key.get(&event.fields)?, arena));
        if let Some(key) = key {
            return xxh3_64(key);
        }
        let message = event.fields.get("message").and_then(|message| view::text(message, arena));
        let seed = event.time.seconds().cast_unsigned().rotate_left(30) ^ u64::from(event.time.nanos());
        xxh3_64_with_seed(message.unwrap_or_default(), xxh3_64_with_seed(event.tag.as_bytes(), seed))
    }
}

/// Below which a hash has to be.
fn threshold(rate: f64) -> Result<u64, String> {
    if !(0.0..=1.0).contains(&rate) {
        return Err(format!("a rate of {rate} is not between 0 and 1"));
    }
    // The largest float below 2^64 is no whole rate: only 1 keeps all.
    Ok(if rate == 1.0 { u64::MAX } else { (rate * 2_f64.powi(64)) as u64 })
}
