//! One peer, from its first byte to its last.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::ack::{self, Acks, NotAcked};
use super::deadline::FrameClock;
use super::options::LimitOptions;
use super::proxy::ProxyFault;
use super::read_buffer::{ReadBuffer, ReadFault};
use super::security::Refusal;
use super::tls::HandshakeFault;
use crate::buffer::Receipt;
use crate::decode::{DecodeError, Frame, FrameScan, Scanned};
use crate::input::{Pass, Shared, Source};
use crate::metrics::{Metrics, reason};

/// How long a connection is still read after the word to stop, counted from its last byte: what has reached this host
/// by then is taken, since a sender without acks will not send it again.
const LAST_BYTES: Duration = Duration::from_millis(50);

/// How long it is read after that word in all, by a sender that never pauses: longer would hold up the stop for nothing,
/// since what such a sender has not sent yet finds the next daemon or is sent again.
const LAST_READS: Duration = Duration::from_millis(500);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    ByPeer,
    /// The peer, or the network, broke it.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// It was silent for too long.
    #[error("no byte for {0:?}")]
    Idle(Duration),
    /// It took too long to come to its first frame.
    #[error("not at its first frame within {0:?}")]
    TooSlow(Duration),
    /// A frame had begun, and took too long to come.
    #[error("a frame not whole within {0:?}")]
    FrameTooSlow(Duration),
    /// A frame came slowly, and others needed its memory.
    #[error("a frame that came slowly while memory for frames was short")]
    Displaced,
    /// The handshake did not let it in.
    #[error("it was refused: {0}")]
    Refused(#[from] Refusal),
    /// Its TLS handshake failed.
    #[error("no TLS: {0}")]
    Tls(HandshakeFault),
    /// Its proxy did not tell whose it is.
    #[error("not taken from a proxy: {0}")]
    Proxy(#[from] ProxyFault),
    /// The peer that its proxy told has too many, by the limit's key.
    #[error("it exceeds {0}")]
    OverLimit(&'static str),
    /// The first frames were taken, and the listener wants no more of a connection.
    #[error("the listener closes a connection after its first frames")]
    DenyKeepalive,
    /// The next frame cannot be found.
    #[error("what came is no frame: {0}")]
    Malformed(DecodeError),
    /// The daemon stops.
    #[error("the daemon stops")]
    Stopping,
    /// A chunk could not be made safe, or its ack not sent; the sender will send it again.
    #[error("a chunk could not be acked")]
    NotAcked,
    /// The peer did not take its acks.
    #[error("its acks not taken within {0:?}")]
    AcksNotTaken(Duration),
}

impl Ended {
    /// The word for metrics, where it was the daemon that ended it.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::ByPeer | Self::Broken(_) | Self::Proxy(ProxyFault::Gone) => None,
            Self::Idle(_) => Some("idle_timeout"),
            Self::Refused(refusal) => Some(refusal.reason()),
            Self::TooSlow(_) => Some("handshake_timeout"),
            Self::FrameTooSlow(_) => Some("frame_timeout"),
            Self::AcksNotTaken(_) => Some("ack_timeout"),
            Self::Displaced => Some("frames_memory"),
            Self::Tls(_) => Some("tls"),
            Self::Proxy(_) => Some("proxy_protocol"),
            Self::DenyKeepalive => Some("deny_keepalive"),
            Self::OverLimit(key) => Some(key),
            Self::Malformed(DecodeError::Limit { key, .. }) => Some(key),
            Self::Malformed(_) => Some("malformed"),
            Self::Stopping => Some("stop"),
            Self::NotAcked => Some("not_acked"),
        }
    }

    /// Counts it under its word, if it has one, and under the limit that was exceeded.
    pub(super) fn count(&self, metrics: &Metrics) {
        let Some(word) = self.reason() else { return };
        reason(&metrics.connections_closed, word).inc();
        if self.is_limit() {
            reason(&metrics.limits_exceeded, word).inc();
        }
    }

    /// Whether its word is the key of a limit.
    fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::Malformed(DecodeError::Limit { .. })
                | Self::OverLimit(_)
                | Self::Idle(_)
                | Self::TooSlow(_)
                | Self::FrameTooSlow(_)
                | Self::AcksNotTaken(_)
                | Self::Displaced
        )
    }
}

impl From<ReadFault> for Ended {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Broken(error) => Self::Broken(error),
            ReadFault::Displaced => Self::Displaced,
        }
    }
}

impl From<HandshakeFault> for Ended {
    fn from(fault: HandshakeFault) -> Self {
        match fault {
            // As a probe of the port does it, over and over.
            HandshakeFault::NoHello(error) => Self::Broken(error),
            fault => Self::Tls(fault),
        }
    }
}

/// The state of one connection.
pub(super) struct Connection<R, W> {
    from: R,
    /// Taken when the first chunk comes: most peers never want an ack.
    to: Option<W>,
    buffer: ReadBuffer,
    pass: Pass,
    shared: Arc<Shared>,
    limits: LimitOptions,
    acks: Option<Acks>,
    clock: FrameClock,
    /// Cancelled when an ack cannot be sent.
    not_acked: CancellationToken,
    /// Cancelled when there is no time left: what has been read is still taken, and nobody is waited for.
    kill: CancellationToken,
    /// When the word to stop was first heard.
    stopped: Option<Instant>,
    /// Whether it ends once it has taken a frame.
    deny_keepalive: bool,
    has_taken: bool,
}

impl<R, W> Connection<R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// A connection that reads `from` its peer and acks `to` it.
    pub(super) fn new(
        from: R,
        to: W,
        shared: Arc<Shared>,
        limits: LimitOptions,
        kill: CancellationToken,
    ) -> Self {
        Self {
            from,
            to: Some(to),
            buffer: ReadBuffer::new(),
            pass: Pass::new(Arc::clone(&shared), kill.clone()),
            shared,
            limits,
            acks: None,
            clock: FrameClock::default(),
            not_acked: CancellationToken::new(),
            kill,
            stopped: None,
            deny_keepalive: false,
            has_taken: false,
        }
    }

    /// What its events say of their sender.
    pub(super) fn of_source(mut self, source: Source) -> Self {
        self.pass.set_source(source);
        self
    }

    /// What has been read of its frames already.
    pub(super) fn begun(mut self, buffer: ReadBuffer) -> Self {
        self.buffer = buffer;
        self
    }

    /// Whether it ends once its first frames are taken, and acked where they want that: those that came together, since a
    /// sender without acks would not send again what it has sent.
    pub(super) fn deny_keepalive(mut self, deny: bool) -> Self {
        self.deny_keepalive = deny;
        self
    }

    /// Serves it to its end. `stop` lets it finish what has come.
    ///
    /// why: not by value, which would be there twice in the task of each of ten thousand; and boxed below is what is
    /// awaited rarely, since a task is as large as the largest of its states.
    pub(super) async fn serve(&mut self, stop: &CancellationToken) -> Ended {
        let ended = match self.read_frames(stop).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        self.pass.flush();
        if let Some(acks) = self.acks.take() {
            // why: a writer that is left behind still says what becomes safe, while there is somebody to hear it.
            self.kill.run_until_cancelled(acks.finish()).await;
        }
        if let Some(mut to) = self.to.take() {
            self.kill.run_until_cancelled(ack::close(&mut to)).await;
        }
        ended.count(self.shared.metrics());
        ended
    }

    async fn read_frames(&mut self, stop: &CancellationToken) -> Result<std::convert::Infallible, Ended> {
        let mut scan = self.new_scan();
        loop {
            match scan.advance(self.buffer.bytes()).map_err(Ended::Malformed)? {
                Scanned::Complete(length) => {
                    self.frame(length).await?;
                    self.buffer.consume(length);
                    self.clock.ended();
                    scan = self.new_scan();
                }
                Scanned::Need(_) => {
                    self.pass.flush();
                    if self.deny_keepalive && self.has_taken && self.buffer.bytes().is_empty() {
                        return Err(Ended::DenyKeepalive);
                    }
                    // why: a socket that always has more would keep this thread for a hundred reads, and what is
                    // to be sent would wait behind it until memory is full.
                    yield_now().await;
                    self.read(stop).await?;
                }
            }
        }
    }

    fn new_scan(&self) -> FrameScan {
        FrameScan::new(self.limits.frame_bytes.0)
    }

    /// Waits for bytes: as long as the time-outs, the stop, and the acks allow.
    async fn read(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        if !self.buffer.try_room() {
            Box::pin(self.wait_for_buffer(stop)).await?;
        }
        let patience = self.clock.patience(!self.buffer.bytes().is_empty(), &self.limits);
        let read = tokio::select! {
            biased;
            // why: before the bytes, since a peer that never pauses would not let anything else be heard.
            () = self.kill.cancelled() => return Err(Ended::Stopping),
            () = self.not_acked.cancelled() => return Err(self.why_not_acked()),
            () = stop.cancelled() => Box::pin(self.read_last()).await?,
            read = self.buffer.read(&mut self.from) => read?,
            ended = patience.over() => return Err(ended),
        };
        if read == 0 {
            return Err(Ended::ByPeer);
        }
        self.shared.metrics().bytes_received.inc_by(read as u64);
        Ok(())
    }

    /// Where there is no memory to read into: waits until the frames that have it can go on, which does not count as
    /// the peer's time.
    async fn wait_for_buffer(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        let started = Instant::now();
        tokio::select! {
            biased;
            () = self.kill.cancelled() => return Err(Ended::Stopping),
            () = self.not_acked.cancelled() => return Err(self.why_not_acked()),
            () = stop.cancelled() => (),
            () = self.shared.buffer().ready_or_full() => (),
        }
        self.clock.waited(started.elapsed());
        Ok(())
    }

    async fn read_last(&mut self) -> Result<usize, Ended> {
        // What had come by then shows whether the peer wants acks.
        let again = self.stopped.is_some();
        let since = *self.stopped.get_or_insert_with(Instant::now);
        if again {
            self.say_goodbye().await;
        }
        while since.elapsed() < LAST_READS {
            let last = timeout(LAST_BYTES, self.buffer.read(&mut self.from));
            match self.kill.run_until_cancelled(last).await {
                Some(Ok(read)) => return Ok(read?),
                Some(Err(_)) if self.say_goodbye().await => (),
                _ => break,
            }
        }
        Err(Ended::Stopping)
    }

    /// Closes the sending side towards a peer that has not asked for acks, while it is still read: one that looks before
    /// it writes keeps what it has not written for the next daemon, instead of writing it where nobody reads.
    /// Whether there was one.
    async fn say_goodbye(&mut self) -> bool {
        let Some(mut to) = self.to.take() else { return false };
        // A peer that has gone needs no goodbye.
        timeout(LAST_BYTES, to.shutdown()).await.ok();
        true
    }

    /// Takes the frame in the first `length` bytes.
    async fn frame(&mut self, length: usize) -> Result<(), Ended> {
        let bytes = self.buffer.bytes().get(..length).unwrap_or_default();
        let frame = match Frame::read(bytes) {
            Ok(Some(frame)) => frame,
            // A heartbeat.
            Ok(None) => return Ok(()),
            Err(error) if error.closes_connection() => return Err(Ended::Malformed(error)),
            Err(error) => {
                self.pass.refuse(&error, 1);
                return Ok(());
            }
        };
        self.has_taken = true;
        let Some(chunk) = frame.chunk else {
            // A refusal is counted and logged where it happens, and nobody waits for an answer.
            self.pass.frame(&frame, &self.limits, None).await.ok();
            return Ok(());
        };
        if let Some(to) = self.to.take() {
            let (metrics, failed) = (Arc::clone(self.shared.metrics()), self.not_acked.clone());
            self.acks = Some(Acks::start(to, metrics, failed, &self.limits));
        }
        let Some(acks) = &self.acks else { return Err(Ended::NotAcked) };
        let room = match acks.flow().try_enter(length) {
            Some(room) => Some(room),
            None => {
                reason(&self.shared.metrics().limits_exceeded, "in_flight_bytes").inc();
                // why: those that wait may wait for the very documents that have not been given yet.
                self.pass.flush();
                self.kill.run_until_cancelled(acks.flow().enter(length)).await
            }
        };
        let Some(room) = room else { return Err(Ended::NotAcked) };
        let (receipt, waiter) = Receipt::new();
        // What was refused would be refused again: the sender is told that its chunk has been dealt with.
        self.pass.frame(&frame, &self.limits, Some(&receipt)).await.ok();
        receipt.resolve();
        if let Err(pending) = acks.try_ack(chunk, waiter, room) {
            // why: as above.
            self.pass.flush();
            let sent = self.kill.run_until_cancelled(acks.ack(pending)).await;
            sent.unwrap_or(Err(NotAcked)).map_err(|NotAcked| self.why_not_acked())?;
        }
        Ok(())
    }

    fn why_not_acked(&self) -> Ended {
        let given_up = self.acks.as_ref().is_some_and(|acks| acks.flow().was_given_up());
        if given_up { Ended::AcksNotTaken(self.limits.ack_timeout) } else { Ended::NotAcked }
    }
}
