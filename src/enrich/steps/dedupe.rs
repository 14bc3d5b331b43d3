//! `dedupe`: of events that repeat within a window, the first.
//!
//! It goes on at once, since an event that waited for its repeats would be in nobody's books but memory's, and could not be acked.
//! The next one of the same key after the window says in `forebay.repeated` how many there were before it; where none comes, the
//! metrics alone do. An event that has no key, since a field of it is missing, goes on.

use std::time::{Duration, Instant};

use bumpalo::Bump;

use super::options::DedupeOptions;
use crate::enrich::held::Held;
use crate::enrich::template::Template;
use crate::event::{Event, Value};

/// The field that tells of repeats.
const FIELD: &str = "forebay.repeated";

/// See the module.
#[derive(Debug)]
pub(super) struct Dedupe {
    key: Template,
    window: Duration,
    held: Held<Slot>,
}

/// What is known of a key.
#[derive(Debug)]
struct Slot {
    /// When the last one went on; none before the first has.
    passed: Option<Instant>,
    repeats: u64,
}

impl Dedupe {
    pub(super) fn new(options: &DedupeOptions, host: &str) -> Result<Self, String> {
        let key = Template::key(&options.key, host).map_err(|fault| format!("key: {fault}"))?;
        Ok(Self { key, window: options.window, held: Held::new(super::KEYS) })
    }

    /// Whether `event` goes on at `now`.
    pub(super) fn passes<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump, now: Instant) -> bool {
        let Some(key) = self.key.text(event, arena) else { return true };
        let fresh = || Slot { passed: None, repeats: 0 };
        let passes = self.held.with(key, fresh, |slot| self.look(slot, now)).unwrap_or(Some(0));
        if let Some(before) = passes.filter(|before| *before > 0) {
            event.fields.set(FIELD.into(), Value::Unsigned(before));
        }
        passes.is_some()
    }

    /// Of one that passes, how many repeats there were before it.
    fn look(&self, slot: &mut Slot, now: Instant) -> Option<u64> {
        let is_within = |passed: Instant| now.saturating_duration_since(passed) < self.window;
        if slot.passed.is_some_and(is_within) {
            slot.repeats += 1;
            return None;
        }
        slot.passed = Some(now);
        Some(std::mem::take(&mut slot.repeats))
    }
}
