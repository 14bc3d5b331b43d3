//! One connection's frames, taken and acked.
//!
//! Promises: what a frame holds is in the buffer or in the dead letters before its chunk is acked; what can never be taken
//! is acked too, once its letter is on the disk, since its sender would send it for ever.

use std::sync::Arc;

use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;

use super::ack::{self, Acks, NoReceipt};
use super::connection::Ended;
use super::framing::Serializer;
use super::in_flight::InFlight;
use super::options::LimitOptions;
use crate::buffer::Receipt;
use crate::decode::{DecodeError, Frame, Oversized, json_to_msgpack};
use crate::input::{Origin, Pass, Shared};
use crate::metrics::reason;
use crate::output::Original;

/// What a connection keeps of the room in which its JSON was written as msgpack.
const SCRATCH: usize = 4 << 10;

/// Why the connection is of no more use.
#[derive(Debug)]
pub(super) enum TakeFault {
    /// The next frame cannot be found.
    Unreadable(DecodeError),
    /// A chunk could not be made safe, or its ack not sent.
    NotAcked,
}

/// Takes the frames of one connection.
pub(super) struct Taker<W> {
    pass: Pass,
    limits: Arc<LimitOptions>,
    shared: Arc<Shared>,
    /// Taken when the first chunk comes: most peers never want an ack.
    to: Option<W>,
    acks: Option<Arc<Acks>>,
    /// Cancelled when an ack cannot be sent.
    not_acked: CancellationToken,
    kill: CancellationToken,
    /// A frame of JSON, as msgpack.
    scratch: Vec<u8>,
}

impl<W: AsyncWrite + Send + Unpin + 'static> Taker<W> {
    /// Acks `to` the peer. From `kill` on nobody is waited for.
    pub(super) fn new(
        to: W,
        shared: Arc<Shared>,
        limits: Arc<LimitOptions>,
        kill: CancellationToken,
    ) -> Self {
        Self {
            pass: Pass::new(Arc::clone(&shared), kill.clone()),
            limits,
            shared,
            to: Some(to),
            acks: None,
            not_acked: CancellationToken::new(),
            kill,
            scratch: Vec::new(),
        }
    }

    /// Says whom the frames come from.
    pub(super) fn set_origin(&mut self, origin: Origin) {
        self.pass.set_origin(origin);
    }

    /// Cancelled when an ack could not be sent.
    pub(super) fn not_acked(&self) -> &CancellationToken {
        &self.not_acked
    }

    /// Why an ack could not be sent.
    pub(super) fn why_not_acked(&self) -> Ended {
        let given_up = self.acks.as_ref().is_some_and(|acks| acks.flow().was_given_up());
        if given_up { Ended::AcksNotTaken(self.limits.ack_timeout) } else { Ended::NotAcked }
    }

    /// The side that acks go to, as long as nobody wants any.
    pub(super) fn unused(&mut self) -> Option<W> {
        self.to.take()
    }

    /// Takes the frame in `bytes`; false if it was a heartbeat.
    pub(super) async fn frame(&mut self, bytes: &[u8], serializer: Serializer) -> Result<bool, TakeFault> {
        match serializer {
            Serializer::Msgpack => self.msgpack(bytes, serializer).await,
            Serializer::Json => {
                let mut scratch = std::mem::take(&mut self.scratch);
                json_to_msgpack(bytes, &mut scratch).map_err(TakeFault::Unreadable)?;
                let taken = self.msgpack(&scratch, serializer).await;
                scratch.clear();
                scratch.shrink_to(SCRATCH);
                self.scratch = scratch;
                taken
            }
        }
    }

    async fn msgpack(&mut self, bytes: &[u8], serializer: Serializer) -> Result<bool, TakeFault> {
        let frame = match Frame::read(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(false),
            Err(error) if error.closes_connection() => return Err(TakeFault::Unreadable(error)),
            Err(error) => {
                let (tag, chunk) = Frame::remains(bytes);
                let original = Original::Bytes(bytes);
                Box::pin(self.refuse(&error, tag, original, chunk, serializer)).await?;
                return Ok(true);
            }
        };
        let Some(chunk) = frame.chunk else {
            self.pass.frame(&frame, &self.limits, None).await;
            return Ok(true);
        };
        let room = self.room(bytes.len()).await?;
        let receipt = self.receipt(ack::message(chunk, serializer), room).await?;
        self.pass.frame(&frame, &self.limits, Some(&receipt)).await;
        receipt.resolve();
        Ok(true)
    }

    /// A frame that was longer than any may be, now that it has gone.
    pub(super) async fn oversized(
        &mut self,
        frame: &Oversized,
        serializer: Serializer,
    ) -> Result<(), TakeFault> {
        let error = DecodeError::Limit { key: "frame_bytes", limit: self.limits.frame_bytes.0 };
        let original = Original::PassedOver(frame.length(), frame.hash());
        let (tag, chunk) = (frame.tag(), frame.chunk());
        self.refuse(&error, tag.as_deref(), original, chunk.as_deref(), serializer).await
    }

    /// What was refused would be refused again: its sender is told that it has been dealt with.
    async fn refuse(
        &mut self,
        error: &DecodeError,
        tag: Option<&[u8]>,
        original: Original<'_>,
        chunk: Option<&[u8]>,
        serializer: Serializer,
    ) -> Result<(), TakeFault> {
        let Some(chunk) = chunk else {
            self.pass.refuse_frame(error, tag, original, None).await;
            return Ok(());
        };
        let room = self.room(chunk.len()).await?;
        let receipt = self.receipt(ack::message(chunk, serializer), room).await?;
        self.pass.refuse_frame(error, tag, original, Some(&receipt)).await;
        receipt.resolve();
        Ok(())
    }

    /// Room for a chunk of so many bytes among those that wait for their acks.
    async fn room(&mut self, bytes: usize) -> Result<InFlight, TakeFault> {
        if let Some(to) = self.to.take() {
            let metrics = self.shared.metrics();
            self.acks = Some(Acks::new(to, metrics, &self.not_acked, &self.limits));
        }
        let Some(acks) = &self.acks else { return Err(TakeFault::NotAcked) };
        if let Some(room) = acks.flow().try_enter(bytes) {
            return Ok(room);
        }
        reason(&self.shared.metrics().limits_exceeded, "in_flight_bytes").inc();
        // why: those that wait may wait for the very documents that have not been given yet.
        self.pass.flush();
        let room = Box::pin(self.kill.run_until_cancelled(acks.flow().enter(bytes))).await;
        room.ok_or(TakeFault::NotAcked)
    }

    /// The receipt that `ack` is sent for, in its turn.
    async fn receipt(&mut self, ack: Vec<u8>, room: InFlight) -> Result<Receipt, TakeFault> {
        let Some(acks) = &self.acks else { return Err(TakeFault::NotAcked) };
        let receipt = match acks.try_enter(ack, room) {
            Ok(receipt) => Some(receipt),
            Err(NoReceipt::Over) => None,
            Err(NoReceipt::TooMany(pending)) => {
                // why: as above.
                self.pass.flush();
                Box::pin(self.kill.run_until_cancelled(acks.enter(pending))).await.flatten()
            }
        };
        receipt.ok_or(TakeFault::NotAcked)
    }

    /// Hands on what has been taken. To be called when a read's frames are done.
    pub(super) async fn settle(&mut self) {
        self.pass.settle().await;
    }

    /// Waits for the acks that are under way, and closes the side that they go to.
    pub(super) async fn finish(&mut self) {
        self.pass.settle().await;
        if let Some(acks) = self.acks.take() {
            // why: what becomes safe is still said, though nobody waits for it, while there is somebody to hear it.
            self.kill.run_until_cancelled(acks.finish()).await;
        }
        if let Some(mut to) = self.to.take() {
            self.kill.run_until_cancelled(ack::close(&mut to)).await;
        }
    }
}
