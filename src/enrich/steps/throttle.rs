//! `throttle`: so many events of a key in so much time; what is beyond ends here.
//!
//! The first event of a key begins its time, and the first one after that time the next. It says in `forebay.throttled` how many
//! were held back before it. Time is that of arrival: senders that catch up are what a throttle is for.

use std::time::{Duration, Instant};

use bumpalo::Bump;

use super::options::ThrottleOptions;
use crate::enrich::held::Held;
use crate::enrich::template::Template;
use crate::event::{Event, Value};

/// The field that tells of what was held back.
const FIELD: &str = "forebay.throttled";

/// See the module.
#[derive(Debug)]
pub(super) struct Throttle {
    key: Template,
    events: u64,
    per: Duration,
    held: Held<Slot>,
}

/// What is known of a key.
#[derive(Debug)]
struct Slot {
    since: Instant,
    passed: u64,
    held_back: u64,
}

impl Throttle {
    pub(super) fn new(options: &ThrottleOptions, host: &str) -> Result<Self, String> {
        let key = Template::new(&options.key, host).map_err(|fault| format!("key: {fault}"))?;
        Ok(Self { key, events: options.events, per: options.per, held: Held::new(super::KEYS) })
    }

    /// Whether `event` goes on at `now`. A key that has a field which is missing is the key of all events without it.
    pub(super) fn passes<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, now: Instant) -> bool {
        let key = self.key.text(event, arena).unwrap_or_default();
        let fresh = || Slot { since: now, passed: 0, held_back: 0 };
        let passes = self.held.with(key, fresh, |slot| self.look(slot, now)).unwrap_or(Some(0));
        if let Some(before) = passes.filter(|before| *before > 0) {
            event.fields.set(FIELD.into(), Value::Unsigned(before));
        }
        passes.is_some()
    }

    /// Of one that passes, how many were held back before it.
    fn look(&self, slot: &mut Slot, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(slot.since) >= self.per {
            (slot.since, slot.passed) = (now, 0);
        }
        if slot.passed < self.events {
            slot.passed += 1;
            return Some(std::mem::take(&mut slot.held_back));
        }
        slot.held_back += 1;
        None
    }
}
