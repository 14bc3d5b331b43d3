//! A bound socket, and the loop that accepts from it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::arrival::Arrival;
use super::frame_memory::FrameMemory;
use super::heartbeat::Heartbeat;
use super::names::Names;
use super::options::ForwardOptions;
use super::peer::PeerAddress;
use super::peers::Peers;
use super::security::Security;
use super::socket;
use super::tls::{Renewal, TlsFault};
use super::unix::{self, SocketFile, UnixFault};
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
    error: ListenFault,
}

/// Why it cannot.
#[derive(Debug, thiserror::Error)]
enum ListenFault {
    #[error(transparent)]
    Tcp(#[from] io::Error),
    #[error(transparent)]
    Unix(#[from] UnixFault),
    #[error("TLS: {0}")]
    Tls(#[from] TlsFault),
}

impl ListenError {
    /// Whether a change of configuration, or of the files that it names, mends it.
    pub fn is_configuration(&self) -> bool {
        matches!(self.error, ListenFault::Tls(_))
    }
}

enum Socket {
    Tcp(TcpListener),
    /// The file is removed when accepting ends.
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A socket, where it listens, and what answers heartbeats beside it.
type Bound = (Socket, String, Option<Heartbeat>);

/// A socket that is bound and accepts nothing yet.
pub struct Listener {
    socket: Socket,
    address: String,
    heartbeat: Option<Heartbeat>,
    options: ForwardOptions,
    /// `None` where it is plain.
    renewal: Option<Renewal>,
}

impl Listener {
    /// Reads the certificates, if there are any, and binds `options.listen`.
    pub async fn bind(options: ForwardOptions) -> Result<Self, ListenError> {
        match Self::try_bind(&options).await {
            Ok((renewal, (socket, address, heartbeat))) => {
                Ok(Self { socket, address, heartbeat, options, renewal })
            }
            Err(error) => Err(ListenError { address: options.listen, error }),
        }
    }

    async fn try_bind(options: &ForwardOptions) -> Result<(Option<Renewal>, Bound), ListenFault> {
        let renewal = Renewal::open(&options.tls)?;
        let bound = match options.unix_path() {
            Some(path) => Self::bind_unix(path, options)?,
            None => Self::bind_tcp(options).await?,
        };
        Ok((renewal, bound))
    }

    fn bind_unix(path: &std::path::Path, options: &ForwardOptions) -> Result<Bound, ListenFault> {
        let (listener, file) = unix::listen(path, &options.socket)?;
        Ok((Socket::Unix { listener, _file: file }, format!("unix:{}", path.display()), None))
    }

    async fn bind_tcp(options: &ForwardOptions) -> Result<Bound, ListenFault> {
        let listener = socket::listen(&options.listen, &options.socket).await?;
        let address = listener.local_addr()?;
        let heartbeat = if options.udp_heartbeat { Heartbeat::bind(address).await } else { None };
        Ok((Socket::Tcp(listener), address.to_string(), heartbeat))
    }

    /// Where it listens: `ADDRESS:PORT`, with the port that the system chose if it was asked to, or `unix:PATH`.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Accepts until `stop`, then waits for its connections to finish. From `kill` on they wait for nobody.
    pub async fn serve(mut self, shared: Arc<Shared>, stop: CancellationToken, kill: CancellationToken) {
        let peers = Peers::new(Arc::clone(shared.metrics()));
        let connections = TaskTracker::new();
        if let Some(heartbeat) = self.heartbeat.take() {
            connections.spawn(heartbeat.serve(Arc::clone(shared.metrics()), stop.clone()));
        }
        let (options, accepting) = (self.options.clone(), stop.clone());
        let names = options.source_hostname_key.as_ref().and_then(|_| Names::of_this_host());
        let tls = self.renewal.as_ref().map(Renewal::tls);
        if let Some(renewal) = self.renewal.take() {
            let metrics = Arc::clone(shared.metrics());
            connections.spawn(renewal.keep(self.address.clone(), metrics, stop.clone()));
        }
        let security = Security::start(&options, shared.metrics(), &stop);
        let limits = Arc::new(options.limits.clone());
        let memory = FrameMemory::new(limits.frames_memory, limits.pace(), Arc::clone(shared.metrics()));
        let arrival = Arc::new(Arrival { options, tls, security, names, limits, memory, shared, stop, kill });
        while let Some((stream, peer)) = accepting.run_until_cancelled(self.accept()).await {
            let limits = &self.options.limits;
            let admitted = if self.options.proxy_protocol {
                peers.admit_proxied(limits)
            } else {
                peers.admit(&peer, limits)
            };
            match admitted {
                Ok(admitted) => {
                    let arrival = Arc::clone(&arrival);
                    connections.spawn(async move {
                        match stream {
                            Stream::Tcp(stream) => arrival.attend(stream, peer, admitted).await,
                            Stream::Unix(stream) => arrival.attend(stream, peer, admitted).await,
                        }
                    });
                }
                Err(limit) => refused(&arrival.shared, &peer, limit),
            }
        }
        drop(self.socket);
        connections.close();
        connections.wait().await;
    }

    async fn accept(&self) -> (Stream, PeerAddress) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                // Whoever connected has gone again, which is no reason to keep others waiting.
                Err(error) if is_of_one_peer(&error) => {}
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

impl Socket {
    async fn accept(&self) -> io::Result<(Stream, PeerAddress)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // An ack is small, and somebody waits for it.
                stream.set_nodelay(true).ok();
                Ok((Stream::Tcp(stream), peer.into()))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let peer = PeerAddress::local(stream.peer_cred().ok());
                Ok((Stream::Unix(stream), peer))
            }
        }
    }
}

/// Whether an accept failed for the peer alone, and the next may not; out of file handles, say, the next fails as well.
fn is_of_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn refused(shared: &Shared, peer: &PeerAddress, limit: &'static str) {
    reason(&shared.metrics().connections_closed, limit).inc();
    reason(&shared.metrics().limits_exceeded, limit).inc();
    if let Some(held_back) = REFUSED.admit() {
        tracing::warn!(%peer, limit, held_back, "a connection was refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_peer_that_has_gone_again_holds_up_nobody_and_file_handles_that_have_run_out_do() {
        for gone in [Errno::CONNABORTED, Errno::CONNRESET, Errno::INTR] {
            assert!(is_of_one_peer(&gone.into()), "{gone}");
        }
        for lasting in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(!is_of_one_peer(&lasting.into()), "{lasting}");
        }
    }
}
