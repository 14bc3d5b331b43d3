//! Fields that say who sent an event: the same for all of one connection's, added behind its pipeline's steps.

use std::sync::{Arc, OnceLock};

use crate::enrich::add_field;
use crate::event::{Event, KeptName, Value};

/// A text that may become known while it is used.
pub type Awaited = Arc<OnceLock<Option<String>>>;

/// What a connection's events say of their sender; nothing as a rule.
#[derive(Default)]
pub struct Source(Vec<Told>);

struct Told {
    name: KeptName,
    /// What is said.
    text: String,
    /// What is said instead as soon as it is known.
    better: Option<Awaited>,
}

impl Source {
    /// Says `text` under `name`, and `better` instead from when that is known.
    pub fn tell(&mut self, name: &str, text: String, better: Option<Awaited>) {
        // A configured name follows the rule of all names, or no document with it would be taken.
        self.0.push(Told { name: KeptName::new(name), text, better });
    }

    /// What is said now, as it waits with a part of a line; empty for nothing.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let told: Vec<_> = self.0.iter().map(|told| (&*told.name, told.now())).collect();
        if told.is_empty() { Vec::new() } else { rmp_serde::to_vec(&told).unwrap_or_default() }
    }

    /// Takes back what waited.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let told: Vec<(String, String)> = rmp_serde::from_slice(bytes).unwrap_or_default();
        Self(
            told.into_iter()
                .map(|(name, text)| Told { name: KeptName::new(&name), text, better: None })
                .collect(),
        )
    }

    /// Adds the fields; where the event has one of that name, both are kept.
    pub(super) fn add<'a>(&'a self, event: &mut Event<'a>) {
        for told in &self.0 {
            add_field(event, told.name.name(), Value::Text(told.now().as_bytes()));
        }
    }
}

impl Told {
    fn now(&self) -> &str {
        let known = self.better.as_ref().and_then(|better| better.get()?.as_deref());
        known.unwrap_or(&self.text)
    }
}
