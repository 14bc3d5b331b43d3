//! What was read from a peer and is not decoded yet.
//!
//! Invariants: room is made by what has come, never by what a peer declares; a busy connection reads in large pieces, an
//! idle one holds next to nothing, so that ten thousand idle ones do too. What a frame takes beyond that is the
//! listener's [`FrameMemory`], of which a connection has what is there, and waits only where it cannot read on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::frame_memory::{Account, Displaced, FrameMemory};

/// What an idle connection holds.
const SMALLEST: usize = 1 << 10;

/// What a busy one reads at a time.
const LARGEST: usize = 256 << 10;

/// After so long without a byte a busy connection is an idle one.
const IDLE: Duration = Duration::from_secs(1);

/// A connection's bytes, and how much it reads at a time.
pub(super) struct ReadBuffer {
    bytes: BytesMut,
    /// Bytes of the allocation, of which those at its front may be consumed.
    allocated: usize,
    consumed: usize,
    piece: usize,
    account: Option<Account>,
}

/// Why nothing was read.
#[derive(Debug)]
pub(super) enum ReadFault {
    /// The peer, or the network.
    Broken(io::Error),
    /// Others need the memory of a frame that comes too slowly.
    Displaced,
}

impl From<io::Error> for ReadFault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// For where nothing is counted, so that nobody is displaced.
impl From<ReadFault> for io::Error {
    fn from(fault: ReadFault) -> Self {
        match fault {
            ReadFault::Broken(error) => error,
            ReadFault::Displaced => io::ErrorKind::OutOfMemory.into(),
        }
    }
}

impl From<Displaced> for ReadFault {
    fn from(Displaced: Displaced) -> Self {
        Self::Displaced
    }
}

impl ReadBuffer {
    /// Holds nothing.
    pub(super) fn new() -> Self {
        Self { bytes: BytesMut::new(), allocated: 0, consumed: 0, piece: SMALLEST, account: None }
    }

    /// Has its memory counted from now on.
    pub(super) fn counted(mut self, memory: &Arc<FrameMemory>) -> Self {
        let mut account = Account::new(memory);
        account.hold(self.allocated);
        self.account = Some(account);
        self
    }

    /// What has come and is not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lets go of the first `length` bytes.
    pub(super) fn consume(&mut self, length: usize) {
        let length = length.min(self.bytes.len());
        self.bytes.advance(length);
        self.consumed += length;
        if let Some(account) = self.account.as_mut().filter(|_| length > 0) {
            account.frame_ended();
        }
    }

    /// Makes room to read into, as far as memory is there; whether there is any.
    pub(super) fn try_room(&mut self) -> bool {
        let length = self.bytes.len();
        if self.allocated > 4 * length + 2 * self.piece {
            self.allocate(if length == 0 { 0 } else { length + self.piece });
        }
        if self.spare() >= self.piece {
            return true;
        }
        let has_moved = self.consumed >= length && self.allocated - length >= self.piece;
        if has_moved {
            // Takes place of what was consumed.
            self.bytes.reserve(self.piece);
            self.consumed = 0;
            return true;
        }
        let next = self.next_size();
        if self.account.as_mut().is_none_or(|account| account.try_hold(next)) {
            self.allocate(next);
        }
        self.spare() > 0
    }

    /// The same, as soon as there is memory.
    pub(super) async fn room(&mut self) -> Result<(), Displaced> {
        if self.try_room() {
            return Ok(());
        }
        let next = self.next_size();
        if let Some(account) = &mut self.account {
            account.wait_to_hold(next).await?;
        }
        self.allocate(next);
        Ok(())
    }

    /// Reads once; 0 at the end. Safe to be dropped while it waits: nothing is lost.
    pub(super) async fn read(&mut self, from: &mut (impl AsyncRead + Unpin)) -> Result<usize, ReadFault> {
        if !self.try_room() {
            Box::pin(self.room()).await?;
        }
        let Some(account) = &mut self.account else { return Ok(self.read_piece(from).await?) };
        account.coming(self.bytes.len());
        let displaced = account.displaced();
        let read = tokio::select! {
            biased;
            () = displaced => return Err(ReadFault::Displaced),
            read = self.read_piece(from) => read?,
        };
        if let Some(account) = &mut self.account {
            account.came();
        }
        Ok(read)
    }

    async fn read_piece(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        if self.bytes.is_empty() && self.allocated > SMALLEST {
            match timeout(IDLE, from.read_buf(&mut self.bytes)).await {
                Ok(read) => return read.inspect(|read| self.adapt(*read)),
                Err(_) => self.give_back(),
            }
        }
        let read = from.read_buf(&mut self.bytes).await?;
        self.adapt(read);
        Ok(read)
    }

    fn give_back(&mut self) {
        self.piece = SMALLEST;
        self.allocate(SMALLEST);
    }

    fn spare(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// Grows by doubling, so that a long frame is moved a few times only.
    fn next_size(&self) -> usize {
        let length = self.bytes.len();
        (length + self.piece).max(2 * length)
    }

    /// Makes the allocation one of `size` bytes, or a little more.
    fn allocate(&mut self, size: usize) {
        let length = self.bytes.len();
        if self.consumed == 0 && size > self.allocated {
            self.bytes.reserve(size - length);
        } else {
            let mut moved = BytesMut::with_capacity(size);
            moved.extend_from_slice(&self.bytes);
            self.bytes = moved;
        }
        self.consumed = 0;
        self.allocated = self.bytes.capacity();
        if let Some(account) = &mut self.account {
            account.hold(self.allocated);
        }
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
        assert!(buffer.try_room());
        assert_eq!(buffer.piece, SMALLEST);
        assert!(buffer.allocated <= 2 * SMALLEST);
    }
}
