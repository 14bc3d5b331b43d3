//! One request to whichever node is next, and what its answer means for nodes, concurrency and encoding.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Outcome, Refusal};
use super::backoff::Backoff;
use super::client::{Body, Method, Reply};
use super::encoding::Encoding;
use super::fault::{Fault, Kind};
use super::gate::{Gate, Slot};
use super::heal::Healer;
use super::nodes::{Lease, Nodes};
use super::trouble::Troubles;
use super::verdict::{self, Obstacle, Reported, Whole};
use crate::buffer::Recall;
use crate::metrics::{self, Metrics};
use crate::output::Compression;

/// What all deliveries share.
pub(super) struct Target {
    pub(super) nodes: Nodes,
    pub(super) gate: Gate,
    pub(super) encoding: Encoding,
    pub(super) troubles: Arc<Troubles>,
    pub(super) healer: Healer,
    pub(super) backoff: Backoff,
    pub(super) timeout: Duration,
    /// Bodies above this are split before they are sent, as learnt from a 413.
    pub(super) body_most: AtomicUsize,
    pub(super) metrics: Arc<Metrics>,
}

/// The daemon stops before the matter is settled, or the buffer has taken the delivery back.
#[derive(Debug)]
pub(super) struct Stopped;

/// What came of one request with some documents.
pub(super) enum Attempt {
    /// An outcome for each document.
    ByItem(Vec<Outcome>),
    /// Nothing is known; again at once, on whichever node is up.
    Elsewhere {
        /// Whether they may have been taken all the same.
        may_be_taken: bool,
    },
    /// Again after a pause, at least so long.
    Again(Duration),
    /// Too much at once, or one too large.
    TooLarge(Refusal),
    /// A document in it cannot be read.
    Malformed(Refusal),
    Hold(Obstacle, String),
}

/// Waits for `work`, or for the stop.
pub(super) async fn unless<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Result<T, Stopped> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Stopped),
        done = work => Ok(done),
    }
}

/// As [`unless`], and where there is a `recall` the buffer may take the delivery back meanwhile.
pub(super) async fn resting<T>(
    recall: Option<&Recall>,
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, Stopped> {
    match recall {
        Some(recall) => unless(stop, recall.resting(work)).await?.ok_or(Stopped),
        None => unless(stop, work).await,
    }
}

impl Target {
    /// Sends `body`, of so many documents. A stop is heard before the request, not while it is under way; so is the buffer,
    /// where there is a `recall`.
    pub(super) async fn attempt(
        &self,
        body: Bytes,
        documents: usize,
        recall: Option<&Recall>,
        stop: &CancellationToken,
    ) -> Result<Attempt, Stopped> {
        let (bytes, encoding) = self.encoding.encode(body).await;
        let ready = async { (self.gate.enter().await, self.nodes.pick().await) };
        let (slot, lease) = resting(recall, stop, ready).await?;
        self.metrics.bulk_bytes.inc_by(bytes.len() as u64);
        let started = Instant::now();
        let body = Body { bytes, content_type: "application/x-ndjson", encoding };
        let answer = lease.node.client.send(Method::Post, answer::PATH, Some(body), self.timeout).await;
        self.metrics.bulk_seconds.observe(started.elapsed().as_secs_f64());
        Ok(match answer {
            Ok(reply) => self.read(&reply, documents, encoding, &lease, slot),
            Err(fault) => self.failed(&fault, &lease, slot),
        })
    }

    /// A small request beside the bulk ones, to the next node that is up.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Reply, Fault> {
        let lease = self.nodes.pick().await;
        let answer = lease.node.client.send(method, path, body.map(Body::json), timeout).await;
        match &answer {
            Ok(_) => lease.answered(),
            Err(fault) => {
                self.count_error(fault.kind.word());
                lease.failed(fault);
            }
        }
        answer
    }

    fn failed(&self, fault: &Fault, lease: &Lease<'_>, slot: Slot<'_>) -> Attempt {
        metrics::kind(&self.metrics.bulk_requests, fault.kind.word()).inc();
        self.count_error(fault.kind.word());
        lease.failed(fault);
        if fault.kind == Kind::Timeout {
            slot.overloaded();
        }
        let may_be_taken = !matches!(fault.kind, Kind::Dns | Kind::Connect | Kind::Tls);
        Attempt::Elsewhere { may_be_taken }
    }

    fn read(
        &self,
        reply: &Reply,
        documents: usize,
        encoding: Compression,
        lease: &Lease<'_>,
        slot: Slot<'_>,
    ) -> Attempt {
        metrics::kind(&self.metrics.bulk_requests, status_word(reply.status)).inc();
        let error = if reply.status >= 300 { answer::failure(&reply.body) } else { Reported::default() };
        match verdict::of_request(reply.status, &error) {
            Whole::ByItem => self.by_item(reply, documents, encoding, lease, slot),
            Whole::Elsewhere { overload } => {
                self.unavailable(reply, &error, lease, overload.then_some(slot));
                // A server that says 503 has not begun; one behind a proxy may have.
                let elsewhere = Attempt::Elsewhere { may_be_taken: !matches!(reply.status, 408 | 503) };
                reply.retry_after.map_or(elsewhere, Attempt::Again)
            }
            whole => {
                lease.answered();
                self.refused(whole, reply, &error, encoding, slot)
            }
        }
    }

    fn unavailable(
        &self,
        reply: &Reply,
        error: &Reported<'_>,
        lease: &Lease<'_>,
        overload: Option<Slot<'_>>,
    ) {
        let detail = format!("status {} {}", reply.status, error.kind);
        let fault = Fault::new(Kind::Status, detail.trim_end());
        self.count_error(fault.kind.word());
        lease.failed(&fault);
        if let Some(slot) = overload {
            slot.overloaded();
        }
    }

    /// The node is well, and takes the request not as it is, or not now.
    fn refused(
        &self,
        whole: Whole,
        reply: &Reply,
        error: &Reported<'_>,
        encoding: Compression,
        slot: Slot<'_>,
    ) -> Attempt {
        if self.encoding.refused(encoding, reply.status) {
            return Attempt::Elsewhere { may_be_taken: false };
        }
        match whole {
            Whole::TooLarge => Attempt::TooLarge(Refusal::new("too_large", reply.status, error)),
            Whole::Malformed => Attempt::Malformed(Refusal::new("malformed", reply.status, error)),
            Whole::Hold(obstacle) => {
                self.count_error(obstacle.word());
                Attempt::Hold(obstacle, error.text())
            }
            Whole::Again | Whole::ByItem | Whole::Elsewhere { .. } => {
                self.overloaded(slot);
                Attempt::Again(reply.retry_after.unwrap_or_default())
            }
        }
    }

    fn by_item(
        &self,
        reply: &Reply,
        documents: usize,
        encoding: Compression,
        lease: &Lease<'_>,
        slot: Slot<'_>,
    ) -> Attempt {
        match answer::outcomes(&reply.body, documents) {
            Ok(outcomes) => {
                lease.answered();
                self.encoding.accepted(encoding);
                self.weigh(&outcomes, slot);
                Attempt::ByItem(outcomes)
            }
            // why only the place: the parser's words may quote the answer, and that may quote a document.
            Err(fault) => {
                let place = format!(
                    "{} bytes, {:?} error at byte {}",
                    reply.body.len(),
                    fault.classify(),
                    fault.column()
                );
                self.failed(&Fault::new(Kind::Unreadable, place), lease, slot)
            }
        }
    }

    fn weigh(&self, outcomes: &[Outcome], slot: Slot<'_>) {
        let held = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Hold(obstacle, _) => Some(*obstacle),
            _ => None,
        });
        if let Some(obstacle) = held {
            self.count_error(obstacle.word());
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Again { overload: true })) {
            self.overloaded(slot);
        } else if held.is_none() {
            slot.good();
        }
    }

    fn overloaded(&self, slot: Slot<'_>) {
        self.count_error("overload");
        if self.troubles.is_time("overload") {
            tracing::warn!("the target has too much to do (429): sending again, and less at once");
        }
        slot.overloaded();
    }

    pub(super) fn count_error(&self, word: &'static str) {
        metrics::kind(&self.metrics.errors, word).inc();
    }
}

fn status_word(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        413 => "413",
        429 => "429",
        500..=599 => "5xx",
        _ => "other",
    }
}
