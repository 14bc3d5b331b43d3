//! The lines that wait for more of their event.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::MultilineOptions;
use super::rules::{Kind, Rules};
use super::trace::Trace;
use crate::buffer::PartId;
use crate::encode::IdBase;
use crate::enrich::part::{Line, Part};

/// Streams whose lines wait under one lock.
const SHARDS: usize = 64;

/// Ids of lines that have left with their event, of one shard, that are remembered; the latest.
const LEFT: usize = 1_024;

/// What an event that waits takes beside its bytes.
const COST: usize = 512;

/// One line, with what it is to become should it have to wait.
pub(in crate::enrich) struct Piece<'a> {
    /// Which stream it is of, a hash.
    pub(in crate::enrich) stream: u64,
    /// Its `event.sequence`, if it has one already.
    pub(in crate::enrich) sequence: Option<u64>,
    /// The event that it is by itself.
    pub(in crate::enrich) part: Part<'a>,
    /// Its text.
    pub(in crate::enrich) text: &'a [u8],
    /// Whether it is kept on disk already, and under which numbers.
    pub(in crate::enrich) kept: &'a [PartId],
}

/// What became of a line.
pub struct Gathered {
    /// Events that are to be written now, in this order.
    pub lines: Vec<Line>,
    /// Whether the line waits; else it is an event of its own, behind those.
    pub waits: bool,
}

impl Gathered {
    /// It is an event of its own, and there is nothing before it.
    pub(in crate::enrich) fn alone() -> Self {
        Self { lines: Vec::new(), waits: false }
    }
}

/// See the module.
pub struct Gatherer {
    options: MultilineOptions,
    shards: Vec<Shard>,
    /// Bytes that wait, of all shards.
    bytes: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    waiting: Mutex<Waiting>,
    /// How many events wait in it, so that nobody has to lock it to see that none does.
    events: AtomicUsize,
    /// The same of ids that are remembered.
    left: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    events: HashMap<u64, Held>,
    left: HashSet<IdBase>,
    order: VecDeque<IdBase>,
}

struct Held {
    sequence: Option<u64>,
    /// The first line, in the form in which parts are kept.
    first: Vec<u8>,
    text: Vec<u8>,
    lines: u32,
    trace: Trace,
    kept: Vec<PartId>,
    /// Those of the lines behind the first, should they be sent again.
    ids: Vec<IdBase>,
    touched: Instant,
    /// A line behind it of which the next one tells whether it belongs; its id.
    doubtful: Option<(IdBase, Box<Held>)>,
}

impl Held {
    fn new(piece: &Piece<'_>, trace: Trace, keep: impl FnOnce(&Part<'_>) -> Option<PartId>) -> Self {
        Self {
            sequence: piece.sequence,
            first: piece.part.to_bytes(),
            text: piece.text.to_vec(),
            lines: 1,
            trace,
            kept: piece.kept.iter().copied().chain(keep(&piece.part)).collect(),
            ids: Vec::new(),
            touched: Instant::now(),
            doubtful: None,
        }
    }

    fn cost(&self) -> usize {
        let doubtful = self.doubtful.as_ref().map_or(0, |(_, held)| held.cost());
        COST + self.first.len() + self.text.len() + 24 * self.ids.len() + doubtful
    }

    /// Takes a line, with the doubtful one before it.
    fn append(&mut self, piece: &Piece<'_>, keep: impl FnOnce(&Part<'_>) -> Option<PartId>) {
        if let Some((id, held)) = self.doubtful.take() {
            self.append_line(id, &held.text, held.kept);
        }
        let kept = piece.kept.iter().copied().chain(keep(&piece.part)).collect();
        self.append_line(piece.part.id, piece.text, kept);
        self.touched = Instant::now();
    }

    fn append_line(&mut self, id: IdBase, text: &[u8], kept: Vec<PartId>) {
        self.text.push(b'\n');
        self.text.extend_from_slice(text);
        self.lines += 1;
        self.ids.push(id);
        self.kept.extend(kept);
    }

    fn into_line(self, is_cut: bool) -> Option<Line> {
        let incomplete = is_cut.then_some("multiline_incomplete");
        let mut line = Line::of_part(&Part::from_bytes(&self.first).ok()?, self.text, incomplete);
        (line.kept, line.sequence) = (self.kept, self.sequence);
        Some(line)
    }
}

impl Gatherer {
    /// Nothing waits.
    pub fn new(options: MultilineOptions) -> Self {
        Self { options, shards: (0..SHARDS).map(|_| Shard::default()).collect(), bytes: AtomicUsize::new(0) }
    }

    /// Whether a line can be written at once: nothing of its stream waits, and it waits for nothing.
    ///
    /// Where it was `promised` an ack, it may be one that was sent again.
    pub(in crate::enrich) fn passes(
        &self,
        rules: &Rules,
        promised: bool,
        stream: impl FnOnce() -> u64,
        line: &[u8],
    ) -> bool {
        // why: nearly every line of one's own patterns begins something, and is not to be matched twice.
        if rules.are_own() || matches!(rules.kind(line), Kind::Begins(_)) {
            return false;
        }
        if !self.has_waiting() && !promised {
            return true;
        }
        self.shard(stream()).is_none_or(|shard| shard.is_empty() && !(promised && shard.has_left()))
    }

    /// Takes a line: it goes on with what waits, or ends that and is looked at by itself. `waits` says that it is of a kind
    /// that may go on, whatever its text says. `keep` is asked to keep on disk what is not there of it, where it has to wait.
    pub(in crate::enrich) fn add(
        &self,
        rules: &Rules,
        piece: &Piece<'_>,
        waits: bool,
        keep: impl FnOnce(&Part<'_>) -> Option<PartId>,
    ) -> Gathered {
        let Some(shard) = self.shard(piece.stream) else { return Gathered::alone() };
        let mut waiting = shard.lock();
        if waiting.left.contains(&piece.part.id) {
            return Gathered { lines: Vec::new(), waits: true };
        }
        let kind = rules.kind(piece.text);
        let mut gathered = Gathered::alone();
        let goes_on = waiting
            .events
            .get_mut(&piece.stream)
            .is_some_and(|held| rules.goes_on(kind, &mut held.trace, piece.text));
        if goes_on {
            self.append(&mut waiting, piece, keep);
            gathered.waits = true;
        } else {
            gathered.lines.extend(self.finish(&mut waiting, piece.stream, false));
            let trace = match kind {
                Kind::Begins(trace) => Some(trace),
                _ if waits => Some(Trace::behind(piece.text)),
                _ => None,
            };
            if let Some(trace) = trace {
                self.hold(&mut waiting, piece, trace, keep);
                gathered.waits = true;
            }
        }
        gathered.lines.extend(self.bounded(&mut waiting, piece.stream));
        shard.tell(&waiting);
        gathered
    }

    fn hold(
        &self,
        waiting: &mut Waiting,
        piece: &Piece<'_>,
        trace: Trace,
        keep: impl FnOnce(&Part<'_>) -> Option<PartId>,
    ) {
        let held = Held::new(piece, trace, keep);
        self.bytes.fetch_add(held.cost(), Ordering::Relaxed);
        waiting.events.insert(piece.stream, held);
    }

    fn append(
        &self,
        waiting: &mut Waiting,
        piece: &Piece<'_>,
        keep: impl FnOnce(&Part<'_>) -> Option<PartId>,
    ) {
        let Some(held) = waiting.events.get_mut(&piece.stream) else { return };
        let before = held.cost();
        if held.trace.is_doubtful() {
            let line = Held::new(piece, Trace::default(), keep);
            held.touched = line.touched;
            held.doubtful = Some((piece.part.id, Box::new(line)));
        } else {
            held.append(piece, keep);
        }
        // A line that was doubtful has cost more than it does as one of many.
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        self.bytes.fetch_add(held.cost(), Ordering::Relaxed);
    }

    /// What has grown beyond a bound leaves.
    fn bounded(&self, waiting: &mut Waiting, stream: u64) -> impl Iterator<Item = Line> + use<> {
        let is_over = waiting.events.get(&stream).is_some_and(|held| {
            held.lines >= self.options.lines
                || held.text.len() >= self.options.event_bytes.as_usize()
                || self.bytes.load(Ordering::Relaxed) > self.options.memory.as_usize()
        });
        is_over.then(|| self.finish(waiting, stream, true)).into_iter().flatten()
    }

    /// What waits of a stream leaves; a line behind it that stayed doubtful is an event of its own.
    fn finish(&self, waiting: &mut Waiting, stream: u64, is_cut: bool) -> impl Iterator<Item = Line> + use<> {
        let held = waiting.events.remove(&stream).map(|mut held| {
            self.bytes.fetch_sub(held.cost(), Ordering::Relaxed);
            held.ids.iter().for_each(|id| waiting.leave(*id));
            let doubtful = held.doubtful.take().and_then(|(_, line)| line.into_line(false));
            [held.into_line(is_cut), doubtful]
        });
        held.into_iter().flatten().flatten()
    }

    /// The events that no line has come to for `timeout`.
    pub fn expire(&self) -> Vec<Line> {
        self.take(|held, options| held.touched.elapsed() >= options.timeout)
    }

    /// Whether anything waits.
    pub fn has_waiting(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > 0
    }

    /// Everything that waits.
    pub fn take_all(&self) -> Vec<Line> {
        self.take(|_, _| true)
    }

    fn take(&self, is_due: impl Fn(&Held, &MultilineOptions) -> bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for shard in self.shards.iter().filter(|shard| !shard.is_empty()) {
            let mut waiting = shard.lock();
            let due = waiting.events.iter().filter(|(_, held)| is_due(held, &self.options));
            let mut due: Vec<(Instant, u64)> = due.map(|(stream, held)| (held.touched, *stream)).collect();
            due.sort_unstable();
            lines.extend(due.iter().flat_map(|(_, stream)| self.finish(&mut waiting, *stream, false)));
            shard.tell(&waiting);
        }
        lines
    }

    /// Learns from a line that an earlier run kept and whose event has left since.
    pub(in crate::enrich) fn recover_settled(&self, stream: u64, id: IdBase) {
        if let Some(shard) = self.shard(stream) {
            let mut waiting = shard.lock();
            waiting.leave(id);
            shard.tell(&waiting);
        }
    }

    fn shard(&self, stream: u64) -> Option<&Shard> {
        self.shards.get(usize::try_from(stream % SHARDS as u64).ok()?)
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds this lock can leave it half-changed, so a panic elsewhere does not matter.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.events.load(Ordering::Relaxed) == 0
    }

    fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 0
    }

    fn tell(&self, waiting: &Waiting) {
        self.events.store(waiting.events.len(), Ordering::Relaxed);
        self.left.store(waiting.left.len(), Ordering::Relaxed);
    }
}

impl Waiting {
    fn leave(&mut self, id: IdBase) {
        if self.left.insert(id) {
            self.order.push_back(id);
        }
        if self.order.len() > LEFT
            && let Some(oldest) = self.order.pop_front()
        {
            self.left.remove(&oldest);
        }
    }
}
