//! One peer, from its first byte to its last.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::deadline::{Alarm, FrameClock};
use super::framing::{Found, Framing};
use super::options::LimitOptions;
use super::proxy::ProxyFault;
use super::read_buffer::{ReadBuffer, ReadFault};
use super::security::Refusal;
use super::taker::{TakeFault, Taker};
use super::tls::HandshakeFault;
use super::words::{Word, Words};
use crate::decode::DecodeError;
use crate::input::{Origin, Shared};
use crate::metrics::{Metrics, reason};

/// How long a connection is still read after the word to stop, counted from its last byte: what has reached this host
/// by then is taken, since a sender without acks will not send it again.
const LAST_BYTES: Duration = Duration::from_millis(50);

/// How long it is read after that word in all, by a sender that never pauses: longer would hold up the stop for nothing,
/// since what such a sender has not sent yet finds the next daemon or is sent again.
const LAST_READS: Duration = Duration::from_millis(500);

/// A hundred reads of no more than this are little work.
const LITTLE: usize = 4 << 10;

/// What is said of bytes that are no frame: without them, but so that they are known again.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// What was found, and where in the frame.
    pub(super) error: DecodeError,
    /// Where the frame begins, in the bytes of the connection.
    pub(super) at: u64,
    /// How many bytes there were from there on.
    pub(super) bytes: usize,
    /// Their XXH3-128.
    pub(super) hash: u128,
}

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
    #[error("what came is no frame: {}", .0.error)]
    Malformed(Unreadable),
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
            Self::Malformed(Unreadable { error: DecodeError::Limit { key, .. }, .. }) => Some(key),
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
            Self::Malformed(Unreadable { error: DecodeError::Limit { .. }, .. })
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
    buffer: ReadBuffer,
    framing: Framing,
    taker: Taker<W>,
    shared: Arc<Shared>,
    limits: Arc<LimitOptions>,
    clock: FrameClock,
    alarm: Alarm,
    /// Cancelled when there is no time left: what has been read is still taken, and nobody is waited for.
    kill: CancellationToken,
    /// Bytes of the frames before the one at the front of the buffer.
    gone: u64,
    /// Bytes that the last read brought.
    last_read: usize,
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
        limits: Arc<LimitOptions>,
        kill: CancellationToken,
    ) -> Self {
        Self {
            from,
            buffer: ReadBuffer::new(),
            framing: Framing::new(&limits),
            taker: Taker::new(to, Arc::clone(&shared), Arc::clone(&limits), kill.clone()),
            shared,
            limits,
            clock: FrameClock::default(),
            alarm: Alarm::default(),
            kill,
            gone: 0,
            last_read: 0,
            stopped: None,
            deny_keepalive: false,
            has_taken: false,
        }
    }

    /// Whose events it brings.
    pub(super) fn of(mut self, origin: Origin) -> Self {
        self.taker.set_origin(origin);
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
        Box::pin(self.taker.finish()).await;
        ended.count(self.shared.metrics());
        ended
    }

    async fn read_frames(&mut self, stop: &CancellationToken) -> Result<std::convert::Infallible, Ended> {
        let mut words = Words::new(self.kill.clone(), self.taker.not_acked().clone(), stop.clone());
        loop {
            let found = self.framing.find(self.buffer.bytes());
            let length = match found.map_err(|error| self.unreadable(error))? {
                Found::Frame(length, serializer) => {
                    let bytes = self.buffer.bytes().get(..length).unwrap_or_default();
                    let taken = self.taker.frame(bytes, serializer).await;
                    self.has_taken |= taken.map_err(|fault| self.ended(fault))?;
                    self.clock.ended();
                    length
                }
                Found::Nothing(length) => length,
                Found::PassedOver(length, frame, serializer) => {
                    let taken = Box::pin(self.taker.oversized(&frame, serializer)).await;
                    taken.map_err(|fault| self.ended(fault))?;
                    self.has_taken = true;
                    self.clock.ended();
                    length
                }
                Found::Need => {
                    self.more(&mut words).await?;
                    0
                }
            };
            self.buffer.consume(length);
            self.gone += length as u64;
        }
    }

    /// Reads on, once what there was is taken.
    async fn more(&mut self, words: &mut Words) -> Result<(), Ended> {
        self.taker.settle().await;
        if self.deny_keepalive && self.has_taken && self.buffer.bytes().is_empty() {
            return Err(Ended::DenyKeepalive);
        }
        // why: a socket that always has more would keep this thread for a hundred reads, and what is to be sent would
        // wait behind it until memory is full. One that had little has nothing now, and who sends a line at a time would
        // pay for the pause with each.
        if self.last_read > LITTLE {
            yield_now().await;
        }
        self.read(words).await
    }

    fn ended(&self, fault: TakeFault) -> Ended {
        match fault {
            TakeFault::Unreadable(error) => self.unreadable(error),
            TakeFault::NotAcked => self.taker.why_not_acked(),
        }
    }

    fn unreadable(&self, error: DecodeError) -> Ended {
        let bytes = self.buffer.bytes();
        let hash = xxhash_rust::xxh3::xxh3_128(bytes);
        Ended::Malformed(Unreadable { error, at: self.gone, bytes: bytes.len(), hash })
    }

    /// Waits for bytes: as long as the time-outs, the stop, and the acks allow.
    async fn read(&mut self, words: &mut Words) -> Result<(), Ended> {
        if !self.buffer.try_room() {
            Box::pin(self.wait_for_buffer(words)).await?;
        }
        let patience = self.clock.patience(self.framing.is_inside(), &self.limits);
        let alarm = &mut self.alarm;
        let read = tokio::select! {
            biased;
            // why: before the bytes, since a peer that never pauses would not let anything else be heard.
            word = poll_fn(|context| words.poll(context)) => self.told(word).await?,
            read = self.buffer.read(&mut self.from) => read?,
            ended = poll_fn(|context| alarm.poll(&patience, context)) => return Err(ended),
        };
        if read == 0 {
            return Err(Ended::ByPeer);
        }
        self.last_read = read;
        self.shared.metrics().bytes_received.inc_by(read as u64);
        Ok(())
    }

    /// What is still read once the connection has been told something.
    async fn told(&mut self, word: Word) -> Result<usize, Ended> {
        match word {
            Word::Kill => Err(Ended::Stopping),
            Word::NotAcked => Err(self.taker.why_not_acked()),
            Word::Stop => Box::pin(self.read_last()).await,
        }
    }

    /// Where there is no memory to read into: waits until the frames that have it can go on, which does not count as
    /// the peer's time.
    async fn wait_for_buffer(&mut self, words: &mut Words) -> Result<(), Ended> {
        let started = Instant::now();
        tokio::select! {
            biased;
            word = poll_fn(|context| words.poll(context)) => match word {
                Word::Kill => return Err(Ended::Stopping),
                Word::NotAcked => return Err(self.taker.why_not_acked()),
                Word::Stop => (),
            },
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
        let Some(mut to) = self.taker.unused() else { return false };
        // A peer that has gone needs no goodbye.
        timeout(LAST_BYTES, to.shutdown()).await.ok();
        true
    }
}
