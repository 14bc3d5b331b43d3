//! Who is at the other end: an address of the network, or a process of this host.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use tokio::net::unix::UCred;

/// A connection's other end, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerAddress {
    /// Over the network; behind a proxy that tells it, the true one.
    Network(SocketAddr),
    /// Over a unix socket.
    Local {
        /// The process, where the kernel can tell.
        pid: Option<i32>,
        /// Its user, where the kernel can tell.
        uid: Option<u32>,
    },
}

impl PeerAddress {
    /// As the kernel tells it of a unix socket's other end.
    pub(super) fn local(credentials: Option<UCred>) -> Self {
        let pid = credentials.and_then(|credentials| credentials.pid());
        Self::Local { pid, uid: credentials.map(|credentials| credentials.uid()) }
    }

    /// The address; none of a process of this host. One of IPv4 is that also where it came over a socket of IPv6, so
    /// that limits and rules know it again.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Network(address) => Some(address.ip().to_canonical()),
            Self::Local { .. } => None,
        }
    }
}

impl From<SocketAddr> for PeerAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Network(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Local { pid, uid } => {
                f.write_str("unix")?;
                pid.map_or(Ok(()), |pid| write!(f, ":pid={pid}"))?;
                uid.map_or(Ok(()), |uid| write!(f, ":uid={uid}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv4_is_itself_whichever_socket_it_came_over() {
        let plain: SocketAddr = "10.0.0.7:5".parse().expect("an address");
        let mapped: SocketAddr = "[::ffff:10.0.0.7]:5".parse().expect("an address");
        assert_eq!(PeerAddress::from(mapped), PeerAddress::from(plain));
        assert_eq!(PeerAddress::Network(mapped).ip(), Some(plain.ip()));
        assert_eq!(PeerAddress::from(mapped).to_string(), "10.0.0.7:5");
    }

    #[test]
    fn a_process_of_this_host_is_told_by_what_is_known_of_it() {
        let of = |pid, uid| PeerAddress::Local { pid, uid }.to_string();
        assert_eq!(of(Some(7), Some(0)), "unix:pid=7:uid=0");
        assert_eq!(of(None, None), "unix");
        assert_eq!(PeerAddress::Local { pid: None, uid: None }.ip(), None);
    }
}
