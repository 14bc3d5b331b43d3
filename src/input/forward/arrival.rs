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
use super::tls::Tls;
use crate::input::Shared;
use crate::log::RateLimited;

static MALFORMED: RateLimited = RateLimited::every(Duration::from_secs(1));
static NO_TLS: RateLimited = RateLimited::every(Duration::from_secs(1));
static TOO_SLOW: RateLimited = RateLimited::every(Duration::from_secs(10));

/// What the connections of one listener share.
pub(super) struct Arrival {
    pub(super) options: ForwardOptions,
    /// `None` where the listener is plain.
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    pub(super) kill: CancellationToken,
}

impl Arrival {
    /// Serves one connection from its first byte to its last, and says how it ended.
    pub(super) async fn attend<S>(&self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match &self.tls {
            None => said(peer, &self.frames(stream).await),
            // why: apart from the task, whose size is that of the largest state: a plain connection has no room for TLS.
            Some(tls) => Box::pin(self.encrypted(tls, stream, peer)).await,
        }
    }

    async fn encrypted<S>(&self, tls: &Tls, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let deadline = Deadline::start(self.options.limits.handshake_timeout, &self.stop);
        let handshake = async { tls.accept(stream).await.map_err(Ended::from) };
        match deadline.within(handshake).await {
            Ok(stream) => said(peer, &self.frames(stream).await),
            Err(ended) => {
                ended.count(self.shared.metrics());
                said(peer, &ended);
            }
        }
    }

    /// Serves what is left to do once nothing stands before the frames any more.
    async fn frames<S>(&self, stream: S) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (from, to) = split(stream);
        let (shared, limits) = (Arc::clone(&self.shared), self.options.limits.clone());
        Connection::new(from, to, shared, limits, self.kill.clone()).serve(&self.stop).await
    }
}

fn said(peer: SocketAddr, ended: &Ended) {
    match ended {
        Ended::Malformed(error) => {
            if let Some(held_back) = MALFORMED.admit() {
                tracing::warn!(%peer, %error, held_back, "a connection was closed: its bytes are no frames");
            }
        }
        Ended::Tls(error) => {
            if let Some(held_back) = NO_TLS.admit() {
                tracing::warn!(%peer, %error, held_back, "a connection was refused: its TLS handshake failed");
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
