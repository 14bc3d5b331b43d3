//! Counters by tag. Tags come from peers, who could make as many as they like, so only so many get a series of their own:
//! the first that there is something to count of. The others share one.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Tags with a series of their own.
const TAGS: usize = 100;
/// A longer tag has none.
const TAG_BYTES: usize = 128;
/// The tag of all others, and of what cannot be told.
const OTHER: &str = "(other)";

/// A tag, and a reason from a fixed set of words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TagReason {
    /// The events' tag, or `(other)`.
    pub tag: String,
    /// The word.
    pub reason: &'static str,
}

/// A family of counters by tag and reason, bounded in tags.
#[derive(Debug, Default)]
pub struct ByTag {
    family: Family<TagReason, Counter>,
    known: Mutex<HashSet<String>>,
}

impl ByTag {
    /// What is to be registered.
    pub(super) fn family(&self) -> Family<TagReason, Counter> {
        self.family.clone()
    }

    /// Makes the series that all others share.
    pub(super) fn begin(&self, reason: &'static str) {
        drop(self.series(OTHER, reason));
    }

    /// Counts `events` in all, of which `tags` tells whose they are as far as that is known.
    pub fn count<'t>(&self, reason: &'static str, events: u64, tags: impl Iterator<Item = (&'t str, u64)>) {
        let mut rest = events;
        for (tag, count) in tags {
            self.series(tag, reason).inc_by(count);
            rest = rest.saturating_sub(count);
        }
        self.series(OTHER, reason).inc_by(rest);
    }

    fn series(&self, tag: &str, reason: &'static str) -> Counter {
        let tag = if tag == OTHER || self.is_known(tag) { tag } else { OTHER }.to_owned();
        self.family.get_or_create_owned(&TagReason { tag, reason })
    }

    fn is_known(&self, tag: &str) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(tag) {
            return true;
        }
        let has_place = known.len() < TAGS && tag.len() <= TAG_BYTES;
        has_place && known.insert(tag.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_tags_there_are_the_series_are_bounded_and_the_sum_is_true() {
        let counters = ByTag::default();
        counters.begin("full");
        for n in 0..1_000 {
            let tag = format!("tag.{n}");
            counters.count("full", 3, [(tag.as_str(), 2)].into_iter());
        }
        let of = |tag: &str| {
            counters.family.get_or_create_owned(&TagReason { tag: tag.into(), reason: "full" }).get()
        };
        assert_eq!((of("tag.0"), of("tag.99")), (2, 2));
        assert_eq!(of(OTHER), 1_000 + 2 * 900);
        assert_eq!(counters.known.lock().expect("no panic").len(), TAGS);
    }
}
