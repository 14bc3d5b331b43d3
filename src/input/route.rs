//! Which pipeline and which index a tag takes: looked up once, then remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::origin::Retag;
use crate::encode::Destination;
use crate::enrich::{Pipeline, Pipelines};

/// What is known of a tag.
pub(super) struct Route {
    /// The tag of its events, as text.
    pub(super) tag: Arc<str>,
    /// The steps for its events.
    pub(super) pipeline: Arc<Pipeline>,
    /// Where its documents go.
    pub(super) destination: Destination,
}

/// Bytes that remembering tags may cost one connection. A peer that makes up more only pays for the look-ups.
const REMEMBERED: usize = 128 << 10;

/// The same for all connections together, but for one tag each.
const REMEMBERED_BY_ALL: usize = 16 << 20;

/// Bytes that all connections remember.
#[derive(Clone, Debug, Default)]
pub(super) struct RememberedByAll(Arc<AtomicUsize>);

/// Bytes that a remembered tag costs beside its name.
const COST: usize = 512;

/// The routes of one connection, which has few tags as a rule and one as a habit.
#[derive(Default)]
pub(super) struct Routes {
    retag: Retag,
    by_all: RememberedByAll,
    last: Option<(Vec<u8>, Arc<Route>)>,
    known: HashMap<Vec<u8>, Arc<Route>>,
    /// What `known` costs.
    bytes: usize,
}

impl Routes {
    /// Nothing is known yet; tags become what `retag` makes of them.
    pub(super) fn new(retag: Retag, by_all: RememberedByAll) -> Self {
        Self { retag, by_all, last: None, known: HashMap::new(), bytes: 0 }
    }

    /// The route of what is sent as `tag`. Bytes of a tag that are no UTF-8 are replaced.
    pub(super) fn of(&mut self, tag: &[u8], pipelines: &Pipelines) -> Option<Arc<Route>> {
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
        let sent = String::from_utf8_lossy(tag);
        let text = self.retag.of(&sent);
        let pipeline = Arc::clone(pipelines.choose(&text)?);
        let destination = pipeline.destination(&text);
        let route = Arc::new(Route { tag: (&*text).into(), pipeline, destination });
        let cost = COST + 2 * tag.len();
        if self.bytes + cost > REMEMBERED || self.by_all.0.load(Ordering::Relaxed) + cost > REMEMBERED_BY_ALL
        {
            self.forget();
        }
        self.bytes += cost;
        self.by_all.0.fetch_add(cost, Ordering::Relaxed);
        self.known.insert(tag.to_vec(), Arc::clone(&route));
        Some(route)
    }
}

impl Routes {
    fn forget(&mut self) {
        self.known.clear();
        self.by_all.0.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Defaults;

    #[test]
    fn a_peer_that_makes_up_tags_has_few_of_them_remembered() {
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        let pipelines = Pipelines::compile(&[], defaults).expect("good options");
        let mut routes = Routes::default();
        for number in 0..2_000 {
            let tag = format!("{number}.{}", ".".repeat(number % 1_024));
            let route = routes.of(tag.as_bytes(), &pipelines).expect("one for every tag");
            assert_eq!(&*route.tag, tag);
            let bytes: usize = routes.known.keys().map(|tag| COST + 2 * tag.len()).sum();
            assert!(bytes <= REMEMBERED && bytes == routes.bytes, "{bytes}");
        }
    }

    #[test]
    fn many_peers_that_make_up_tags_have_few_remembered_together() {
        let defaults = Defaults { index: "i", fallback: "f", host: "h" };
        let pipelines = Pipelines::compile(&[], defaults).expect("good options");
        let by_all = RememberedByAll::default();
        let mut peers: Vec<_> = (0..200).map(|_| Routes::new(Retag::default(), by_all.clone())).collect();
        for number in 0..200 {
            for peer in &mut peers {
                let tag = format!("{number}.{}", "t".repeat(500));
                peer.of(tag.as_bytes(), &pipelines).expect("one for every tag");
            }
        }
        let sum = |peers: &[Routes]| peers.iter().map(|peer| peer.bytes).sum::<usize>();
        let remembered = by_all.0.load(Ordering::Relaxed);
        assert_eq!(remembered, sum(&peers));
        assert!(remembered <= REMEMBERED_BY_ALL + 200 * (COST + 2_000), "{remembered}");
        drop(peers);
        assert_eq!(by_all.0.load(Ordering::Relaxed), 0);
    }
}
