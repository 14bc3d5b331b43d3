//! One pass: from the bytes of a frame to documents in the buffer, on the task that read them.
//!
//! Promises: between two awaits no byte is copied but into the batch; the only await is for room in the buffer; a refused
//! entry costs only itself, counted and said; a [`Pass`] that is dropped hands back what it had written.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::route::{Route, Routes};
use super::shared::{Ids, SEQUENCE_BLOCK, Shared};
use super::source::Source;
use crate::buffer::{OpenBatch, Receipt};
use crate::decode::{Body, Codec, DecodeError, Decompressor, Entries, Frame, read_record};
use crate::encode::{Encoder, IdBase};
use crate::enrich::{Joiner, Line, Part, Unparsed};
use crate::event::{Event, Fields, Timestamp, Value};
use crate::input::forward::LimitOptions;
use crate::log::RateLimited;
use crate::metrics::{kind, reason};

static REFUSED: RateLimited = RateLimited::every(Duration::from_secs(10));

/// What was counted since the last flush.
#[derive(Default)]
struct Counts {
    received: u64,
    unparsed: Unparsed,
}

/// One reader's way through the pipeline.
pub struct Pass {
    shared: Arc<Shared>,
    encoder: Encoder,
    routes: Routes,
    source: Source,
    fields: Fields<'static>,
    open: Option<OpenBatch>,
    counts: Counts,
    /// Cancelled when there is no time left to wait for room.
    hurry: CancellationToken,
}

impl Pass {
    /// A pass with nothing in it. From when `hurry` is cancelled, what was read is written whether there is room or not.
    pub fn new(shared: Arc<Shared>, hurry: CancellationToken) -> Self {
        Self {
            shared,
            hurry,
            encoder: Encoder::default(),
            routes: Routes::default(),
            source: Source::default(),
            fields: Fields::default(),
            open: None,
            counts: Counts::default(),
        }
    }

    /// What its events say of their sender from now on. Lines that are made whole without a frame say nothing.
    pub fn set_source(&mut self, source: Source) {
        self.source = source;
    }

    /// Takes a frame's events into the buffer. An error says that some or all of them were refused, which cannot change
    /// by sending them again; it has been counted and logged. `receipt` rides along with what was taken.
    pub async fn frame(
        &mut self,
        frame: &Frame<'_>,
        limits: &LimitOptions,
        receipt: Option<&Receipt>,
    ) -> Result<(), DecodeError> {
        let taken = self.take_frame(frame, limits, receipt).await;
        if let Err(error) = &taken {
            self.refuse(error, 1);
        }
        taken
    }

    async fn take_frame(
        &mut self,
        frame: &Frame<'_>,
        limits: &LimitOptions,
        receipt: Option<&Receipt>,
    ) -> Result<(), DecodeError> {
        kind(&self.shared.metrics.frames_received, frame.body.mode()).inc();
        let Some(route) = self.routes.of(frame.tag, &self.shared.pipelines) else { return Ok(()) };
        let chunk = frame.chunk.map(|chunk| IdBase::of_chunk(frame.tag, chunk, frame.body.payload()));
        let mut ids = Ids::new(chunk);
        match &frame.body {
            Body::OtherSignal => {
                Err(DecodeError::Unexpected { what: "metrics or traces, which are no logs,", offset: 0 })
            }
            Body::Compressed(codec, bytes) => {
                // why: apart from the task, which would be as large for those that never send any.
                Box::pin(self.compressed(&route, (*codec, bytes), limits, &mut ids, receipt)).await
            }
            body => {
                self.entries(&route, body, limits, &mut ids, receipt).await;
                Ok(())
            }
        }
    }

    async fn compressed(
        &mut self,
        route: &Route,
        (codec, bytes): (Codec, &[u8]),
        limits: &LimitOptions,
        ids: &mut Ids,
        receipt: Option<&Receipt>,
    ) -> Result<(), DecodeError> {
        let shared = Arc::clone(&self.shared);
        let _unpacking = self.hurry.run_until_cancelled(shared.may_unpack(codec)).await;
        let (limit, ratio) = (limits.decompressed_bytes.0, limits.decompression_ratio);
        let mut windows = Decompressor::new(codec, bytes, limit, ratio, limits.frame_bytes.0)?;
        while let Some(window) = windows.next_window()? {
            // why: a window is a little work, but a bomb of them would keep this thread from all others.
            yield_now().await;
            self.entries(route, &Body::Packed(window), limits, ids, receipt).await;
        }
        Ok(())
    }

    async fn entries(
        &mut self,
        route: &Route,
        body: &Body<'_>,
        limits: &LimitOptions,
        ids: &mut Ids,
        receipt: Option<&Receipt>,
    ) {
        let mut entries = Entries::new(body, limits.depth, limits.fields);
        ids.sequence = self.shared.take_sequence(entries.at_most().min(SEQUENCE_BLOCK));
        loop {
            let mut open = self.open(receipt.is_some()).await;
            let done = self.fill(&mut open, route, &mut entries, ids, receipt);
            if let Some(receipt) = receipt {
                open.attach(receipt);
            }
            self.open = Some(open);
            if done {
                return;
            }
            self.flush();
        }
    }

    /// The batch that is being written, or a new one as soon as the buffer has room; for what is not `promised`, as
    /// soon as it is known that there will be none, too, where that is to be given up then.
    async fn open(&mut self, promised: bool) -> OpenBatch {
        match self.open.take() {
            Some(open) if !self.is_full(&open) => open,
            full => {
                self.open = full;
                // why: it may wait long, and the books have to balance meanwhile.
                self.flush();
                let buffer = &self.shared.buffer;
                let room =
                    async { if promised { buffer.ready().await } else { buffer.ready_or_full().await } };
                self.hurry.run_until_cancelled(room).await;
                self.shared.buffer.take_open()
            }
        }
    }

    fn is_full(&self, open: &OpenBatch) -> bool {
        open.len() >= self.shared.batch_bytes || open.documents() >= self.shared.batch_documents
    }

    /// Writes documents until the batch is full or the entries are done, which is answered.
    fn fill<'e>(
        &mut self,
        open: &mut OpenBatch,
        route: &Route,
        entries: &mut Entries<'e>,
        ids: &mut Ids,
        receipt: Option<&Receipt>,
    ) -> bool {
        let mut spare = std::mem::take(&mut self.fields);
        let mut done = false;
        while !self.is_full(open) {
            let mut fields: Fields<'e> = Fields::reuse(spare);
            let read = entries.next(&mut fields);
            match read {
                Some(Ok(time)) => {
                    let (id, sequence) = ids.next(&self.shared, time.is_some());
                    let time = time.unwrap_or_else(Timestamp::now);
                    if route.pipeline.join_partial && Joiner::is_part(&fields) {
                        let part = Part { tag: &route.tag, time, id, record: entries.record() };
                        self.part(open, &part, sequence, receipt);
                        spare = Fields::reuse(fields);
                    } else {
                        spare =
                            self.write(open, route, Event { time, tag: &route.tag, fields }, id, sequence);
                    }
                }
                Some(Err(error)) => {
                    // why: its place stays its own, or other limits would move the ids of those behind it.
                    ids.next(&self.shared, true);
                    self.refuse(&error, 1);
                    spare = Fields::reuse(fields);
                }
                None => {
                    spare = Fields::reuse(fields);
                    done = true;
                    break;
                }
            }
        }
        self.fields = spare;
        done
    }

    /// Takes one event through the pipeline into `open`, and gives its fields' allocation back.
    fn write<'a>(
        &mut self,
        open: &mut OpenBatch,
        route: &'a Route,
        event: Event<'a>,
        id: IdBase,
        sequence: u64,
    ) -> Fields<'static> {
        // Of a shorter lifetime: the source's fields are borrowed from here.
        let mut event: Event<'_> = event;
        route.pipeline.apply(&mut event, &mut self.counts.unparsed);
        self.source.add(&mut event);
        self.encoder.write(open.bytes(), &route.destination, &event, id, sequence);
        open.end_document(&route.tag);
        self.counts.received += 1;
        Fields::reuse(event.fields)
    }

    /// A part of a docker line: kept until the line is whole. Its receipt is the buffer's business while it waits.
    fn part(&mut self, open: &mut OpenBatch, part: &Part<'_>, sequence: u64, receipt: Option<&Receipt>) {
        let shared = Arc::clone(&self.shared);
        let keep = |bytes: &[u8]| {
            receipt.map(|receipt| shared.buffer.keep_part(bytes.to_vec(), Some(receipt.clone())))
        };
        for line in shared.joiner.add(part, keep) {
            self.write_line(open, &line, sequence);
        }
    }

    fn write_line(&mut self, open: &mut OpenBatch, line: &Line, sequence: u64) {
        let mut fields = Fields::default();
        // It was read when it came in as a part.
        if read_record(&line.record, &mut fields).is_err() {
            return;
        }
        let Some(route) = self.routes.of(line.tag.as_bytes(), &self.shared.pipelines) else { return };
        fields.retain(|name| !name.starts_with("partial_"));
        fields.set(Cow::Borrowed("log"), Value::Text(&line.text));
        if line.incomplete {
            fields.set(Cow::Borrowed("partial_incomplete"), Value::Bool(true));
        }
        let event = Event { time: line.time, tag: &route.tag, fields };
        self.write(open, &route, event, line.id, sequence);
        line.kept.iter().for_each(|part| open.supersede(*part));
    }

    /// Resolves when there is room for a line, or no time left to wait for it.
    pub async fn room(&mut self) {
        self.open = Some(self.open(true).await);
    }

    /// Writes a line that became due without a frame: late, or brought back by a start. It was in memory before.
    pub fn line(&mut self, line: &Line) {
        let mut open = self.open.take().unwrap_or_else(|| self.shared.buffer.take_open());
        let sequence = self.shared.take_sequence(1).next;
        self.write_line(&mut open, line, sequence);
        self.open = Some(open);
    }

    /// Counts and logs `events` that are given up.
    pub(super) fn refuse(&mut self, error: &DecodeError, events: u64) {
        let word = match error {
            DecodeError::Limit { key, .. } => {
                reason(&self.shared.metrics.limits_exceeded, key).inc();
                "limit"
            }
            DecodeError::Malformed { .. } => "malformed",
            DecodeError::Unexpected { .. } => "unexpected",
        };
        self.counts.received += events;
        reason(&self.shared.metrics.events_dropped, word).inc_by(events);
        if let Some(held_back) = REFUSED.admit() {
            tracing::error!(%error, held_back, "events were refused and are lost");
        }
    }

    /// Hands what was written to the buffer and counts it. To be called when a read's frames are done.
    pub fn flush(&mut self) {
        self.give();
        let counts = std::mem::take(&mut self.counts);
        let mended = std::mem::take(&mut self.encoder.mended);
        let metrics = &self.shared.metrics;
        metrics.events_received.inc_by(counts.received);
        if counts.unparsed.not_json > 0 {
            reason(&metrics.lines_unparsed, "not_json").inc_by(u64::from(counts.unparsed.not_json));
        }
        let changed = [
            ("invalid_utf8", mended.invalid_utf8),
            ("not_finite", mended.not_finite),
            ("too_deep", mended.too_deep),
        ];
        for (word, count) in changed.into_iter().filter(|(_, count)| *count > 0) {
            kind(&metrics.values_mended, word).inc_by(u64::from(count));
        }
    }

    fn give(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.roll_back();
            self.shared.buffer.give_open(open);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.flush();
    }
}
