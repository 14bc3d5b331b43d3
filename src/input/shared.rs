//! What every pass of the daemon shares, and the numbers that it gives out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::buffer::{Buffer, BufferOptions};
use crate::decode::Codec;
use crate::encode::IdBase;
use crate::enrich::{Assembler, Pipelines};
use crate::metrics::Metrics;
use crate::output::DeadLetters;

use super::letters::Letters;
use super::route::RememberedByAll;

/// What every pass of the daemon shares.
pub struct Shared {
    pub(super) pipelines: Pipelines,
    pub(super) assembler: Arc<Assembler>,
    pub(super) buffer: Buffer,
    pub(super) letters: Letters,
    pub(super) metrics: Arc<Metrics>,
    pub(super) remembered_tags: RememberedByAll,
    /// The next `event.sequence`. It starts at the time in microseconds, so that it grows over restarts too.
    sequence: AtomicU64,
    /// For events of frames without a chunk: their ids are this plus their sequence.
    ids: IdBase,
    /// Who decompresses a frame holds one of its kind: windows are memory that no other limit counts.
    gzip: Semaphore,
    zstd: Semaphore,
    /// Who unpacks an entry that goes beyond a window holds this one too: it may grow to the size of a whole frame.
    large: Semaphore,
    /// A batch is closed at this size…
    pub(super) batch_bytes: usize,
    /// …or at this many documents.
    pub(super) batch_documents: usize,
}

/// Frames of gzip that are decompressed at once, by all connections: each takes a third of a MiB.
const GZIP: usize = 128;

/// Frames of zstd: each takes up to 8 MiB for its window.
const ZSTD: usize = 8;

/// Sequence numbers taken at once for a frame that does not say how many events it has, at most.
pub(super) const SEQUENCE_BLOCK: u64 = 512;

impl Shared {
    /// Everything that a pass needs.
    pub fn new(
        pipelines: Pipelines,
        assembler: Assembler,
        buffer: Buffer,
        dead_letters: DeadLetters,
        options: &BufferOptions,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        pipelines.iter().for_each(|pipeline| metrics.pipelines.begin(pipeline.pattern(), pipeline.endings()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Arc::new(Self {
            pipelines,
            assembler: Arc::new(assembler),
            buffer,
            letters: Letters::new(dead_letters, Arc::clone(&metrics)),
            metrics,
            remembered_tags: RememberedByAll::default(),
            sequence: AtomicU64::new(u64::try_from(now).unwrap_or(0)),
            ids: IdBase::random(),
            gzip: Semaphore::new(GZIP),
            zstd: Semaphore::new(ZSTD),
            large: Semaphore::new(1),
            batch_bytes: options.batch_limit(),
            batch_documents: options.batch_documents,
        })
    }

    /// What waits for its parts, or for lines that follow.
    pub fn assembler(&self) -> &Assembler {
        &self.assembler
    }

    /// Where documents go.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// What is done to events.
    pub fn pipelines(&self) -> &Pipelines {
        &self.pipelines
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The right to decompress a frame, as soon as few enough others do.
    pub(super) async fn may_unpack(&self, codec: Codec) -> Option<SemaphorePermit<'_>> {
        let kind = match codec {
            Codec::Gzip => &self.gzip,
            Codec::Zstd => &self.zstd,
        };
        // It is never closed.
        kind.acquire().await.ok()
    }

    /// The right to unpack entries that go beyond a window, as soon as nobody else does.
    pub(super) async fn may_unpack_large(&self) -> Option<SemaphorePermit<'_>> {
        self.large.acquire().await.ok()
    }

    /// Numbers for `count` events.
    pub(super) fn take_sequence(&self, count: u64) -> Sequence {
        let next = self.sequence.fetch_add(count, Ordering::Relaxed);
        Sequence { next, end: next + count }
    }
}

/// Numbers taken from the shared sequence, for one frame only, so that they stay in the order of arrival.
pub(super) struct Sequence {
    pub(super) next: u64,
    end: u64,
}

impl Sequence {
    fn next(&mut self, shared: &Shared) -> u64 {
        if self.next == self.end {
            *self = shared.take_sequence(SEQUENCE_BLOCK);
        }
        self.next += 1;
        self.next - 1
    }
}

/// Where the events of one frame get their ids from.
pub(super) struct Ids<'i> {
    pub(super) sequence: Sequence,
    places: Places<'i>,
}

/// What an event's id is made of.
enum Places<'i> {
    /// Its number in the shared sequence.
    Running,
    /// The chunk's, counted on from event to event.
    Chunk(IdBase),
    /// Each event's own, in order.
    Each(std::slice::Iter<'i, IdBase>),
}

impl<'i> Ids<'i> {
    /// No numbers yet; `chunk` is what the ids of a named chunk count on from.
    pub(super) fn new(chunk: Option<IdBase>) -> Self {
        Self::of(chunk.map_or(Places::Running, Places::Chunk))
    }

    /// One for each event.
    pub(super) fn each(ids: &'i [IdBase]) -> Self {
        Self::of(Places::Each(ids.iter()))
    }

    fn of(places: Places<'i>) -> Self {
        Self { sequence: Sequence { next: 0, end: 0 }, places }
    }

    /// The id's base and the sequence number of the next event; `dated` if it has a time of its own.
    pub(super) fn next(&mut self, shared: &Shared, dated: bool) -> (IdBase, u64) {
        let sequence = self.sequence.next(shared);
        let id = match &mut self.places {
            Places::Running => shared.ids.plus(sequence),
            Places::Chunk(base) => {
                let id = *base;
                *base = base.plus(1);
                if dated { id } else { id.undated() }
            }
            Places::Each(ids) => ids.next().copied().unwrap_or_else(|| shared.ids.plus(sequence)),
        };
        (id, sequence)
    }
}
