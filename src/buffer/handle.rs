//! The buffer's front door: what readers, outputs and the daemon call.
//!
//! Nothing here waits for a disk but [`Buffer::open`]; what is async can be dropped at any await without a loss.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::disk::{DirLock, Files, Recovered, Space, Store, file_system, recover};
use super::extent::Extent;
use super::loan::lend;
use super::queue::{Next, Queue};
use super::shared::Shared;
use super::spilled::lend_from_disk;
use super::teller::Teller;
use super::writer::Writer;
use super::writes::Write;
use super::{
    Batch, BufferOptions, Delivery, OpenBatch, OpenError, PartId, Receipt, SegmentCompression, WhenFull,
};
use crate::metrics::{Metrics, reason};

/// How long a full memory share makes readers wait for a target that keeps up, before what comes in is spilled.
/// A target that takes a batch now and then within it is fed from memory alone, at its own rate.
const PATIENCE: Duration = Duration::from_millis(100);

/// The queue of batches between the encoder and the outputs, in memory and on disk. Cheap to clone; the last
/// clone dropped without [`Buffer::stop`] leaves behind what a crash would.
///
/// # Memory
///
/// What is encoded counts as used from [`Buffer::give_open`] until it is settled or on disk only: open, queued, lent
/// and waiting to be written. [`Buffer::ready`] lets readers on while less than `memory` is used, so that use stays
/// below `memory` plus what the threads that encode add between two looks (a read each), plus the copies of loans that
/// were joined from several batches or read from disk. No more is lent while half of `memory` is on loan, copies
/// counted, and one loan takes an eighth of `memory` at most, unless a single document is larger. Above three quarters of
/// `memory`, or four batches below it, whichever is more, what comes in leaves memory as soon as it is written.
#[derive(Clone)]
pub struct Buffer(pub(super) Arc<Handle>);

/// Ends the writer with the last clone; loans alone do not keep it going.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.writes.close();
    }
}

/// The parts of docker lines that a start found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeptParts {
    /// Those whose lines are not safe as a whole.
    pub waiting: Vec<KeptPart>,
    /// The latest of those whose lines are: there is nothing to do but to know them when they are sent again.
    pub settled: Vec<Vec<u8>>,
}

/// A part of a docker line that a start found: acknowledged, and its line not safe as a whole.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptPart {
    /// Its number, to be named by the batch that completes the line.
    pub id: PartId,
    /// As it was given to [`Buffer::keep_part`].
    pub bytes: Vec<u8>,
}

/// How full the buffer is.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferStats {
    /// Documents given or recovered, and not settled.
    pub events: u64,
    /// Bytes of documents in memory.
    pub memory_bytes: u64,
    /// The memory share.
    pub memory_limit: u64,
    /// Bytes of segments.
    pub disk_bytes: u64,
    /// The disk budget.
    pub disk_limit: u64,
    /// Documents that wait on disk only.
    pub disk_events: u64,
    /// How long the oldest document has waited.
    pub oldest: Option<Duration>,
    /// Why nothing can be spilled now.
    pub disk_fault: Option<String>,
    /// Bytes free on the file system.
    pub free_bytes: Option<u64>,
    /// Bytes of the file system.
    pub total_bytes: Option<u64>,
    /// Bytes that have to stay free.
    pub must_stay_free: u64,
}

impl Buffer {
    /// Locks and recovers `dir`, which is created if it is not there; what was in it is queued before anything new.
    pub fn open(
        options: BufferOptions,
        dir: &Path,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, KeptParts), OpenError> {
        let files = Files::new(dir);
        files.create().map_err(|source| OpenError::Io { action: "create", path: dir.to_owned(), source })?;
        let lock = DirLock::take(&files)?;
        let mut found = recover(&files, &metrics)?;
        let (parts, settled) = (std::mem::take(&mut found.parts), std::mem::take(&mut found.settled_parts));
        let parts = KeptParts {
            waiting: parts.into_iter().map(|(id, bytes)| KeptPart { id, bytes }).collect(),
            settled: settled.into_iter().map(|(_, bytes)| bytes).collect(),
        };
        Ok((Self::begin(options, files, metrics, found, Some(lock))?, parts))
    }

    /// One that never spills, and so needs no place on a disk.
    pub fn in_memory(options: BufferOptions, metrics: Arc<Metrics>) -> Result<Self, OpenError> {
        let options = BufferOptions { spill: false, ..options };
        Self::begin(options, Files::new(Path::new("")), metrics, Recovered::default(), None)
    }

    fn begin(
        options: BufferOptions,
        files: Files,
        metrics: Arc<Metrics>,
        found: Recovered,
        lock: Option<DirLock>,
    ) -> Result<Self, OpenError> {
        let dir = files.dir().to_owned();
        let queue = restore(&options, &found);
        metrics.events_recovered.inc_by(queue.disk_documents() + found.damaged);
        reason(&metrics.events_dropped, "corrupt").inc_by(found.damaged);
        let space = Space::new(&dir, options.disk.0, options.min_free.0, options.min_free_percent);
        let packed = options.compression == SegmentCompression::Zstd;
        let store = Store::new(files.clone(), space, options.segment_bytes.0, packed, found);
        let shared = Arc::new(Shared::new(options, files, metrics, queue, lock));
        shared.set_disk_bytes(store.bytes());
        let started = Teller::start().and_then(|teller| {
            let writer = Writer::new(Arc::clone(&shared), store, teller, packed);
            thread::Builder::new().name("spill".to_owned()).spawn(move || writer.run())
        });
        started.map_err(|source| OpenError::Io { action: "start the writer of", path: dir, source })?;
        Ok(Self(Arc::new(Handle { shared })))
    }

    /// Whether there is room for more, as there is as a rule.
    pub fn has_room(&self) -> bool {
        self.shared().memory.has_room()
    }

    /// Resolves when there is room for more; readers await it before they decode more.
    pub async fn ready(&self) {
        let shared = self.shared();
        if shared.memory.has_room() {
            return;
        }
        if timeout(PATIENCE, shared.memory.room()).await.is_err() {
            shared.press();
            shared.memory.room().await;
        }
    }

    /// As [`Buffer::ready`], for what nobody wants an ack of: resolves, too, when there is no room and will be none, if
    /// `when_full` says that what comes in is given up then. [`Buffer::give_open`] does that.
    pub async fn ready_or_full(&self) {
        let shared = self.shared();
        if shared.options.when_full != WhenFull::DropNewest {
            return self.ready().await;
        }
        while !shared.drops_newest() && timeout(PATIENCE, shared.memory.room()).await.is_err() {
            shared.press();
        }
    }

    /// From here on `take` gets what is given, where it is given and on that thread, instead of an output: nothing is queued and
    /// nobody waits. To be said once, before anything is given.
    pub fn take_at_once(&self, take: impl Fn(&Batch) + Send + Sync + 'static) {
        let said = self.shared().at_once.set(Box::new(take));
        debug_assert!(said.is_ok(), "only one can take what is given");
    }

    /// Whether what is given is only looked at: see [`Buffer::take_at_once`].
    pub fn sends_nothing(&self) -> bool {
        self.shared().at_once.get().is_some()
    }

    /// No more is to come: what is open or queued leaves at once, instead of waiting for more that would fill a bulk request.
    pub fn hurry(&self) {
        self.shared().queue().hurry();
        self.shared().news.notify_waiters();
    }

    /// A batch to encode into: one that is open, else a new one.
    pub fn take_open(&self) -> OpenBatch {
        let shared = self.shared();
        let mut open = shared.queue().take_open();
        open.reserve(shared.whole_batch());
        open.lent_by(shared)
    }

    /// Takes a batch back: queued if it is full or promised, else kept open for the next taker or until `batch_age` has passed.
    /// A document that was begun and not ended is cut off.
    pub fn give_open(&self, batch: OpenBatch) {
        self.shared().give(batch);
    }

    /// Keeps a part of a docker line on disk until a batch that names it is safe; `receipt` is resolved when it is synced.
    pub fn keep_part(&self, bytes: Vec<u8>, receipt: Option<Receipt>) -> PartId {
        let shared = self.shared();
        let id = shared.queue().number();
        let _charge = shared.memory.charge(bytes.len());
        shared.writes.submit(Write::Part { id, bytes, receipt, _charge });
        id
    }

    /// The next loan for an output: once a bulk request is full or the oldest document has waited `batch_age`, and less
    /// than half of `memory` is on loan. None when the buffer is stopping. Dropping the future loses nothing.
    pub async fn pop(&self) -> Option<Delivery> {
        let shared = self.shared();
        loop {
            let mut news = pin!(shared.news.notified());
            news.as_mut().enable();
            if !shared.lent.has_room() && !shared.queue().stopping {
                tokio::select! {
                    () = shared.lent.room() => (),
                    () = news => (),
                }
                continue;
            }
            let next = shared.next(Instant::now());
            match next {
                Next::Stopped => return None,
                Next::Memory(batches) => return Some(lend(shared, batches)),
                Next::Disk(extents) => {
                    if let Some(delivery) = lend_from_disk(shared, extents).await {
                        return Some(delivery);
                    }
                }
                // why: whether it is time or news, the queue is looked at again.
                Next::At(due) => drop(tokio::time::timeout_at(due.into(), news).await),
                Next::Nothing => news.await,
            }
        }
    }

    /// How full it is.
    pub fn stats(&self) -> BufferStats {
        let shared = self.shared();
        let queue = shared.queue();
        let (disk_events, oldest) = (queue.disk_documents(), queue.oldest());
        drop(queue);
        let file_system = file_system(shared.files.dir()).ok();
        BufferStats {
            events: shared.events(),
            memory_bytes: shared.memory.used(),
            memory_limit: shared.memory.limit(),
            disk_bytes: shared.disk_bytes(),
            disk_limit: shared.options.disk.0,
            disk_events,
            oldest: oldest.map(|opened| opened.elapsed()),
            disk_fault: shared.fault(),
            free_bytes: file_system.map(|(free, _)| free),
            total_bytes: file_system.map(|(_, total)| total),
            must_stay_free: shared.options.must_stay_free(file_system.map_or(0, |(_, total)| total)),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }
}

fn restore(options: &BufferOptions, found: &Recovered) -> Queue {
    let mut queue = Queue::new(options, found.next_sequence);
    for run in &found.runs {
        let created = found.created.get(&run.place.segment).copied().unwrap_or_default();
        queue.restore(Extent::found(run.clone(), created));
    }
    queue
}
