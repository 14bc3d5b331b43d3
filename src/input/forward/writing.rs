//! Bytes on their way to a peer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// Where acks go.
pub(super) type Sink = Box<dyn AsyncWrite + Send + Unpin>;

/// Bytes, where they go, and how far they have gone: as a future it waits for the peer, and it can be asked to go as far as
/// it can without waiting first.
pub(super) struct Writing {
    to: Sink,
    bytes: Vec<u8>,
    written: usize,
}

impl Writing {
    pub(super) fn new(to: Sink, bytes: Vec<u8>) -> Self {
        Self { to, bytes, written: 0 }
    }

    /// Writes as much as goes now; whether that was all.
    pub(super) fn go_on(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.to).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        // why: TLS takes bytes that the socket does not, and would keep them until the next ack.
        Pin::new(&mut self.to).poll_flush(context)
    }

    pub(super) fn into_sink(self) -> Sink {
        self.to
    }
}

impl Future for Writing {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.go_on(context)
    }
}
