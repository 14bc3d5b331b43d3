//! A bound socket, and the loop that accepts from it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::arrival::Arrival;
use super::options::ForwardOptions;
use super::peers::{Admitted, Peers};
use super::security::Security;
use crate::input::Shared;
use crate::log::RateLimited;
use crate::metrics::reason;

/// The pause after an accept that failed, as when file handles have run out: the loop stays, and does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

static ACCEPT_FAILED: RateLimited = RateLimited::every(Duration::from_secs(10));
static REFUSED: RateLimited = RateLimited::every(Duration::from_secs(10));

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for the forward protocol: {error}")]
pub struct ListenError {
    address: String,
    #[source]
    error: std::io::Error,
}

/// A socket that is bound and accepts nothing yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    options: ForwardOptions,
}

impl Listener {
    /// Binds `options.listen`.
    pub async fn bind(options: ForwardOptions) -> Result<Self, ListenError> {
        let fault = |error| ListenError { address: options.listen.clone(), error };
        let socket = TcpListener::bind(&options.listen).await.map_err(fault)?;
        let address = socket.local_addr().map_err(fault)?;
        Ok(Self { socket, address, options })
    }

    /// Where it listens, with the port that the system chose if it was asked to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `stop`, then waits for its connections to finish. From `kill` on they wait for nobody.
    pub async fn serve(self, shared: Arc<Shared>, stop: CancellationToken, kill: CancellationToken) {
        let peers = Peers::new(Arc::clone(shared.metrics()));
        let connections = TaskTracker::new();
        let (options, accepting) = (self.options.clone(), stop.clone());
        let security = Security::start(&options.security, true, shared.metrics(), &stop);
        let arrival = Arc::new(Arrival { options, security, shared, stop, kill });
        while let Some((stream, peer)) = accepting.run_until_cancelled(self.accept()).await {
            match peers.admit(peer.ip(), &self.options.limits) {
                Ok(admitted) => {
                    let arrival = Arc::clone(&arrival);
                    connections.spawn(async move {
                        arrival.attend(stream, peer).await;
                        drop::<Admitted>(admitted);
                    });
                }
                Err(limit) => refused(&arrival.shared, peer, limit),
            }
        }
        drop(self.socket);
        connections.close();
        connections.wait().await;
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    // An ack is small, and somebody waits for it.
                    stream.set_nodelay(true).ok();
                    return (stream, peer);
                }
                Err(error) => {
                    if let Some(held_back) = ACCEPT_FAILED.admit() {
                        tracing::warn!(%error, held_back, "cannot accept a connection");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn refused(shared: &Shared, peer: SocketAddr, limit: &'static str) {
    reason(&shared.metrics().connections_closed, limit).inc();
    reason(&shared.metrics().limits_exceeded, limit).inc();
    if let Some(held_back) = REFUSED.admit() {
        tracing::warn!(%peer, limit, held_back, "a connection was refused");
    }
}
