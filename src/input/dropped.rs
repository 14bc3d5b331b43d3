//! Events that a pipeline's steps have ended, until they are counted: by reason, and by the tag that they came with.

use std::collections::HashMap;
use std::sync::Arc;

use crate::metrics::{Metrics, reason};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// One tag and one reason after the other is what most senders make.
    last: Option<(Arc<str>, &'static str, u64)>,
    others: HashMap<(Arc<str>, &'static str), u64>,
}

impl Dropped {
    /// Notes an event of `tag`.
    pub(super) fn note(&mut self, tag: &Arc<str>, why: &'static str) {
        match &mut self.last {
            Some((last, reason, count)) if Arc::ptr_eq(last, tag) && *reason == why => *count += 1,
            last => {
                if let Some((tag, reason, count)) = last.replace((Arc::clone(tag), why, 1)) {
                    *self.others.entry((tag, reason)).or_default() += count;
                }
            }
        }
    }

    /// Counts what was noted, and forgets it.
    pub(super) fn count(&mut self, metrics: &Metrics) {
        let last = self.last.take().map(|(tag, why, count)| ((tag, why), count));
        for ((tag, why), count) in last.into_iter().chain(self.others.drain()) {
            reason(&metrics.events_dropped, why).inc_by(count);
            metrics.dropped_by_tag.count(why, count, [(&*tag, count)].into_iter());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn events_are_counted_once_by_reason_and_by_tag() {
        let mut registry = Registry::default();
        let (mut dropped, metrics) = (Dropped::default(), Metrics::new(&mut registry));
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        for (tag, why) in
            [(&a, "filtered"), (&a, "filtered"), (&b, "filtered"), (&a, "sampled"), (&a, "filtered")]
        {
            dropped.note(tag, why);
        }
        dropped.count(&metrics);
        dropped.count(&metrics);
        assert_eq!(reason(&metrics.events_dropped, "filtered").get(), 4);
        assert_eq!(reason(&metrics.events_dropped, "sampled").get(), 1);
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).expect("in memory");
        assert!(
            page.contains("forebay_events_dropped_by_tag_total{tag=\"a\",reason=\"filtered\"} 3"),
            "{page}"
        );
        assert!(
            page.contains("forebay_events_dropped_by_tag_total{tag=\"b\",reason=\"filtered\"} 1"),
            "{page}"
        );
    }
}
