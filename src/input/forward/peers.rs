//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LimitOptions;
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
    address: IpAddr,
}

impl Peers {
    /// None yet.
    pub(super) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), metrics })
    }

    /// Counts a connection from `address`, or names the limit that it would exceed.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, limits: &LimitOptions) -> Result<Admitted, &'static str> {
        let mut counts = self.lock();
        if counts.all >= limits.connections {
            return Err("connections");
        }
        let here = counts.by_address.entry(address).or_default();
        if *here >= limits.connections_per_address {
            return Err("connections_per_address");
        }
        *here += 1;
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

impl Drop for Admitted {
    fn drop(&mut self) {
        self.peers.metrics.connections.dec();
        let mut counts = self.peers.lock();
        counts.all -= 1;
        if let Some(here) = counts.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn connections_are_limited_in_all_and_by_address_and_counted_until_they_end() {
        let peers = Peers::new(Metrics::new(&mut Registry::default()));
        let limits = LimitOptions { connections: 3, connections_per_address: 2, ..LimitOptions::default() };
        let (a, b) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = peers.admit(a, &limits).expect("room");
        let _second = peers.admit(a, &limits).expect("room");
        assert_eq!(peers.admit(a, &limits).err(), Some("connections_per_address"));
        let _third = peers.admit(b, &limits).expect("room");
        assert_eq!(peers.admit(b, &limits).err(), Some("connections"));
        drop(first);
        assert!(peers.admit(a, &limits).is_ok());
        assert_eq!(peers.metrics.connections.get(), 2, "the last one ended at once");
    }
}
