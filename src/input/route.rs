//! Which pipeline and which index a tag takes: looked up once, then remembered.

use std::collections::HashMap;
use std::sync::Arc;

use crate::encode::Destination;
use crate::enrich::{Pipeline, Pipelines};

/// What is known of a tag.
pub(super) struct Route {
    /// The tag, as text.
    pub(super) tag: Arc<str>,
    /// The steps for its events.
    pub(super) pipeline: Arc<Pipeline>,
    /// Where its documents go.
    pub(super) destination: Destination,
}

/// Bytes that remembering tags may cost one connection. A peer that makes up more only pays for the look-ups.
const REMEMBERED: usize = 128 << 10;

/// Bytes that a remembered tag costs beside its name.
const COST: usize = 512;

/// Bytes of a tag; what is beyond is cut off, and the event keeps the rest of it.
const MAX_TAG: usize = 1_024;

/// The routes of one connection, which has few tags as a rule and one as a habit.
#[derive(Default)]
pub(super) struct Routes {
    last: Option<(Vec<u8>, Arc<Route>)>,
    known: HashMap<Vec<u8>, Arc<Route>>,
    /// What `known` costs.
    bytes: usize,
}

impl Routes {
    /// The route of `tag`. Bytes of a tag that are no UTF-8 are replaced.
    pub(super) fn of(&mut self, tag: &[u8], pipelines: &Pipelines) -> Option<Arc<Route>> {
        let tag = tag.get(..MAX_TAG).unwrap_or(tag);
        if let Some((_, route)) = self.last.as_ref().filter(|(last, _)| last == tag) {
            return Some(Arc::clone(route));
        }
        let route = match self.known.get(tag) {
            Some(route) => Arc::clone(route),
            None => self.learn(tag, pipelines)?,
        };
        self.last = Some((tag.to_vec(), Arc::clone(&route)));
        Some(route)
    }

    fn learn(&mut self, tag: &[u8], pipelines: &Pipelines) -> Option<Arc<Route>> {
        let text = String::from_utf8_lossy(tag);
        let pipeline = Arc::clone(pipelines.choose(&text)?);
        let destination = pipeline.destination(&text);
        let route = Arc::new(Route { tag: text.into(), pipeline, destination });
        self.bytes += COST + 2 * tag.len();
        if self.bytes > REMEMBERED {
            self.known.clear();
            self.bytes = COST + 2 * tag.len();
        }
        self.known.insert(tag.to_vec(), Arc::clone(&route));
        Some(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Defaults;

    #[test]
    fn a_peer_that_makes_up_tags_has_few_of_them_remembered_and_none_longer_than_a_tag_may_be() {
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        let pipelines = Pipelines::compile(&[], defaults).expect("good options");
        let mut routes = Routes::default();
        for number in 0..2_000 {
            let tag = format!("{number}.{}", ".".repeat(number * 10));
            let route = routes.of(tag.as_bytes(), &pipelines).expect("one for every tag");
            assert_eq!(&*route.tag, tag.get(..MAX_TAG).unwrap_or(&tag));
            let bytes: usize = routes.known.keys().map(|tag| COST + 2 * tag.len()).sum();
            assert!(bytes <= REMEMBERED && bytes == routes.bytes, "{bytes}");
        }
        let long = "t".repeat(MAX_TAG + 1);
        let (whole, cut) =
            (routes.of(long.as_bytes(), &pipelines), routes.of(&long.as_bytes()[1..], &pipelines));
        assert!(Arc::ptr_eq(&whole.expect("one"), &cut.expect("one")));
    }
}
