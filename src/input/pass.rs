//! One pass: from the bytes of a frame to documents in the buffer, on the task that read them.
//!
//! Promises: between two awaits no byte is copied but into the batch; what is awaited is room in the buffer, and the disk
//! where there are dead letters; a refused entry costs only itself, see `refuse`; a [`Pass`] that is dropped hands back
//! what it had written.

use std::sync::Arc;

use bumpalo::Bump;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::counts::Counts;
use super::events::Raw;
use super::letters::Unwritten;
use super::origin::{Origin, Retag};
use super::records::{Events, Records};
use super::route::{Route, Routes};
use super::sampling::Sampling;
use super::shared::{Ids, SEQUENCE_BLOCK, Shared};
use super::watch::{Watch, Watched};
use crate::buffer::{OpenBatch, Receipt};
use crate::decode::{Body, Codec, DecodeError, Decompressor, Frame};
use crate::encode::{Encoder, IdBase};
use crate::enrich::{self, Assembler, Joiner, Part};
use crate::event::{Fields, Timestamp};
use crate::input::forward::LimitOptions;
use crate::output::Original;

/// Bytes for values made on the way that are kept for the next read.
const KEPT_ARENA: usize = 4 << 10;

/// Why writing documents paused.
enum Filled<'e> {
    /// The batch is full.
    Full,
    /// Entries were refused.
    Refused(RefusedEntries<'e>),
    /// There are no more entries.
    Done,
}

/// Entries that will never be taken.
pub(super) struct RefusedEntries<'e> {
    pub(super) error: DecodeError,
    /// What the id of the first would have been, where it is one of ours.
    pub(super) id: Option<IdBase>,
    /// Their bytes.
    pub(super) bytes: &'e [u8],
    /// How many they are.
    pub(super) count: u64,
}

/// What holds for all entries of one frame.
pub(super) struct Course<'f> {
    /// The tag as it was sent.
    pub(super) tag: &'f [u8],
    pub(super) limits: &'f LimitOptions,
    /// Where the sender waits for an ack.
    pub(super) receipt: Option<&'f Receipt>,
    /// Whether it may be a frame that was sent before.
    pub(super) may_repeat: bool,
}

/// One reader's way through the pipeline.
pub struct Pass {
    pub(super) shared: Arc<Shared>,
    /// Where what is no event yet waits for more.
    pub(super) assembler: Arc<Assembler>,
    /// Whether what waits there is kept on disk for whoever wants to know when it is safe.
    pub(super) keeps: bool,
    /// Which documents are written, where none is sent.
    pub(super) sampling: Option<Box<Sampling>>,
    /// Looks at what comes out of the pipeline.
    pub(super) watch: Option<Box<Watch>>,
    /// Whom it reads from.
    pub(super) origin: Origin,
    pub(super) letters: Unwritten,
    pub(super) encoder: Encoder,
    pub(super) routes: Routes,
    /// Those of lines that were put together, whose tags are what they become.
    pub(super) line_routes: Routes,
    fields: Fields<'static>,
    /// Where values lie that are made on the way, until their document is written.
    pub(super) arena: Bump,
    pub(super) course: enrich::Course,
    pub(super) open: Option<OpenBatch>,
    pub(super) counts: Counts,
    /// Cancelled when there is no time left to wait for room.
    pub(super) hurry: CancellationToken,
}

impl Pass {
    /// A pass with nothing in it. From when `hurry` is cancelled, what was read is written whether there is room or not.
    pub fn new(shared: Arc<Shared>, hurry: CancellationToken) -> Self {
        let (by_all, assembler) = (shared.remembered_tags.clone(), Arc::clone(&shared.assembler));
        Self {
            shared,
            assembler,
            keeps: true,
            sampling: None,
            watch: None,
            hurry,
            origin: Origin::default(),
            letters: Unwritten::default(),
            encoder: Encoder::default(),
            routes: Routes::new(Retag::default(), by_all.clone()),
            line_routes: Routes::new(Retag::default(), by_all),
            fields: Fields::default(),
            arena: Bump::new(),
            course: enrich::Course::default(),
            open: None,
            counts: Counts::default(),
        }
    }

    /// One of a file that can be read again: lines wait in `assembler`, which is its own, and nowhere else.
    pub fn of_file(shared: Arc<Shared>, hurry: CancellationToken, assembler: Arc<Assembler>) -> Self {
        let mut pass = Self::new(shared, hurry);
        (pass.assembler, pass.keeps) = (assembler, false);
        pass.sampling = pass.shared.buffer.sends_nothing().then(Box::default);
        pass
    }

    /// Lets `watch` look at each event.
    pub fn set_watch(&mut self, watch: Watch) {
        self.watch = Some(Box::new(watch));
    }

    /// What its watch has seen, up to the last flush where formats are concerned.
    pub fn watched(&self) -> Option<&Watched> {
        self.watch.as_ref().map(|watch| watch.watched())
    }

    /// Whom it reads from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Says whom it reads from. Docker lines that came in parts go on saying who sent them, whoever puts them together.
    pub fn set_origin(&mut self, origin: Origin) {
        self.routes = Routes::new(origin.retag.clone(), self.shared.remembered_tags.clone());
        self.origin = origin;
    }

    /// Takes a frame's events into the buffer, and those that can never be taken to the dead letters. `receipt` rides along
    /// with what was taken; it fails where a letter could not be written.
    pub async fn frame(&mut self, frame: &Frame<'_>, limits: &LimitOptions, receipt: Option<&Receipt>) {
        let course = Course { tag: frame.tag, limits, receipt, may_repeat: receipt.is_some() };
        if let Err(error) = self.take_frame(frame, &course).await {
            let original = Original::Bytes(frame.body.payload());
            Box::pin(self.refuse_frame(&error, Some(frame.tag), original, receipt)).await;
        }
        if receipt.is_some() {
            self.write_letters(receipt).await;
        }
    }

    /// Takes what was read from a file as [`Pass::frame`] takes what came over the wire, but with ids of its own.
    pub async fn records(&mut self, records: &Records<'_>, limits: &LimitOptions, receipt: &Receipt) {
        // why: what waits of a file that is read once is nowhere but here, and none of it comes again.
        let may_repeat = self.keeps;
        let course = Course { tag: records.tag, limits, receipt: Some(receipt), may_repeat };
        let tag = self.short_tag(records.tag, limits);
        if let Some(route) = self.routes.of(tag, &self.shared.pipelines) {
            self.watch.iter_mut().for_each(|watch| watch.names(&route.tag));
            let mut ids = Ids::each(records.ids);
            let events = Events::of_records(records, self.origin.time_milliseconds, limits);
            self.events(events, &route, &course, &mut ids).await;
        }
        self.write_letters(Some(receipt)).await;
    }

    async fn take_frame(&mut self, frame: &Frame<'_>, course: &Course<'_>) -> Result<(), DecodeError> {
        self.counts.frame(frame.body.mode(), &self.shared.metrics);
        let tag = self.short_tag(frame.tag, course.limits);
        let Some(route) = self.routes.of(tag, &self.shared.pipelines) else { return Ok(()) };
        self.watch.iter_mut().for_each(|watch| watch.names(&route.tag));
        let chunk = frame.chunk.map(|chunk| IdBase::of_chunk(frame.tag, chunk, frame.body.payload()));
        let mut ids = Ids::new(chunk);
        match &frame.body {
            Body::OtherSignal => self.refuse_signal(),
            Body::Compressed(codec, bytes) => {
                // why: apart from the task, which would be as large for those that never send any.
                return Box::pin(self.compressed(*codec, bytes, &route, course, &mut ids)).await;
            }
            body => drop(self.entries(body, 0, &route, course, &mut ids).await),
        }
        Ok(())
    }

    async fn compressed(
        &mut self,
        codec: Codec,
        bytes: &[u8],
        route: &Route,
        course: &Course<'_>,
        ids: &mut Ids<'_>,
    ) -> Result<(), DecodeError> {
        let (limits, shared) = (course.limits, Arc::clone(&self.shared));
        let _unpacking = self.hurry.run_until_cancelled(shared.may_unpack(codec)).await;
        let (limit, ratio) = (limits.decompressed_bytes.0, limits.decompression_ratio);
        let mut windows = Decompressor::new(codec, bytes, limit, ratio, limits.frame_bytes.0)?;
        let (mut refusals, mut large) = (0, None);
        while let Some(window) = windows.next_window()? {
            // why: a window is a little work, but a bomb of them would keep this thread from all others.
            yield_now().await;
            if window.is_empty() {
                if large.is_none() {
                    large = self.hurry.run_until_cancelled(shared.may_unpack_large()).await;
                }
                continue;
            }
            refusals = self.entries(&Body::Packed(window), refusals, route, course, ids).await;
        }
        Ok(())
    }

    /// Takes the entries of `body`, before which so many as `refusals` of the frame were refused, one after the other; answers
    /// the same of what comes behind it.
    async fn entries(
        &mut self,
        body: &Body<'_>,
        refusals: u32,
        route: &Route,
        course: &Course<'_>,
        ids: &mut Ids<'_>,
    ) -> u32 {
        let events = Events::of(body, refusals, self.origin.time_milliseconds, course.limits);
        self.events(events, route, course, ids).await
    }

    async fn events(
        &mut self,
        mut events: Events<'_>,
        route: &Route,
        course: &Course<'_>,
        ids: &mut Ids<'_>,
    ) -> u32 {
        ids.sequence = self.shared.take_sequence(events.at_most().min(SEQUENCE_BLOCK));
        loop {
            let mut open = self.open(course.receipt.is_some()).await;
            let filled = self.fill(&mut open, route, &mut events, ids, course);
            if let Some(receipt) = course.receipt {
                open.attach(receipt);
            }
            self.open = Some(open);
            match filled {
                Filled::Full => self.flush(),
                Filled::Refused(refused) => Box::pin(self.refuse_entries(&refused, course)).await,
                Filled::Done => break,
            }
        }
        self.counts.mended_times += events.mended_times();
        events.refusals()
    }

    /// The batch that is being written, or a new one as soon as the buffer has room; for what is not `promised`, as
    /// soon as it is known that there will be none, too, where that is to be given up then.
    pub(super) async fn open(&mut self, promised: bool) -> OpenBatch {
        match self.open.take() {
            Some(open) if !self.is_full(&open) => open,
            full => {
                self.open = full;
                // why: it may wait long, and the books have to balance meanwhile.
                self.flush();
                let buffer = &self.shared.buffer;
                if !buffer.has_room() {
                    let room =
                        async { if promised { buffer.ready().await } else { buffer.ready_or_full().await } };
                    Box::pin(self.hurry.run_until_cancelled(room)).await;
                }
                buffer.take_open()
            }
        }
    }

    pub(super) fn is_full(&self, open: &OpenBatch) -> bool {
        open.len() >= self.shared.batch_bytes || open.documents() >= self.shared.batch_documents
    }

    /// Writes documents until the batch is full, an entry is refused, or there are no more.
    fn fill<'e>(
        &mut self,
        open: &mut OpenBatch,
        route: &Route,
        events: &mut Events<'e>,
        ids: &mut Ids<'_>,
        course: &Course<'_>,
    ) -> Filled<'e> {
        let mut spare = std::mem::take(&mut self.fields);
        let mut filled = Filled::Full;
        while !self.is_full(open) {
            let mut fields: Fields<'e> = spare;
            let read = events.next(&mut fields);
            match read {
                Some(Ok(time)) => {
                    let (id, sequence) = ids.next(&self.shared, time.is_some());
                    let time = time.unwrap_or_else(Timestamp::now);
                    if route.pipeline.join_partial && Joiner::is_part(&fields) {
                        let (source, record) = (self.origin.source.to_bytes(), events.record());
                        let part = Part { tag: &route.tag, time, id, source: &source, record };
                        self.part(open, &part, sequence, course.receipt);
                        spare = Fields::reuse(fields);
                    } else {
                        let record = Some(events.record());
                        let (receipt, may_repeat) = (course.receipt, course.may_repeat);
                        let raw = Raw { time, id, sequence, record, source: None, receipt, may_repeat };
                        spare = self.event(open, route, fields, &raw);
                    }
                }
                Some(Err(error)) => {
                    let (bytes, count) = events.refused();
                    // why: each place stays its own, or other limits would move the ids of those behind it.
                    let (id, _) = ids.next(&self.shared, false);
                    (1..count).for_each(|_| {
                        ids.next(&self.shared, false);
                    });
                    filled = Filled::Refused(RefusedEntries { error, id: Some(id), bytes, count });
                    spare = Fields::reuse(fields);
                    break;
                }
                None => {
                    spare = Fields::reuse(fields);
                    filled = Filled::Done;
                    break;
                }
            }
        }
        self.fields = spare;
        filled
    }

    /// Hands what was written to the buffer and counts it, and keeps no more than the next few events need.
    pub fn flush(&mut self) {
        self.give();
        self.fields = std::mem::take(&mut self.fields).shrunk();
        if self.arena.allocated_bytes() > KEPT_ARENA {
            self.arena = Bump::new();
        }
        self.watch.iter_mut().for_each(|watch| watch.read(&self.course.seen));
        let mended = std::mem::take(&mut self.encoder.mended);
        self.counts.count(&mut self.course.seen, mended, &self.shared.metrics);
    }

    /// As [`Pass::flush`], and has the letters on the disk. To be called when a read's frames are done.
    pub async fn settle(&mut self) {
        self.flush();
        self.write_letters(None).await;
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
        self.letters.give_up(&self.shared.metrics);
    }
}
