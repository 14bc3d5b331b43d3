//! What a Docker Engine says of its containers, known before their lines come.
//!
//! Promises: an event never waits for the engine. What is known stands in a table that the path reads; a task beside it fills the
//! table from the engine's list and keeps it by the engine's events, and what an event names that is not in it is asked for while the
//! event goes on without. Nothing but the list, the events and single containers is read; nothing is ever changed.
//! Bounds: [`MOST`] containers; [`MOST_UNKNOWN`] ids that are none of them, each asked for once a round; [`ASKS`] questions that
//! wait. A container that is gone is remembered for a while, as its last lines may still be on their way.

mod client;
mod container;
mod follow;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bumpalo::Bump;
use tokio::sync::mpsc;

use super::held::Held;
use client::Client;
use container::{Container, Labels, Listed};

pub use client::EngineFault;

/// Containers that are known; each takes [`container::MOST_BYTES`] at most.
const MOST: usize = 4_096;

/// Ids that were asked for and are no container's.
const MOST_UNKNOWN: usize = 1 << 14;

/// Questions that wait.
const ASKS: usize = 256;

/// How long things take.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// An answer, whole.
    answer: Duration,
    /// After which an id that is no container's is asked for again, and those are forgotten that went before the last one.
    round: Duration,
    /// What the engine has as a whole is looked at again.
    relist: Duration,
    /// A container that is gone.
    keep: Duration,
    /// Before the engine is asked again that did not answer: at first, and at most.
    pause: (Duration, Duration),
    /// Between two questions, so that ids that somebody makes up keep no engine busy.
    between: Duration,
}

const TIMES: Times = Times {
    answer: Duration::from_secs(5),
    round: Duration::from_secs(30),
    relist: Duration::from_secs(600),
    keep: Duration::from_secs(600),
    pause: (Duration::from_secs(1), Duration::from_secs(60)),
    between: Duration::from_millis(20),
};

/// A container's key: the first 12 digits of its id, as short ids have them.
type Key = u64;

/// See the module.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    labels: Labels,
    times: Times,
    known: RwLock<HashMap<Key, Container>>,
    /// The round in which an id was asked for last.
    unknown: Held<Option<u32>>,
    round: AtomicU32,
    asks: mpsc::Sender<Box<str>>,
    asked: Mutex<Option<mpsc::Receiver<Box<str>>>>,
}

impl Engine {
    /// Of the engine behind `socket`, with those labels that `labels` name: whole names, or beginnings with a `*` behind.
    pub(super) fn new(socket: &Path, labels: &[String]) -> Result<Self, String> {
        Self::with_times(socket, labels, TIMES)
    }

    fn with_times(socket: &Path, labels: &[String], times: Times) -> Result<Self, String> {
        let (asks, asked) = mpsc::channel(ASKS);
        Ok(Self {
            client: Client::new(socket, times.answer),
            labels: Labels::new(labels)?,
            times,
            known: RwLock::new(HashMap::new()),
            unknown: Held::new(MOST_UNKNOWN),
            round: AtomicU32::new(0),
            asks,
            asked: Mutex::new(Some(asked)),
        })
    }

    /// The engine's socket.
    pub fn socket(&self) -> &PathBuf {
        self.client.socket()
    }

    /// Tells names and values of the container of `id`, or has it asked for.
    pub(super) fn find<'a>(&self, id: &[u8], arena: &'a Bump, tell: impl FnMut(&'a str, &'a str)) {
        let Some((key, id)) = key(id) else { return };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key).filter(|container| container.is(id)) {
            Some(container) => container.tell(arena, tell),
            None => {
                drop(known);
                self.ask(key, id);
            }
        }
    }

    /// Once a round and id. Where too many questions wait already, the next round is early enough.
    fn ask(&self, key: Key, id: &str) {
        let round = Some(self.round.load(Ordering::Relaxed));
        let look = |last: &mut Option<u32>| std::mem::replace(last, round) != round;
        if self.unknown.with(&key.to_le_bytes(), || None, look) == Some(true) {
            self.asks.try_send(id.into()).ok();
        }
    }

    /// Takes the engine's list, so that what is running is known; answers how many containers there are.
    pub async fn warm(&self) -> Result<usize, EngineFault> {
        let listed = container::list(&self.client.list().await?)?;
        let count = listed.len();
        self.take_list(listed);
        Ok(count)
    }

    /// What is not in a list is gone.
    fn take_list(&self, listed: Vec<Listed>) {
        let containers: Vec<Container> =
            listed.iter().map(|listed| Container::new(listed, &self.labels)).collect();
        let now = Instant::now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.values_mut().for_each(|container| container.leave(now));
        containers.into_iter().for_each(|container| insert(&mut known, container));
    }

    fn take(&self, listed: &Listed) {
        let container = Container::new(listed, &self.labels);
        insert(&mut self.known.write().unwrap_or_else(PoisonError::into_inner), container);
    }

    /// Notes that the container of `id` is gone.
    fn leave(&self, id: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let container = key(id.as_bytes()).and_then(|(key, _)| known.get_mut(&key));
        container.into_iter().for_each(|container| container.leave(Instant::now()));
    }

    /// Forgets what is long gone, and lets unknown ids be asked for again.
    fn next_round(&self) {
        let now = Instant::now();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, container| container.is_gone_for(now) < self.times.keep);
        self.round.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where there is no room, one that is gone makes some.
fn insert(known: &mut HashMap<Key, Container>, container: Container) {
    let Some((key, _)) = key(container.id().as_bytes()) else { return };
    if known.len() >= MOST && !known.contains_key(&key) {
        let now = Instant::now();
        let longest = known.iter().max_by_key(|(_, container)| container.is_gone_for(now));
        match longest.map(|(key, container)| (*key, container.is_gone())) {
            Some((longest, true)) => drop(known.remove(&longest)),
            _ => return,
        }
    }
    known.insert(key, container);
}

/// The key of what is a container's id, short or whole, and the id.
fn key(id: &[u8]) -> Option<(Key, &str)> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let id = str::from_utf8(id).ok().filter(|id| (12..=64).contains(&id.len()))?;
    let key = Key::from_str_radix(id.get(..12)?, 16).ok()?;
    id.as_bytes().iter().all(is_digit).then_some((key, id))
}
