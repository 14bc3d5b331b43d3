//! The acks of connections by themselves: their order, what fails them, and who waits for whom.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::super::ack::{Acks, NoReceipt};
use super::*;
use crate::buffer::Receipt;

/// A connection's acks, and the peer that reads them.
struct Line {
    acks: Arc<Acks>,
    peer: DuplexStream,
    failed: CancellationToken,
}

fn acks(
    to: impl AsyncWrite + Send + Unpin + 'static,
    failed: &CancellationToken,
    ack_timeout: Duration,
) -> Arc<Acks> {
    let metrics = Metrics::new(&mut Registry::default());
    Acks::new(to, &metrics, failed, &LimitOptions { ack_timeout, ..LimitOptions::default() })
}

impl Line {
    fn new() -> Self {
        Self::narrow(1 << 10, LONG)
    }

    /// One whose way takes so many bytes before the peer reads, which it has to do within `ack_timeout`.
    fn narrow(bytes: usize, ack_timeout: Duration) -> Self {
        let (peer, to) = tokio::io::duplex(bytes);
        let failed = CancellationToken::new();
        Self { acks: acks(to, &failed, ack_timeout), peer, failed }
    }

    /// The receipt that `ack` waits for.
    fn wait(&self, ack: &[u8]) -> Receipt {
        let room = self.acks.flow().try_enter(1).expect("room");
        self.acks.try_enter(ack.to_vec(), room).ok().expect("room")
    }

    async fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        timeout(LONG, self.peer.read_exact(&mut read)).await.expect("in time").expect("all of it");
        assert_eq!(read, bytes);
    }

    /// All that comes until its end.
    async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let (read, ()) = tokio::join!(self.peer.read_to_end(&mut rest), self.acks.finish());
        read.expect("an end");
        rest
    }
}

#[tokio::test]
async fn acks_keep_the_order_of_their_chunks_whichever_is_safe_first() {
    let mut line = Line::new();
    let [first, second, third, fourth] = [b"1", b"2", b"3", b"4"].map(|ack| line.wait(ack));
    third.resolve();
    first.resolve();
    line.expect(b"1").await;
    second.resolve();
    line.expect(b"23").await;
    fourth.resolve();
    assert_eq!(line.rest().await, b"4");
}

#[tokio::test]
async fn nothing_is_acked_from_the_first_on_that_is_not_safe() {
    let mut line = Line::new();
    let [first, second, third] = [b"1", b"2", b"3"].map(|ack| line.wait(ack));
    third.resolve();
    drop(second);
    assert!(!line.failed.is_cancelled(), "the first may be safe still");
    first.resolve();
    line.expect(b"1").await;
    timeout(LONG, line.failed.cancelled()).await.expect("in time");
    let room = line.acks.flow().try_enter(1).expect("room");
    assert!(matches!(line.acks.try_enter(b"4".to_vec(), room), Err(NoReceipt::Over)));
    assert_eq!(line.rest().await, b"");
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_acks_holds_up_nobody() {
    let (mut slow, mut other) = (Line::narrow(2, LONG), Line::new());
    let [first, second] = [b"long", b"more"].map(|ack| slow.wait(ack));
    first.resolve();
    for _ in 0..3 {
        other.wait(b"ok").resolve();
        other.expect(b"ok").await;
    }
    second.resolve();
    slow.expect(b"longmo").await;
    assert_eq!(slow.rest().await, b"re");
}

#[tokio::test]
async fn acks_that_are_not_taken_in_time_are_the_last() {
    let line = Line::narrow(2, Duration::from_millis(1));
    let [first, second] = [b"long", b"more"].map(|ack| line.wait(ack));
    first.resolve();
    timeout(LONG, line.failed.cancelled()).await.expect("in time");
    assert!(line.acks.flow().was_given_up());
    second.resolve();
    assert_eq!(line.rest().await, b"lo", "what was on its way");
}

#[tokio::test]
async fn what_waits_when_a_connection_ends_is_acked_before_its_side_is_closed() {
    let line = Line::new();
    let receipt = line.wait(b"last");
    let (rest, ()) = tokio::join!(line.rest(), async { receipt.resolve() });
    assert_eq!(rest, b"last");
}

/// A way to a peer that has a fault of its own.
struct Faulty;

impl AsyncWrite for Faulty {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        panic!("on purpose")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_panic_over_one_connection_ends_that_one_and_no_other() {
    let (mut faulty, mut other) = (Line::new(), Line::new());
    faulty.acks = acks(Faulty, &faulty.failed, LONG);
    let receipts = [faulty.wait(b"1"), other.wait(b"ok"), faulty.wait(b"2")];
    receipts.into_iter().for_each(Receipt::resolve);
    other.expect(b"ok").await;
    timeout(LONG, faulty.failed.cancelled()).await.expect("in time");
    timeout(LONG, faulty.acks.finish()).await.expect("in time");
}
