//! Numbered documents for an output, and the books about them: which were delivered, which came back.
//!
//! A stand-in for the buffer: what an output returns goes to the head of the queue and is given out again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use forebay::buffer::{Delivery, Settled, TagRun};
use tokio::sync::Notify;

use super::target::Target;

/// Documents of one delivery.
#[derive(Clone)]
struct Load {
    bytes: Bytes,
    ends: Vec<u32>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Load>,
    on_loan: usize,
    delivered: usize,
    returned: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// The queue; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Feed {
    shared: Arc<Shared>,
}

/// The id of document `n`.
pub(crate) fn id(n: usize) -> String {
    format!("id-{n:06}")
}

impl Feed {
    /// `deliveries` of `each` documents, numbered through from 0, with `n` and a message of `padding` bytes.
    pub(crate) fn numbered(deliveries: usize, each: usize, padding: usize) -> Self {
        let feed = Self::default();
        for first in 0..deliveries {
            feed.lock().queue.push_back(load(first * each..(first + 1) * each, padding));
        }
        feed
    }

    /// The next delivery; None once all are delivered. Waits while others may come back.
    pub(crate) async fn next(&self) -> Option<Delivery> {
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut state = self.lock();
                if let Some(load) = state.queue.pop_front() {
                    state.on_loan += 1;
                    return Some(self.lend(load));
                }
                if state.on_loan == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Documents delivered, and deliveries that came back.
    pub(crate) fn settled(&self) -> (usize, usize) {
        let state = self.lock();
        (state.delivered, state.returned)
    }

    fn lend(&self, load: Load) -> Delivery {
        let tags =
            vec![TagRun { tag: "ml-api".into(), documents: u32::try_from(load.ends.len()).expect("few") }];
        let (shared, kept) = (Arc::clone(&self.shared), load.clone());
        Delivery::new(load.bytes, load.ends, tags, move |settled| {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.on_loan -= 1;
            match settled {
                Settled::Delivered(_) => state.delivered += kept.ends.len(),
                Settled::Returned(_) => {
                    state.returned += 1;
                    state.queue.push_front(kept);
                }
            }
            drop(state);
            shared.changed.notify_waiters();
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where all documents go.
const INDEX: &str = "logs-ml-api-default";

fn load(numbers: std::ops::Range<usize>, padding: usize) -> Load {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for n in numbers {
        let action = format!(r#"{{"create":{{"_index":"{INDEX}","_id":"{}"}}}}"#, id(n));
        let document = format!(
            r#"{{"@timestamp":"2026-11-23T12:00:00.000000{:03}Z","n":{n},"message":"{}"}}"#,
            n % 1000,
            "x".repeat(padding)
        );
        bytes.extend_from_slice(format!("{action}\n{document}\n").as_bytes());
        ends.push(u32::try_from(bytes.len()).expect("few bytes"));
    }
    Load { bytes: bytes.into(), ends }
}

/// Asserts that `target` has exactly the documents of `numbers`, each with its own content.
pub(crate) fn assert_holds(target: &Target, numbers: impl IntoIterator<Item = usize>) {
    let documents = target.documents();
    let place = |number: usize| format!("{INDEX} {}", id(number));
    let wanted: BTreeSet<String> = numbers.into_iter().map(place).collect();
    let had: BTreeSet<String> = documents.keys().cloned().collect();
    let lost: Vec<_> = wanted.difference(&had).take(5).collect();
    let too_many: Vec<_> = had.difference(&wanted).take(5).collect();
    assert!(lost.is_empty() && too_many.is_empty(), "lost {lost:?}, too many {too_many:?}");
    for (stored_at, stored) in documents {
        assert_eq!(place(stored.document["n"].as_u64().expect("n") as usize), stored_at);
    }
}
