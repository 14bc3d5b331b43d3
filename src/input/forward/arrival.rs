//! From an accepted socket to its frames: what stands between the two, in order, and the end of it all.
//!
//! A listener without any of it costs its connections nothing here.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Ended, Unreadable};
use super::deadline::Deadline;
use super::frame_memory::FrameMemory;
use super::names::Names;
use super::networks;
use super::options::{ForwardOptions, LimitOptions};
use super::peer::PeerAddress;
use super::peers::Admitted;
use super::proxy::{self, ProxyFault};
use super::read_buffer::ReadBuffer;
use super::security::Security;
use super::tls::Tls;
use crate::input::{Origin, Retag, Shared, Source};
use crate::log::{RateLimited, RateLimitedEach};

static MALFORMED: RateLimited = RateLimited::every(Duration::from_secs(1));
static NO_TLS: RateLimited = RateLimited::every(Duration::from_secs(1));
static TOO_SLOW: RateLimited = RateLimited::every(Duration::from_secs(10));
static TOO_SLOW_LATER: RateLimited = RateLimited::every(Duration::from_secs(10));
static NOT_PROXIED: RateLimited = RateLimited::every(Duration::from_secs(10));
/// The first few are named.
static CUT_OFF: RateLimitedEach<String> = RateLimitedEach::every(Duration::from_secs(60));
static OVER_LIMIT: RateLimited = RateLimited::every(Duration::from_secs(10));

/// What the connections of one listener share.
pub(super) struct Arrival {
    pub(super) options: ForwardOptions,
    /// `None` where the listener is plain.
    pub(super) tls: Option<Arc<Tls>>,
    /// `None` where nobody has to shake hands.
    pub(super) security: Option<Security>,
    /// Host names, where events take them.
    pub(super) names: Option<Arc<Names>>,
    /// Those of `options`, shared by its connections.
    pub(super) limits: Arc<LimitOptions>,
    /// Of all frames on their way in.
    pub(super) memory: Arc<FrameMemory>,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    pub(super) kill: CancellationToken,
}

impl Arrival {
    /// Serves one connection from its first byte to its last, and says how it ended.
    pub(super) async fn attend<S>(&self, mut stream: S, mut peer: PeerAddress, mut admitted: Admitted)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let deadline = Deadline::start(self.options.limits.handshake_timeout, &self.stop);
        if self.options.proxy_protocol {
            let known = deadline.within(self.true_peer(&mut stream, &mut peer, &mut admitted)).await;
            if let Err(ended) = known {
                return self.turn_away(&peer, &ended);
            }
        }
        match &self.tls {
            None => self.known(stream, &peer, &deadline).await,
            // why: apart from the task, whose size is that of the largest state: a plain connection has no room for TLS.
            Some(tls) => Box::pin(self.encrypted(tls, stream, &peer, &deadline)).await,
        }
    }

    async fn encrypted<S>(&self, tls: &Tls, stream: S, peer: &PeerAddress, deadline: &Deadline<'_>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let handshake = async { tls.accept(stream).await.map_err(Ended::from) };
        match deadline.within(handshake).await {
            Ok(stream) => self.known(stream, peer, deadline).await,
            Err(ended) => self.turn_away(peer, &ended),
        }
    }

    /// Serves a peer once it is known who it is: at once, or when it has shaken hands.
    async fn known<S>(&self, mut stream: S, peer: &PeerAddress, deadline: &Deadline<'_>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let buffer = match &self.security {
            None => Some(ReadBuffer::new()),
            // why: as with TLS, an open listener has no room for it.
            Some(security) => Box::pin(self.shake_hands(security, &mut stream, peer, deadline)).await,
        };
        if let Some(buffer) = buffer {
            said(peer, &self.frames(stream, buffer, peer).await);
        }
    }

    /// What has been read of the frames, if the peer is let in.
    async fn shake_hands<S>(
        &self,
        security: &Security,
        stream: &mut S,
        peer: &PeerAddress,
        deadline: &Deadline<'_>,
    ) -> Option<ReadBuffer>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let ended = match deadline.within(security.shake_hands(stream, peer.ip())).await {
            Ok(buffer) => return Some(buffer),
            Err(ended) => ended,
        };
        self.turn_away(peer, &ended);
        if let Ended::Refused(refusal) = ended {
            // It has been counted and logged; whether the client hears of it is up to the client.
            deadline.within(security.part(stream, refusal)).await.ok();
        }
        None
    }

    /// The end of a connection that has not come to its first frame.
    fn turn_away(&self, peer: &PeerAddress, ended: &Ended) {
        ended.count(self.shared.metrics());
        said(peer, ended);
    }

    /// Makes `peer` the one that the proxy tells, where it tells one, and counts the connection as that one's.
    async fn true_peer<S>(
        &self,
        stream: &mut S,
        peer: &mut PeerAddress,
        admitted: &mut Admitted,
    ) -> Result<(), Ended>
    where
        S: AsyncRead + Unpin,
    {
        if !self.is_trusted(peer) {
            return Err(ProxyFault::Untrusted.into());
        }
        if let Some(address) = proxy::read(stream).await? {
            *peer = address.into();
            admitted.move_to(peer, &self.options.limits).map_err(Ended::OverLimit)?;
        }
        Ok(())
    }

    /// Whose events `peer` brings, and what becomes of them here.
    fn origin(&self, peer: &PeerAddress) -> Origin {
        let retag = Retag { tag: self.options.tag.clone(), prefix: self.options.add_tag_prefix.clone() };
        let time_milliseconds = self.options.time_milliseconds;
        Origin { peer: peer.to_string(), source: self.source(peer), retag, time_milliseconds }
    }

    /// Whether a header of `peer` is believed. Who can reach a unix socket is a matter of its owner and mode.
    fn is_trusted(&self, peer: &PeerAddress) -> bool {
        let (trusted, address) = (&self.options.trusted_proxies, peer.ip());
        let is_named = |address| trusted.iter().any(|network| networks::covers(network, address));
        trusted.is_empty() || address.is_none_or(is_named)
    }

    /// What the events of `peer` say of their sender.
    fn source(&self, peer: &PeerAddress) -> Source {
        let mut source = Source::default();
        let Some(address) = peer.ip() else { return source };
        if let Some(key) = &self.options.source_address_key {
            source.tell(key, address.to_string(), None);
        }
        if let Some(key) = &self.options.source_hostname_key {
            // The address until the name is known, as the reference has it for one without a name.
            let name = self.names.as_ref().and_then(|names| names.of(address));
            source.tell(key, address.to_string(), name);
        }
        source
    }

    /// Serves what is left to do once nothing stands before the frames any more.
    async fn frames<S>(&self, stream: S, buffer: ReadBuffer, peer: &PeerAddress) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (from, to) = split(stream);
        let (shared, limits) = (Arc::clone(&self.shared), Arc::clone(&self.limits));
        let mut connection = Connection::new(from, to, shared, limits, self.kill.clone())
            .begun(buffer.counted(&self.memory))
            .of(self.origin(peer))
            .deny_keepalive(self.options.deny_keepalive);
        let ended = connection.serve(&self.stop).await;
        if self.kill.is_cancelled()
            && let Some(held_back) = CUT_OFF.admit(peer.to_string())
        {
            let listener = &self.options.listen;
            tracing::warn!(listener, %peer, held_back, "a connection was still busy and is cut off");
        }
        ended
    }
}

fn said(peer: &PeerAddress, ended: &Ended) {
    match ended {
        Ended::Malformed(Unreadable { error, at, bytes, hash }) => {
            if let Some(held_back) = MALFORMED.admit() {
                let hash = format_args!("{hash:032x}");
                tracing::warn!(%peer, %error, frame_at = at, bytes, %hash, held_back, "a connection was closed: its bytes are no frames");
            }
        }
        Ended::Tls(error) => {
            if let Some(held_back) = NO_TLS.admit() {
                tracing::warn!(%peer, %error, held_back, "a connection was refused: its TLS handshake failed");
            }
        }
        Ended::Refused(refusal) => {
            if let Some(held_back) = refusal.log_limit().admit(peer.ip()) {
                let (reason, why) = (refusal.reason(), refusal);
                tracing::warn!(%peer, reason, %why, held_back, "a client was refused");
            }
        }
        Ended::TooSlow(limit) => {
            if let Some(held_back) = TOO_SLOW.admit() {
                tracing::warn!(%peer, ?limit, held_back, "a connection was closed: it came to no frame in time");
            }
        }
        Ended::FrameTooSlow(_) | Ended::AcksNotTaken(_) | Ended::Displaced => {
            if let Some(held_back) = TOO_SLOW_LATER.admit() {
                tracing::warn!(%peer, %ended, held_back, "a connection was closed: its peer is too slow");
            }
        }
        Ended::Proxy(ProxyFault::Gone) => {
            tracing::debug!(%peer, "a connection ended before its PROXY header")
        }
        Ended::Proxy(error) => {
            if let Some(held_back) = NOT_PROXIED.admit() {
                tracing::warn!(%peer, %error, held_back, "a connection was refused: it came from no proxy");
            }
        }
        Ended::OverLimit(limit) => {
            if let Some(held_back) = OVER_LIMIT.admit() {
                tracing::warn!(%peer, limit, held_back, "a connection was refused");
            }
        }
        ended => tracing::debug!(%peer, %ended, "a connection ended"),
    }
}
