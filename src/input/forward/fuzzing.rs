//! The door for fuzz targets: one connection over any byte stream, as an accepted socket would be served.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;
use super::options::ForwardOptions;
use crate::input::Shared;

/// Serves `stream` from its first byte to its last.
pub async fn attend<S>(options: ForwardOptions, shared: Arc<Shared>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
    let peer = SocketAddr::from(([127, 0, 0, 1], 24224));
    Arrival { options, shared, stop, kill }.attend(stream, peer).await;
}
