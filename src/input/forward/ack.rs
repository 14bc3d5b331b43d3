//! Acks: `{"ack": chunk}`, in the order of the chunks, each once its documents are safe.
//!
//! Invariants: what cannot be made safe is never acked; the connection is closed instead, and its sender sends again.
//! Chunks that wait are bounded; beyond, the connection is not read. Acks that the peer does not take within
//! `ack_timeout`, those that are written together counted as one, end the connection.
//!
//! A connection has no task of its own for them. What has become safe is written where that is told, as a rule by the one
//! thread that tells it, straight to the socket, which takes an ack at once. Only where it does not, since its peer does not
//! read, there is a task until it does: nobody else waits for it.
//!
//! why not a task for each, or one for all: two hundred that wait for one sync are due at once, and to wake whoever writes
//! an ack costs about as much as to write it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::framing::Serializer;
use super::in_flight::{Flow, InFlight};
use super::options::LimitOptions;
use super::writing::{Sink, Writing};
use crate::buffer::Receipt;
use crate::decode::json_ack;
use crate::metrics::Metrics;

/// Chunks of one connection that may wait for their ack at once.
const WAITING: usize = 1024;

/// Bytes of acks that are written together at most.
const TOGETHER: usize = 16 << 10;

/// How long the end of a connection may take to go out.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A chunk that will be acked.
pub(super) struct Pending {
    /// The ack as it goes over the wire.
    ack: Vec<u8>,
    room: InFlight,
    /// Unknown until its receipt is settled.
    safe: Option<bool>,
}

/// Why a chunk gets no receipt.
pub(super) enum NoReceipt {
    /// So many wait that this one has to wait for its place.
    TooMany(Pending),
    /// One before it could not be acked, and so it never will be.
    Over,
}

/// The acks of one connection.
pub(super) struct Acks {
    state: Mutex<State>,
    flow: Arc<Flow>,
    /// For what does not go at once.
    runtime: Handle,
    metrics: Arc<Metrics>,
    /// Cancelled when an ack cannot be sent.
    failed: CancellationToken,
    limit: Duration,
    /// Told whenever fewer wait, and at the end.
    moved: Notify,
}

struct State {
    waiting: VecDeque<Pending>,
    /// The number of the first that waits; they are numbered in the order of their chunks.
    first: u64,
    /// None while acks are written to it, and when it is closed.
    to: Option<Sink>,
    /// Whether nothing is acked any more.
    is_over: bool,
}

impl Acks {
    /// Acks `to` the peer, and waits for it on the runtime of who calls this. `failed` is cancelled when an ack cannot be sent.
    pub(super) fn new(
        to: impl AsyncWrite + Send + Unpin + 'static,
        metrics: &Arc<Metrics>,
        failed: &CancellationToken,
        limits: &LimitOptions,
    ) -> Arc<Self> {
        let to: Option<Sink> = Some(Box::new(to));
        let state = State { waiting: VecDeque::new(), first: 0, to, is_over: false };
        Arc::new(Self {
            state: Mutex::new(state),
            flow: Flow::new(limits.in_flight_bytes),
            runtime: Handle::current(),
            metrics: Arc::clone(metrics),
            failed: failed.clone(),
            limit: limits.ack_timeout,
            moved: Notify::new(),
        })
    }

    /// What is under way.
    pub(super) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Sends `ack` as soon as the receipt, and all before it, are resolved. It has taken its `room`.
    pub(super) fn try_enter(self: &Arc<Self>, ack: Vec<u8>, room: InFlight) -> Result<Receipt, NoReceipt> {
        self.try_wait(Pending { ack, room, safe: None })
    }

    /// The same for one of too many, as soon as fewer wait; none where nothing is acked any more.
    pub(super) async fn enter(self: &Arc<Self>, mut pending: Pending) -> Option<Receipt> {
        loop {
            // why: before the look, or what moves in between would not be heard.
            let moved = self.moved.notified();
            match self.try_wait(pending) {
                Ok(receipt) => return Some(receipt),
                Err(NoReceipt::Over) => return None,
                Err(NoReceipt::TooMany(again)) => pending = again,
            }
            moved.await;
        }
    }

    fn try_wait(self: &Arc<Self>, pending: Pending) -> Result<Receipt, NoReceipt> {
        let mut state = self.state();
        if state.is_over {
            return Err(NoReceipt::Over);
        }
        if state.waiting.len() >= WAITING {
            return Err(NoReceipt::TooMany(pending));
        }
        let number = state.first + state.waiting.len() as u64;
        state.waiting.push_back(pending);
        drop(state);
        let acks = Arc::clone(self);
        Ok(Receipt::telling(move |safe| acks.settled(number, safe)))
    }

    /// Runs where documents become safe, and must not hold that up.
    fn settled(self: Arc<Self>, number: u64, safe: bool) {
        let mut state = self.state();
        let place = number.checked_sub(state.first).and_then(|place| usize::try_from(place).ok());
        if let Some(pending) = place.and_then(|place| state.waiting.get_mut(place)) {
            pending.safe = Some(safe);
        }
        // why: who has taken `to` looks again after giving it back.
        let is_due = place == Some(0) && state.to.is_some();
        drop(state);
        // why: a panic over one connection ends that one, see `Bearer`, and not the thread that tells.
        if is_due && catch_unwind(AssertUnwindSafe(|| self.write())).is_err() {
            tracing::warn!(
                "a connection ends: its acks could not be written for a fault of the daemon's own"
            );
        }
    }

    /// Writes all that may be written, as far as that goes at once.
    fn write(self: &Arc<Self>) {
        while let Some(mut letter) = self.next() {
            match letter.writing.go_on(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(())) => self.written(letter),
                Poll::Ready(Err(_)) => self.fail(letter.writing),
                Poll::Pending => {
                    // why: at once, since the connection may have its turn before the task has.
                    self.flow.set_stalled(true);
                    self.runtime.spawn(Arc::clone(self).write_slowly(letter));
                    return;
                }
            }
        }
    }

    /// Waits for the peer to take what does not go at once.
    async fn write_slowly(self: Arc<Self>, mut letter: Letter) {
        let written = timeout(self.limit, &mut letter.writing).await;
        if written.is_err() {
            self.flow.give_up();
        }
        self.flow.set_stalled(false);
        match written {
            Ok(Ok(())) => self.written(letter),
            _ => self.fail(letter.writing),
        }
        // What has become safe meanwhile.
        self.write();
    }

    /// The acks at the front that are due, and `to` with them.
    fn next(self: &Arc<Self>) -> Option<Letter> {
        let mut state = self.state();
        if state.to.is_none() || state.waiting.front()?.safe.is_none() {
            return None;
        }
        let Some(Pending { mut ack, mut room, .. }) = state.pop_safe() else {
            self.give_up(state);
            return None;
        };
        let mut count = 1;
        while ack.len() < TOGETHER
            && let Some(more) = state.pop_safe()
        {
            ack.extend_from_slice(&more.ack);
            room.join(more.room);
            count += 1;
        }
        let (to, bearer) = (state.to.take()?, Bearer(Arc::clone(self)));
        Some(Letter { writing: Writing::new(to, ack), room, count, _bearer: bearer })
    }

    fn written(&self, letter: Letter) {
        self.metrics.acks_sent.inc_by(letter.count);
        self.state().to = Some(letter.writing.into_sink());
        drop(letter.room);
        self.moved.notify_waiters();
    }

    fn fail(&self, writing: Writing) {
        let mut state = self.state();
        state.to = Some(writing.into_sink());
        self.give_up(state);
    }

    fn give_up(&self, mut state: MutexGuard<'_, State>) {
        state.is_over = true;
        state.first += state.waiting.len() as u64;
        let given_up = std::mem::take(&mut state.waiting);
        drop(state);
        drop(given_up);
        self.failed.cancel();
        self.moved.notify_waiters();
    }

    /// Waits until all that can be acked has been, and closes the side that acks go to.
    pub(super) async fn finish(self: Arc<Self>) {
        // why a task: one that is not waited for any more still closes it when all is said.
        let finished = tokio::spawn(async move {
            if let Some(mut to) = self.done().await {
                close(&mut to).await;
            }
        });
        // One that panicked has closed what it could; the connection is over either way.
        finished.await.ok();
    }

    /// Where acks have gone, once none is left to be sent; none where a panic took it along.
    async fn done(&self) -> Option<Sink> {
        loop {
            // why: as above.
            let moved = self.moved.notified();
            if self.is_done() {
                return self.state().to.take();
            }
            moved.await;
        }
    }

    fn is_done(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && (state.to.is_some() || state.is_over)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Acks that are written together.
struct Letter {
    writing: Writing,
    room: InFlight,
    count: u64,
    _bearer: Bearer,
}

/// Who writes them: a panic on the way ends the connection that they are for, and does not leave it waiting.
struct Bearer(Arc<Acks>);

impl Drop for Bearer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up(self.0.state());
        }
    }
}

impl State {
    /// The first, if it is safe.
    fn pop_safe(&mut self) -> Option<Pending> {
        let pending = self.waiting.pop_front_if(|pending| pending.safe == Some(true))?;
        self.first += 1;
        Some(pending)
    }
}

/// The ack of `chunk`, one msgpack value as it came, in the way that the peer writes its frames.
pub(super) fn message(chunk: &[u8], serializer: Serializer) -> Vec<u8> {
    match serializer {
        Serializer::Msgpack => [b"\x81\xa3ack".as_slice(), chunk].concat(),
        Serializer::Json => json_ack(chunk),
    }
}

/// Closes the side that is written to: over TLS a client that is not told so has to take the end for an attack.
pub(super) async fn close(to: &mut (impl AsyncWrite + Unpin)) {
    // A peer that does not read has no need to know.
    timeout(LAST_WORD, to.shutdown()).await.ok();
}
