//! Lets `server_name` differ from the host that is connected to.
//!
//! The HTTP client takes the name to verify (and to send as SNI) from the URL, and offers no other way. So, only where
//! `server_name` is set: the URL's host becomes that name, and the client is told to CONNECT through this relay, which
//! listens on a loopback port and joins every tunnel to the one address that the configuration named. TLS runs from end
//! to end through it. The relay lends nothing to other local users that they could not reach by themselves.
//! At most [`TUNNELS`] tunnels are open at once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const TUNNELS: usize = 64;
const REQUEST_BYTES: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// A relay to one address; it stops when this is dropped.
pub(super) struct Relay {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    /// Listens on a free loopback port. Needs a running reactor.
    pub(super) fn to(host: String, port: u16) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let task = tokio::spawn(accept(listener, Arc::new((host, port))));
        Ok(Self { address, task })
    }

    /// Where the client finds it.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to: Arc<(String, u16)>) {
    let tunnels = Arc::new(Semaphore::new(TUNNELS));
    while let Ok(leave) = Arc::clone(&tunnels).acquire_owned().await {
        match listener.accept().await {
            Ok((client, _)) => {
                let to = Arc::clone(&to);
                tokio::spawn(async move {
                    if let Err(fault) = tunnel(client, &to.0, to.1).await {
                        tracing::debug!(host = to.0, port = to.1, %fault, "tunnel ended");
                    }
                    drop(leave);
                });
            }
            Err(fault) => {
                tracing::debug!(%fault, "the relay cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn tunnel(mut client: TcpStream, host: &str, port: u16) -> io::Result<()> {
    tokio::time::timeout(PATIENCE, read_request(&mut client)).await??;
    let node = tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await;
    match node.map_err(io::Error::from).and_then(|node| node) {
        Ok(mut node) => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut node).await.map(drop)
        }
        Err(fault) => {
            tracing::warn!(host, port, %fault, "cannot connect to the node behind elasticsearch.server_name");
            client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await
        }
    }
}

/// Reads the CONNECT request to its blank line; what it asks for does not matter, there is one place to go.
async fn read_request(client: &mut TcpStream) -> io::Result<()> {
    let mut request = Vec::with_capacity(256);
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() >= REQUEST_BYTES || client.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if request.starts_with(b"CONNECT ") { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}
