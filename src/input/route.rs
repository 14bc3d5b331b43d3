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

/// Tags that are remembered for one connection. A peer that makes up more only pays for the look-ups.
const REMEMBERED: usize = 256;

/// The routes of one connection, which has few tags as a rule and one as a habit.
#[derive(Default)]
pub(super) struct Routes {
    last: Option<(Vec<u8>, Arc<Route>)>,
    known: HashMap<Vec<u8>, Arc<Route>>,
}

impl Routes {
    /// The route of `tag`. Bytes of a tag that are no UTF-8 are replaced.
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
        let text = String::from_utf8_lossy(tag);
        let pipeline = Arc::clone(pipelines.choose(&text)?);
        let destination = pipeline.destination(&text);
        let route = Arc::new(Route { tag: text.into(), pipeline, destination });
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(tag.to_vec(), Arc::clone(&route));
        Some(route)
    }
}
