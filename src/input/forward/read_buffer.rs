//! What was read from a peer and is not decoded yet.
//!
//! Invariants: room is made by what has come, never by what a peer declares; a busy connection reads in large pieces, an
//! idle one holds next to nothing, so that ten thousand idle ones do too.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What an idle connection holds.
const SMALLEST: usize = 4 << 10;

/// What a busy one reads at a time.
const LARGEST: usize = 256 << 10;

/// A connection's bytes, and how much it reads at a time.
pub(super) struct ReadBuffer {
    bytes: BytesMut,
    piece: usize,
}

impl ReadBuffer {
    /// Holds nothing.
    pub(super) fn new() -> Self {
        Self { bytes: BytesMut::new(), piece: SMALLEST }
    }

    /// What has come and is not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lets go of the first `length` bytes.
    pub(super) fn consume(&mut self, length: usize) {
        self.bytes.advance(length.min(self.bytes.len()));
    }

    /// Reads once; 0 at the end. Safe to be dropped while it waits: nothing is lost.
    pub(super) async fn read(&mut self, from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<usize> {
        self.make_room();
        let read = from.read_buf(&mut self.bytes).await?;
        self.adapt(read);
        Ok(read)
    }

    fn make_room(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > 2 * self.piece {
            self.bytes = BytesMut::new();
        }
        self.bytes.reserve(self.piece);
    }

    fn adapt(&mut self, read: usize) {
        if read >= self.piece {
            self.piece = (2 * self.piece).min(LARGEST);
        } else if read < self.piece / 4 {
            self.piece = (self.piece / 2).max(SMALLEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_frame_in_small_pieces_is_moved_a_few_times_only() {
        let mut buffer = ReadBuffer::new();
        let (mut moved, mut last) = (0, buffer.bytes().as_ptr());
        for _ in 0..16 << 10 {
            buffer.read(&mut [7_u8; 1 << 10].as_slice()).await.expect("memory");
            moved += if buffer.bytes().as_ptr() == last { 0 } else { buffer.bytes().len() };
            last = buffer.bytes().as_ptr();
        }
        assert_eq!(buffer.bytes().len(), 16 << 20);
        assert!(moved <= 3 * buffer.bytes().len(), "{moved} bytes were moved");
        assert!(buffer.bytes.capacity() <= 3 * buffer.bytes().len());
    }

    #[tokio::test]
    async fn pieces_grow_with_what_comes_and_shrink_when_little_does() {
        let flood = vec![0; 4 << 20];
        let mut from = flood.as_slice();
        let mut buffer = ReadBuffer::new();
        let mut pieces = Vec::new();
        while buffer.read(&mut from).await.expect("memory") > 0 {
            buffer.consume(usize::MAX);
            pieces.push(buffer.piece);
        }
        assert_eq!(pieces.into_iter().max(), Some(LARGEST));
        for _ in 0..20 {
            buffer.read(&mut [0_u8; 1].as_slice()).await.expect("memory");
            buffer.consume(1);
        }
        buffer.make_room();
        assert_eq!(buffer.piece, SMALLEST);
        assert!(buffer.bytes.capacity() <= 2 * SMALLEST);
    }
}
