//! A listening TCP socket and what is asked of it. What is set here every accepted connection inherits.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::unix::UnixMode;

/// The keys of a `[[forward]]` table that are about its socket.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketOptions {
    /// The permissions of a unix socket.
    pub unix_mode: UnixMode,
    /// `USER:GROUP`, either of them by name or number, that a unix socket is given to.
    pub unix_owner: Option<String>,
    /// Connections that wait to be accepted; the system has a limit of its own (`net.core.somaxconn`).
    pub backlog: u32,
    /// 0 resets a connection where it is closed; none lets what was sent arrive.
    pub linger_timeout: Option<Duration>,
    /// Whether the system asks a silent peer whether it is still there.
    pub send_keepalive_packet: bool,
    /// The silence after which it first asks; whole seconds.
    pub keepalive_idle: Duration,
    /// From one question to the next; whole seconds.
    pub keepalive_interval: Duration,
    /// Questions without an answer after which the peer is gone.
    pub keepalive_count: u32,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            unix_mode: UnixMode(0o660),
            unix_owner: None,
            backlog: 1024,
            linger_timeout: None,
            send_keepalive_packet: true,
            keepalive_idle: Duration::from_secs(60),
            keepalive_interval: Duration::from_secs(15),
            keepalive_count: 4,
        }
    }
}

impl SocketOptions {
    /// How long a peer that has vanished goes unnoticed.
    fn patience(&self) -> Duration {
        self.keepalive_idle.saturating_add(self.keepalive_interval.saturating_mul(self.keepalive_count))
    }

    fn apply(&self, socket: &SockRef<'_>) -> Result<()> {
        socket.set_linger(self.linger_timeout)?;
        if !self.send_keepalive_packet {
            return Ok(());
        }
        let keepalive = TcpKeepalive::new()
            .with_time(self.keepalive_idle)
            .with_interval(self.keepalive_interval)
            .with_retries(self.keepalive_count);
        socket.set_tcp_keepalive(&keepalive)?;
        // why: nothing is asked while something is under way to the peer, such as an ack: the system would go on
        // sending that for a quarter of an hour.
        socket.set_tcp_user_timeout(Some(self.patience()))
    }
}

/// Binds `ADDRESS:PORT` and listens: on the first of a name's addresses that can be bound.
pub(super) async fn listen(address: &str, options: &SocketOptions) -> Result<TcpListener> {
    let mut failed = Error::new(ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host(address).await? {
        match listen_on(address, options) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen_on(address: SocketAddr, options: &SocketOptions) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // why: a daemon that starts again finds connections of the one before in TIME_WAIT on its port.
    socket.set_reuseaddr(true)?;
    options.apply(&SockRef::from(&socket))?;
    socket.bind(address)?;
    socket.listen(options.backlog)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn accepted(options: &SocketOptions) -> tokio::net::TcpStream {
        let listener = listen("127.0.0.1:0", options).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let _peer = tokio::net::TcpStream::connect(address).await.expect("it listens");
        listener.accept().await.expect("a connection").0
    }

    #[tokio::test]
    async fn a_connection_has_what_was_asked_of_its_listener() {
        let options = SocketOptions {
            linger_timeout: Some(Duration::ZERO),
            keepalive_idle: Duration::from_secs(7),
            keepalive_interval: Duration::from_secs(3),
            keepalive_count: 2,
            ..SocketOptions::default()
        };
        let stream = accepted(&options).await;
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().expect("told"));
        assert_eq!(socket.tcp_keepalive_time().expect("told"), Duration::from_secs(7));
        assert_eq!(socket.tcp_keepalive_interval().expect("told"), Duration::from_secs(3));
        assert_eq!(socket.tcp_keepalive_retries().expect("told"), 2);
        assert_eq!(socket.tcp_user_timeout().expect("told"), Some(Duration::from_secs(13)));
        assert_eq!(socket.linger().expect("told"), Some(Duration::ZERO));
    }

    #[tokio::test]
    async fn by_default_a_vanished_peer_is_gone_after_two_minutes_and_nothing_that_was_sent_is_cut_off() {
        let stream = accepted(&SocketOptions::default()).await;
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().expect("told"), Some(Duration::from_secs(120)));
        assert_eq!(socket.linger().expect("told"), None);
        let off = SocketOptions { send_keepalive_packet: false, ..SocketOptions::default() };
        let stream = accepted(&off).await;
        assert!(!SockRef::from(&stream).keepalive().expect("told"));
    }
}
