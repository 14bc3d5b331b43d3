//! The doors for fuzz targets: what stands before a connection's frames, and the frames, each over any byte stream.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Ended};
use super::options::{ForwardOptions, LimitOptions};
use super::proxy;
use super::security::{Security, SecurityOptions};
use crate::input::Shared;
use crate::metrics::Metrics;

/// Serves a connection from its first frame to its last; why it ended, where it was not its peer that ended it.
pub async fn serve<R, W>(from: R, to: W, shared: Arc<Shared>, limits: LimitOptions) -> Option<&'static str>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let mut connection = Connection::new(from, to, shared, Arc::new(limits), CancellationToken::new());
    connection.serve(&CancellationToken::new()).await.reason()
}

/// What a PROXY header tells; an error is why it is not taken.
pub async fn proxy_header(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, String> {
    proxy::read(from).await.map_err(|fault| fault.to_string())
}

/// The handshake of a listener.
pub struct Handshake(Security);

impl Handshake {
    /// None where the options ask for none.
    pub fn start(security: SecurityOptions, metrics: &Arc<Metrics>) -> Option<Self> {
        let listener = ForwardOptions { security, ..ForwardOptions::default() };
        Security::start(&listener, metrics, &CancellationToken::new()).map(Self)
    }

    /// One handshake, to its end: what came behind it of a client that is let in, or the word for one that is not, none
    /// where it went by itself.
    pub async fn shake<S>(
        &self,
        mut stream: S,
        address: Option<IpAddr>,
    ) -> Result<Vec<u8>, Option<&'static str>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let ended = match self.0.shake_hands(&mut stream, address).await {
            Ok(buffer) => return Ok(buffer.bytes().to_vec()),
            Err(ended) => ended,
        };
        if let Ended::Refused(refusal) = ended {
            // Whether the client hears of it is up to the client.
            self.0.part(&mut stream, refusal).await.ok();
        }
        Err(ended.reason())
    }
}
