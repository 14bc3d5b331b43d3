//! Answers to UDP heartbeats on a listener's own port, as Fluentd's senders with `heartbeat_type udp` want them.
//!
//! Promises: one byte for a datagram, never more than came, so that nobody can be flooded by way of it; a bounded number
//! in a second, of each peer and in all; no server that answers answers, whatever its port, is answered for ever.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::log::RateLimited;
use crate::metrics::Metrics;

/// Bytes of a heartbeat at most. The reference has the same number.
const LARGEST: usize = 128;

/// Datagrams that are looked at in [`SPAN`]. The system drops what comes beyond.
const MOST: u32 = 1_000;

/// Datagrams of one peer that are answered in [`SPAN`]; a sender sends one a second. One that is not answered is the end of a
/// loop between two servers, which anybody can begin with a forged sender.
const MOST_OF_ONE: u32 = 10;
const SPAN: Duration = Duration::from_secs(1);

/// The pause after a receive that failed.
const PAUSE: Duration = Duration::from_millis(100);

static FAILED: RateLimited = RateLimited::every(Duration::from_secs(10));

/// A bound UDP socket.
pub(super) struct Heartbeat(UdpSocket);

impl Heartbeat {
    /// Binds the UDP port beside a TCP listener's `address`. One that is taken costs the heartbeat alone: the frames of
    /// senders that do not want it are worth more than a start that is whole.
    pub(super) async fn bind(address: SocketAddr) -> Option<Self> {
        match UdpSocket::bind(address).await {
            Ok(socket) => Some(Self(socket)),
            Err(error) => {
                tracing::warn!(%address, %error, "UDP heartbeats are not answered; udp_heartbeat = false keeps this quiet");
                None
            }
        }
    }

    /// Answers until `stop`.
    pub(super) async fn serve(self, metrics: Arc<Metrics>, stop: CancellationToken) {
        stop.run_until_cancelled(self.answer(&metrics)).await;
    }

    async fn answer(&self, metrics: &Metrics) {
        let own_port = self.0.local_addr().map_or(0, |address| address.port());
        let mut turns = Turns::new(Instant::now());
        loop {
            // One byte more, to tell what is too long.
            let mut datagram = [0; LARGEST + 1];
            match self.0.recv_from(&mut datagram).await {
                Ok((length, peer)) => {
                    let has_turn = turns.take(peer, Instant::now());
                    // A peer that cannot be reached is its own trouble.
                    if has_turn
                        && is_heartbeat(length, peer, own_port)
                        && self.0.try_send_to(&[0], peer).is_ok()
                    {
                        metrics.heartbeats_answered.inc();
                    }
                }
                Err(error) => failed(&error).await,
            }
            if let Some(next) = turns.exhausted() {
                sleep_until(next.into()).await;
            }
        }
    }
}

/// What has come within one [`SPAN`].
struct Turns {
    since: Instant,
    all: u32,
    /// As many as [`MOST`] at most.
    of_each: HashMap<SocketAddr, u32>,
}

impl Turns {
    fn new(now: Instant) -> Self {
        Self { since: now, all: 0, of_each: HashMap::new() }
    }

    /// Whether `peer` may still be answered.
    fn take(&mut self, peer: SocketAddr, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= SPAN {
            *self = Self::new(now);
        }
        self.all = self.all.saturating_add(1);
        let of_peer = self.of_each.entry(peer).or_default();
        *of_peer = of_peer.saturating_add(1);
        *of_peer <= MOST_OF_ONE
    }

    /// When the next span begins, once this one has seen enough.
    fn exhausted(&self) -> Option<Instant> {
        (self.all >= MOST).then_some(self.since + SPAN)
    }
}

/// Whether it is answered: not an empty one, since the answer would be longer, and not one from a port like this one,
/// which may be another such server's that answers answers.
fn is_heartbeat(length: usize, peer: SocketAddr, own_port: u16) -> bool {
    (1..=LARGEST).contains(&length) && peer.port() != own_port
}

async fn failed(error: &std::io::Error) {
    if let Some(held_back) = FAILED.admit() {
        tracing::warn!(%error, held_back, "cannot receive a UDP heartbeat");
    }
    sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[tokio::test]
    async fn a_heartbeat_is_answered_with_one_byte_and_nothing_else_is() {
        let (metrics, stop) = (Metrics::new(&mut Registry::default()), CancellationToken::new());
        let heartbeat = Heartbeat::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
        let address = heartbeat.0.local_addr().expect("an address");
        let serving = tokio::spawn(heartbeat.serve(Arc::clone(&metrics), stop.clone()));
        let peer = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        peer.connect(address).await.expect("an address");
        for (datagram, answers) in [(&b""[..], 0), (&[7; LARGEST + 1], 0), (b"\0", 1), (&[7; LARGEST], 1)] {
            peer.send(datagram).await.expect("sent");
            for _ in 0..answers {
                let mut answer = [9; 4];
                let length = peer.recv(&mut answer).await.expect("an answer");
                assert_eq!((length, answer[0]), (1, 0));
            }
        }
        assert_eq!(metrics.heartbeats_answered.get(), 2, "those that are none went unanswered");
        stop.cancel();
        serving.await.expect("no panic");
    }

    #[tokio::test]
    async fn two_servers_of_different_ports_stop_answering_each_other() {
        let (metrics, stop) = (Metrics::new(&mut Registry::default()), CancellationToken::new());
        let bind = || Heartbeat::bind(([127, 0, 0, 1], 0).into());
        let (first, second) = (bind().await.expect("a port"), bind().await.expect("a port"));
        let address = second.0.local_addr().expect("an address");
        // As if the first had been asked by the second: whoever forges a sender begins it so.
        first.0.send_to(&[0], address).await.expect("sent");
        for server in [first, second] {
            tokio::spawn(server.serve(Arc::clone(&metrics), stop.clone()));
        }
        let peer = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let ended = async {
            loop {
                sleep(SPAN / 4).await;
                let before = metrics.heartbeats_answered.get();
                peer.send_to(&[0], address).await.expect("sent");
                peer.recv_from(&mut [0; 4]).await.expect("an answer");
                if before > 0 && metrics.heartbeats_answered.get() == before + 1 {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("they stop");
        stop.cancel();
    }

    #[test]
    fn a_peer_is_answered_some_times_in_a_second_and_all_together_a_bounded_number() {
        let start = Instant::now();
        let peer = |number: u32| SocketAddr::from((number.to_be_bytes(), 5));
        let mut turns = Turns::new(start);
        let answered = (0..MOST_OF_ONE + 5).filter(|_| turns.take(peer(0), start)).count();
        assert_eq!(answered, MOST_OF_ONE as usize);
        assert!(turns.take(peer(1), start), "another is not held back by it");
        assert_eq!(turns.exhausted(), None);
        for number in 0..MOST {
            turns.take(peer(number), start);
        }
        assert_eq!(turns.exhausted(), Some(start + SPAN));
        assert!(turns.take(peer(0), start + SPAN), "a second later all begins anew");
        assert_eq!((turns.exhausted(), turns.of_each.len()), (None, 1));
    }

    #[test]
    fn two_servers_do_not_answer_each_other() {
        let server = SocketAddr::from(([10, 0, 0, 2], 24_224));
        assert!(!is_heartbeat(1, server, 24_224));
        assert!(is_heartbeat(1, server, 5_000));
    }

    #[tokio::test]
    async fn a_port_that_is_taken_costs_no_more_than_the_heartbeat() {
        let taken = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        assert!(Heartbeat::bind(taken.local_addr().expect("an address")).await.is_none());
    }
}
