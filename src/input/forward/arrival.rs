//! From an accepted socket to its frames: what stands between the two, in order, and the end of it all.
//!
//! A listener without any of it costs its connections nothing here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Ended};
use super::deadline::Deadline;
use super::options::ForwardOptions;
use super::read_buffer::ReadBuffer;
use super::security::Security;
use crate::input::Shared;
use crate::log::RateLimited;

static MALFORMED: RateLimited = RateLimited::every(Duration::from_secs(1));
static TOO_SLOW: RateLimited = RateLimited::every(Duration::from_secs(10));

/// What the connections of one listener share.
pub(super) struct Arrival {
    pub(super) options: ForwardOptions,
    /// The handshake, where clients have to shake hands.
    pub(super) security: Option<Security>,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    pub(super) kill: CancellationToken,
}

impl Arrival {
    /// Serves one connection from its first byte to its last, and says how it ended.
    pub(super) async fn attend<S>(&self, mut stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let deadline = Deadline::start(self.options.limits.handshake_timeout, &self.stop);
        match self.shake_hands(&mut stream, peer, &deadline).await {
            Ok(buffer) => said(peer, &self.frames(stream, buffer).await),
            Err(ended) => {
                ended.count(self.shared.metrics());
                said(peer, &ended);
                self.part(&mut stream, &ended, &deadline).await;
            }
        }
    }

    /// What has been read of the frames, once the client is let in.
    async fn shake_hands<S>(
        &self,
        stream: &mut S,
        peer: SocketAddr,
        deadline: &Deadline<'_>,
    ) -> Result<ReadBuffer, Ended>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        match &self.security {
            Some(security) => deadline.within(security.shake_hands(stream, Some(peer.ip()))).await,
            None => Ok(ReadBuffer::new()),
        }
    }

    async fn part<S>(&self, stream: &mut S, ended: &Ended, deadline: &Deadline<'_>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        if let (Some(security), Ended::Refused(refusal)) = (&self.security, ended) {
            // It has been counted and logged; whether the client hears of it is up to the client.
            deadline.within(security.part(stream, *refusal)).await.ok();
        }
    }

    /// Serves what is left to do once nothing stands before the frames any more.
    async fn frames<S>(&self, stream: S, buffer: ReadBuffer) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (shared, limits) = (Arc::clone(&self.shared), self.options.limits.clone());
        Connection::new(split(stream), buffer, shared, limits, self.kill.clone()).serve(&self.stop).await
    }
}

fn said(peer: SocketAddr, ended: &Ended) {
    match ended {
        Ended::Malformed(error) => {
            if let Some(held_back) = MALFORMED.admit() {
                tracing::warn!(%peer, %error, held_back, "a connection was closed: its bytes are no frames");
            }
        }
        Ended::Refused(refusal) => {
            if let Some(held_back) = refusal.log_limit().admit() {
                let (reason, why) = (refusal.reason(), refusal);
                tracing::warn!(%peer, reason, %why, held_back, "a client was refused");
            }
        }
        Ended::TooSlow(limit) => {
            if let Some(held_back) = TOO_SLOW.admit() {
                tracing::warn!(%peer, ?limit, held_back, "a connection was closed: it came to no frame in time");
            }
        }
        ended => tracing::debug!(%peer, %ended, "a connection ended"),
    }
}
