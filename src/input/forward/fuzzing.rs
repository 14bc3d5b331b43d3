//! The door for fuzz targets: one connection over any byte stream, as an accepted socket would be served.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;
use super::options::ForwardOptions;
use super::peers::Peers;
use super::security::Security;
use crate::input::Shared;

/// Serves `stream` from its first byte to its last.
pub async fn attend<S>(options: ForwardOptions, shared: Arc<Shared>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
    let peer = SocketAddr::from(([127, 0, 0, 1], 24224)).into();
    let peers = Peers::new(Arc::clone(shared.metrics()));
    let Ok(admitted) = peers.admit(&peer, &options.limits) else { return };
    let security = Security::start(&options, shared.metrics(), &stop);
    let arrival = Arrival { options, tls: None, security, names: None, shared, stop, kill };
    arrival.attend(stream, peer, admitted).await;
}
