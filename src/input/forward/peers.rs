//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LimitOptions;
use super::peer::PeerAddress;
use crate::metrics::Metrics;

/// The connections of one listener.
pub(super) struct Peers {
    counts: Mutex<Counts>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection that is counted, until it is dropped.
pub(super) struct Admitted {
    peers: Arc<Peers>,
    address: Option<IpAddr>,
}

impl Counts {
    /// Counts one more from `address`, or names the limit. Those of unix sockets have no address and count in all only:
    /// whose they are is a matter of the socket's owner and mode.
    fn enter(&mut self, address: Option<IpAddr>, limits: &LimitOptions) -> Result<(), &'static str> {
        let Some(address) = address else { return Ok(()) };
        let here = self.by_address.get(&address).copied().unwrap_or_default();
        if here >= limits.connections_per_address {
            return Err("connections_per_address");
        }
        self.by_address.insert(address, here + 1);
        Ok(())
    }

    fn leave(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        if let Some(here) = self.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Peers {
    /// None yet.
    pub(super) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), metrics })
    }

    /// Counts a connection from `peer`, or names the limit that it would exceed.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: &PeerAddress,
        limits: &LimitOptions,
    ) -> Result<Admitted, &'static str> {
        self.enter(peer.ip(), limits)
    }

    /// The same for one from a proxy, which counts in all only until it is known whose it is: many that come at once, as
    /// after a restart, are not the proxy's own.
    pub(super) fn admit_proxied(self: &Arc<Self>, limits: &LimitOptions) -> Result<Admitted, &'static str> {
        self.enter(None, limits)
    }

    fn enter(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        limits: &LimitOptions,
    ) -> Result<Admitted, &'static str> {
        let mut counts = self.lock();
        if counts.all >= limits.connections {
            return Err("connections");
        }
        counts.enter(address, limits)?;
        counts.all += 1;
        self.metrics.connections.inc();
        self.metrics.connections_accepted.inc();
        Ok(Admitted { peers: Arc::clone(self), address })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Two numbers, changed together without anything that could panic in between.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Counts the connection for `peer` from now on, which a proxy has told; or names the limit that it would exceed.
    pub(super) fn move_to(&mut self, peer: &PeerAddress, limits: &LimitOptions) -> Result<(), &'static str> {
        if peer.ip() == self.address {
            return Ok(());
        }
        let mut counts = self.peers.lock();
        counts.enter(peer.ip(), limits)?;
        counts.leave(self.address);
        drop(counts);
        self.address = peer.ip();
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.peers.metrics.connections.dec();
        let mut counts = self.peers.lock();
        counts.all -= 1;
        counts.leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    fn at(address: [u8; 4]) -> PeerAddress {
        std::net::SocketAddr::from((address, 5)).into()
    }

    fn limits(connections: usize, connections_per_address: usize) -> LimitOptions {
        LimitOptions { connections, connections_per_address, ..LimitOptions::default() }
    }

    #[test]
    fn connections_are_limited_in_all_and_by_address_and_counted_until_they_end() {
        let peers = Peers::new(Metrics::new(&mut Registry::default()));
        let limits = limits(3, 2);
        let (a, b) = (at([127, 0, 0, 1]), at([127, 0, 0, 2]));
        let first = peers.admit(&a, &limits).expect("room");
        let _second = peers.admit(&a, &limits).expect("room");
        assert_eq!(peers.admit(&a, &limits).err(), Some("connections_per_address"));
        let _third = peers.admit(&b, &limits).expect("room");
        assert_eq!(peers.admit(&b, &limits).err(), Some("connections"));
        drop(first);
        assert!(peers.admit(&a, &limits).is_ok());
        assert_eq!(peers.metrics.connections.get(), 2, "the last one ended at once");
    }

    #[test]
    fn connections_that_a_proxy_passes_on_count_for_their_true_peers_and_never_for_the_proxy() {
        let peers = Peers::new(Metrics::new(&mut Registry::default()));
        let limits = limits(4, 1);
        // All of them at once, before a single header has come.
        let mut proxied: Vec<_> = (0..4).map(|_| peers.admit_proxied(&limits).expect("room")).collect();
        assert_eq!(peers.admit_proxied(&limits).err(), Some("connections"));
        for (number, admitted) in (0..).zip(&mut proxied) {
            let is_second = number == 3;
            let client = at([10, 0, 0, if is_second { 0 } else { number }]);
            let expected = if is_second { Err("connections_per_address") } else { Ok(()) };
            assert_eq!(admitted.move_to(&client, &limits), expected);
        }
        drop(proxied);
        assert!(peers.lock().by_address.is_empty());
    }

    #[test]
    fn connections_over_a_unix_socket_are_limited_in_all_alone() {
        let peers = Peers::new(Metrics::new(&mut Registry::default()));
        let local = PeerAddress::Local { pid: None, uid: None };
        let limits = limits(2, 1);
        let _both: Vec<_> = (0..2).map(|_| peers.admit(&local, &limits).expect("room")).collect();
        assert_eq!(peers.admit(&local, &limits).err(), Some("connections"));
    }
}
