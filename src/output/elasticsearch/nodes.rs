//! The nodes and their health: which one a request goes to.
//!
//! Invariants: a node that failed rests, longer each time, and then one request alone tries it; while any node is up,
//! no request waits for one that rests; when all rest, the first to be ready is waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use url::Url;

use super::backoff::Backoff;
use super::client::Client;
use super::fault::Fault;
use crate::output::NodeHealth;

/// One node: where it is, and the client that speaks to it.
pub(super) struct Node {
    pub(super) url: Url,
    pub(super) client: Client,
}

struct Entry {
    node: Arc<Node>,
    failures: u32,
    ready: Option<Instant>,
    trial: bool,
    last_error: Option<String>,
}

pub(super) struct Nodes {
    state: Mutex<State>,
    changed: Notify,
    backoff: Backoff,
}

struct State {
    entries: Vec<Entry>,
    turn: usize,
}

/// A node on loan for one request. Dropped without a word on how it went, it changes nothing.
pub(super) struct Lease<'a> {
    nodes: &'a Nodes,
    pub(super) node: Arc<Node>,
    /// Whether this is the one request that tries a node whose rest is over.
    trial: bool,
}

enum Pick {
    Node {
        node: Arc<Node>,
        trial: bool,
    },
    /// The first that is ready again, where that is a matter of time and not of another's trial.
    Wait(Option<Instant>),
}

impl Nodes {
    pub(super) fn new(nodes: Vec<Node>, backoff: Backoff) -> Self {
        let entries = nodes.into_iter().map(|node| Entry::new(Arc::new(node))).collect();
        Self { state: Mutex::new(State { entries, turn: 0 }), changed: Notify::new(), backoff }
    }

    /// The next node in turn that is up, or else the first whose rest is over.
    pub(super) async fn pick(&self) -> Lease<'_> {
        loop {
            let changed = self.changed.notified();
            let wait = match self.lock().pick(Instant::now()) {
                Pick::Node { node, trial } => return Lease { nodes: self, node, trial },
                Pick::Wait(wait) => wait,
            };
            match wait {
                None => changed.await,
                Some(ready) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(ready.into()) => {}
                    }
                }
            }
        }
    }

    /// Every node, whatever its health.
    pub(super) fn all(&self) -> Vec<Arc<Node>> {
        self.lock().entries.iter().map(|entry| Arc::clone(&entry.node)).collect()
    }

    /// Takes up nodes that are new, and lets go those that neither `keep` names nor were found.
    pub(super) fn replace(&self, found: Vec<Node>, keep: &[Url]) {
        let mut state = self.lock();
        state
            .entries
            .retain(|old| keep.contains(&old.node.url) || found.iter().any(|node| node.url == old.node.url));
        for node in found {
            if !state.entries.iter().any(|old| old.node.url == node.url) {
                tracing::info!(node = %node.url, "found a node");
                state.entries.push(Entry::new(Arc::new(node)));
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn health(&self) -> Vec<NodeHealth> {
        let now = Instant::now();
        self.lock().entries.iter().map(|entry| entry.health(now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, node: &Arc<Node>, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.node, node)) {
            change(entry);
        }
        self.changed.notify_waiters();
    }
}

impl State {
    fn pick(&mut self, now: Instant) -> Pick {
        let count = self.entries.len();
        let turn = self.turn;
        let ready = |at: &usize| self.entries.get(*at).is_some_and(|entry| entry.is_ready(now));
        let next = (0..count).map(|step| (turn + step) % count).find(ready);
        match next.and_then(|at| Some((at, self.entries.get_mut(at)?))) {
            Some((at, entry)) => {
                self.turn = at + 1;
                entry.trial = entry.failures > 0;
                Pick::Node { node: Arc::clone(&entry.node), trial: entry.trial }
            }
            None => Pick::Wait(self.entries.iter().filter(|e| !e.trial).filter_map(|e| e.ready).min()),
        }
    }
}

impl Entry {
    fn new(node: Arc<Node>) -> Self {
        Self { node, failures: 0, ready: None, trial: false, last_error: None }
    }

    fn is_ready(&self, now: Instant) -> bool {
        !self.trial && self.ready.is_none_or(|ready| ready <= now)
    }

    fn health(&self, now: Instant) -> NodeHealth {
        NodeHealth {
            url: self.node.url.to_string(),
            up: self.failures == 0,
            resting: self.ready.map(|ready| ready.saturating_duration_since(now)),
            last_error: self.last_error.clone(),
        }
    }
}

impl Lease<'_> {
    /// The node answered.
    pub(super) fn answered(&self) {
        let url = &self.node.url;
        self.nodes.update(&self.node, |entry| {
            if entry.failures > 0 {
                tracing::info!(node = %url, "the node answers again");
            }
            entry.failures = 0;
            entry.ready = None;
        });
    }

    /// The node did not answer, or not as one that can be worked with.
    pub(super) fn failed(&self, fault: &Fault) {
        let backoff = self.nodes.backoff;
        self.nodes.update(&self.node, |entry| {
            entry.last_error = Some(fault.to_string());
            // why: requests that were under way together fail together; that is one failure, not four.
            if self.trial || entry.failures == 0 {
                let rest = backoff.rest(entry.failures);
                entry.failures += 1;
                entry.ready = Some(Instant::now() + rest);
                tracing::warn!(node = %entry.node.url, %fault, failures = entry.failures, ?rest, "the node rests");
            }
        });
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.trial {
            self.nodes.update(&self.node, |entry| entry.trial = false);
        }
    }
}
