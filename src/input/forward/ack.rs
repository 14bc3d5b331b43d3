//! Acks: `{"ack": chunk}`, in the order of the chunks, each once its documents are safe.
//!
//! Invariants: what cannot be made safe is never acked; the connection is closed instead, and its sender sends again.
//! Chunks that wait are bounded; beyond, the connection is not read. Acks that the peer does not take within
//! `ack_timeout`, those that are written together counted as one, end the connection.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::framing::Serializer;
use super::in_flight::{Flow, InFlight};
use super::options::LimitOptions;
use crate::buffer::Waiter;
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
    safe: Waiter,
    room: InFlight,
}

/// The acks of one connection.
pub(super) struct Acks {
    /// Boxed, since the channel keeps places for some dozens from the start.
    pending: mpsc::Sender<Box<Pending>>,
    writer: JoinHandle<()>,
    flow: Arc<Flow>,
}

impl Acks {
    /// Starts writing to `to`. `failed` is cancelled when an ack cannot be sent.
    pub(super) fn start(
        mut to: impl AsyncWrite + Send + Unpin + 'static,
        metrics: Arc<Metrics>,
        failed: CancellationToken,
        limits: &LimitOptions,
    ) -> Self {
        let (pending, waiting) = mpsc::channel(WAITING);
        let (flow, limit) = (Flow::new(limits.in_flight_bytes), limits.ack_timeout);
        let shared = Arc::clone(&flow);
        let writer = tokio::spawn(async move {
            if write_acks(&mut to, waiting, &metrics, (&shared, limit)).await.is_err() {
                failed.cancel();
            }
            close(&mut to).await;
        });
        Self { pending, writer, flow }
    }

    /// What is under way.
    pub(super) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Sends `ack` as soon as `safe` says so; hands it back where too many wait. It has taken its `room`.
    pub(super) fn try_ack(&self, ack: Vec<u8>, safe: Waiter, room: InFlight) -> Result<(), Box<Pending>> {
        self.pending.try_send(Box::new(Pending { ack, safe, room })).map_err(TrySendError::into_inner)
    }

    /// The same for what was handed back, as soon as fewer wait.
    pub(super) async fn ack(&self, pending: Box<Pending>) -> Result<(), NotAcked> {
        self.pending.send(pending).await.map_err(|_| NotAcked)
    }

    /// Waits until all that can be acked has been.
    pub(super) async fn finish(self) {
        drop(self.pending);
        // A writer that panicked has sent what it has sent; the connection is over either way.
        self.writer.await.ok();
    }
}

/// The ack of `chunk`, one msgpack value as it came, in the way that the peer writes its frames.
pub(super) fn message(chunk: &[u8], serializer: Serializer) -> Vec<u8> {
    match serializer {
        Serializer::Msgpack => [b"\x81\xa3ack".as_slice(), chunk].concat(),
        Serializer::Json => json_ack(chunk),
    }
}

/// An ack could not be sent: the documents were not made safe, or the peer has gone.
pub(super) struct NotAcked;

/// Closes the side that is written to: over TLS a client that is not told so has to take the end for an attack.
pub(super) async fn close(to: &mut (impl AsyncWrite + Unpin)) {
    // A peer that does not read has no need to know.
    timeout(LAST_WORD, to.shutdown()).await.ok();
}

async fn write_acks(
    to: &mut (impl AsyncWrite + Unpin),
    mut waiting: mpsc::Receiver<Box<Pending>>,
    metrics: &Metrics,
    (flow, limit): (&Flow, Duration),
) -> Result<(), NotAcked> {
    let mut next = waiting.recv().await;
    while let Some(first) = next {
        let Pending { ack: mut together, safe, room } = *first;
        if !safe.safe().await {
            return Err(NotAcked);
        }
        let (mut count, mut rooms) = (1, vec![room]);
        next = None;
        while together.len() < TOGETHER {
            let Ok(mut more) = waiting.try_recv() else { break };
            if !more.safe.is_safe_now() {
                next = Some(more);
                break;
            }
            together.append(&mut more.ack);
            rooms.push(more.room);
            count += 1;
        }
        write_in_time(to, &together, flow, limit).await?;
        drop(rooms);
        metrics.acks_sent.inc_by(count);
        next = match next {
            Some(next) => Some(next),
            None => waiting.recv().await,
        };
    }
    Ok(())
}

/// Writes what goes at once as a rule, and waits for the peer to take it where it does not.
async fn write_in_time(
    to: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    flow: &Flow,
    limit: Duration,
) -> Result<(), NotAcked> {
    // why flush: TLS takes bytes that the socket does not, and would keep them until the next ack.
    let mut writing = pin!(async {
        to.write_all(bytes).await?;
        to.flush().await
    });
    if let Poll::Ready(written) = poll_fn(|cx| Poll::Ready(writing.as_mut().poll(cx))).await {
        return written.map_err(|_| NotAcked);
    }
    flow.set_stalled(true);
    let written = timeout(limit, writing).await;
    if written.is_err() {
        flow.give_up();
    }
    flow.set_stalled(false);
    match written {
        Ok(Ok(())) => Ok(()),
        _ => Err(NotAcked),
    }
}
