//! Senders who do nothing wrong, beside others who do: numbered events in every mode, each frame acked before the next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::daemon::Forebay;
use super::forward::{Client, Mode, frame};
use super::load::{numbered, numbers};
use super::sequence::assert_every_one_once;
use super::until;

/// Senders at once.
pub(crate) const SENDERS: u64 = 4;

/// What the tags of their events begin with.
const TAG: &str = "honest";

/// Numbers that each sender has to itself.
const EACH: u64 = 10_000_000;

/// Events of a frame, but in Message mode.
const FRAME: u64 = 20;

/// One event in so many frames is a large one, which does not fit into what every connection has.
const LARGE_EVERY: u64 = 10;
const LARGE: usize = 100_000;

/// The senders.
pub(crate) struct Honest {
    stop: Arc<AtomicBool>,
    senders: Vec<Sender>,
    /// How often one had to connect anew.
    again: Arc<AtomicU64>,
}

struct Sender {
    acked: Arc<AtomicU64>,
    sending: JoinHandle<u64>,
}

impl Honest {
    /// Starts them, and waits until each is well under way.
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let (stop, again) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let senders = (0..SENDERS).map(|sender| {
            let acked = Arc::new(AtomicU64::new(0));
            let shared = (Arc::clone(&acked), Arc::clone(&stop), Arc::clone(&again));
            Sender { acked, sending: tokio::spawn(send(address, sender, shared)) }
        });
        let honest = Self { senders: senders.collect(), stop: Arc::clone(&stop), again: Arc::clone(&again) };
        honest.go_on().await;
        honest
    }

    /// Waits until each of them has had more frames acked, a large one among them.
    pub(crate) async fn go_on(&self) {
        let acked = || self.senders.iter().map(|sender| sender.acked.load(Ordering::Acquire));
        let before: Vec<u64> = acked().collect();
        until("honest senders to go on", async || {
            let more: Vec<u64> = acked().zip(&before).map(|(now, before)| now - before).collect();
            if more.iter().all(|more| *more > LARGE_EVERY) { Ok(()) } else { Err(more) }
        })
        .await;
    }

    /// How often one was closed, and had to connect and to send its frame anew.
    pub(crate) fn times_closed(&self) -> u64 {
        self.again.load(Ordering::Acquire)
    }

    /// Ends them, stops the daemon, and asserts that each of their events came once.
    pub(crate) async fn finish(self, daemon: &mut Forebay) {
        self.stop.store(true, Ordering::Release);
        let mut sent = Vec::new();
        for (sender, first) in self.senders.into_iter().zip((0..).step_by(EACH as usize)) {
            sent.extend(first..first + sender.sending.await.expect("every frame is acked"));
        }
        daemon.until_drained().await;
        assert!(daemon.stop().await.success());
        let documents = daemon.written();
        let theirs = documents.iter().filter(|document| document["tag"] == TAG);
        assert_every_one_once(sent, numbers(theirs));
    }
}

/// Frames acked, whether to stop, times closed.
type Shared = (Arc<AtomicU64>, Arc<AtomicBool>, Arc<AtomicU64>);

/// Sends until it is told to stop; how many events.
async fn send(address: SocketAddr, sender: u64, (acked, stop, again): Shared) -> u64 {
    let mut client = Client::connect(address).await.expect("a daemon that listens");
    let (mut sent, mut modes) = (0, Mode::ALL.into_iter().cycle());
    while !stop.load(Ordering::Acquire) {
        let mode = modes.next().expect("a cycle");
        // Each event of Message mode is a frame of its own and would want an ack of its own.
        let count = if mode == Mode::Message { 1 } else { FRAME };
        let first = sender * EACH + sent;
        let mut events: Vec<_> = (first..first + count).map(numbered).collect();
        if acked.load(Ordering::Acquire).is_multiple_of(LARGE_EVERY) {
            events[0].1["padding"] = "p".repeat(LARGE).into();
        }
        let chunk = first.to_string();
        let bytes = frame(mode, TAG, &events, Some(&chunk));
        while client.send_acked(&bytes, &chunk).await.is_err() {
            again.fetch_add(1, Ordering::AcqRel);
            client = Client::connect(address).await.expect("a daemon that listens");
        }
        sent += count;
        acked.fetch_add(1, Ordering::AcqRel);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sent
}
