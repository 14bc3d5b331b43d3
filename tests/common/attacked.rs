//! A daemon under attack, honest senders beside the attacker, and what has to hold in the end.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::daemon::{Forebay, Setup};
use super::honest::{Honest, SENDERS};
use super::until;

/// Bytes that the buffer may take here.
const BUFFER: u64 = 16 << 20;

/// A daemon, and honest senders.
pub(crate) struct Attacked {
    pub(crate) daemon: Forebay,
    pub(crate) honest: Honest,
    /// Resident memory before the attack.
    calm: u64,
    /// Bytes that frames on their way in may take.
    pub(crate) frames: u64,
    /// Whether the honest may be closed with their large frames, which they send again then.
    pub(crate) shares_memory: bool,
}

impl Attacked {
    /// Starts both, with these keys of `[forward.limits]`.
    pub(crate) async fn start(limits: &str) -> Self {
        let tables = format!(
            "[[forward]]\nlisten = \"127.0.0.1:0\"\n[forward.limits]\n{limits}\n[buffer]\nmemory = {BUFFER}\n"
        );
        let daemon = Forebay::start(Setup::tables(tables)).await;
        let honest = Honest::start(daemon.forward).await;
        let calm = daemon.resident();
        Self { daemon, honest, calm, frames: (64 + 2 * 32) << 20, shares_memory: false }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.daemon.forward
    }

    /// An attacker's connection.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.daemon.forward).await.expect("a daemon that listens")
    }

    /// Waits until so many were closed, or ran into a limit, for this reason.
    pub(crate) async fn until_counted(&self, family: &str, reason: &str, least: f64) {
        self.daemon.until_metric(&format!("forebay_{family}_total{{reason=\"{reason}\"}}"), least).await;
    }

    /// Waits until so many were closed for one of these reasons.
    pub(crate) async fn until_reaped(&self, reasons: &[&str], least: usize) {
        until("all attackers to be reaped", async || {
            let metrics = self.daemon.metrics().await;
            let held = metrics.sum("forebay_frames_memory_bytes");
            assert!(held <= self.frames as f64, "{held} bytes are held by frames");
            let series = |reason: &&str| format!("forebay_connections_closed_total{{reason=\"{reason}\"}}");
            let reaped: f64 = reasons.iter().map(|reason| metrics.sum(&series(reason))).sum();
            if reaped >= least as f64 { Ok(()) } else { Err(reaped) }
        })
        .await;
    }

    /// Waits until nobody but the honest is there.
    pub(crate) async fn until_alone(&self) {
        until("the attackers to be gone", async || {
            let open = self.daemon.metrics().await.sum("forebay_connections");
            if open == SENDERS as f64 { Ok(()) } else { Err(open) }
        })
        .await;
    }

    /// The honest have gone on, and still do; the attack has cost `bytes` at most beside the buffer's share.
    pub(crate) async fn survived(mut self, bytes: u64) {
        self.honest.go_on().await;
        let (peak, bound) = (self.daemon.peak(), self.calm + BUFFER + bytes);
        assert!(peak <= bound, "{peak} bytes were resident; {bound} may be, and {} were before", self.calm);
        self.until_alone().await;
        let closed = self.honest.times_closed();
        assert!(closed == 0 || self.shares_memory, "honest senders were closed {closed} times");
        self.honest.finish(&mut self.daemon).await;
    }
}
