//! Docker cuts a line over 16 KiB into parts; here they are joined again, by the name that the engine gives the line.
//!
//! Invariants: parts wait in at most `memory` bytes, the line that has waited longest leaves first; a line is emitted once, whole,
//! or marked when a part did not come within `timeout`, or when it is longer than `line_bytes`. Parts of stdout and stderr
//! have different names, so they never mix. A part whose sender wants an ack is kept on disk before it is acked; one that is
//! sent again after its line has left is nothing new.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::PartialOptions;
use super::done::Done;
use super::part::{Line, Part, Place};
use crate::buffer::PartId;
use crate::decode::read_record;
use crate::event::Fields;
use crate::metrics::{Metrics, reason};

/// What a line that waits takes beside its bytes, and what a part does; so that many small ones count as what they cost.
const LINE_COST: usize = 1_024;
const PART_COST: usize = 128;

/// What waits for the rest, of every connection: a container that reconnects goes on with its line.
pub struct Joiner {
    options: PartialOptions,
    metrics: Arc<Metrics>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: HashMap<Arc<[u8]>, Pending>,
    /// The names of all lines, the one that has waited longest first.
    order: BTreeMap<u64, Arc<[u8]>>,
    touches: u64,
    bytes: usize,
    done: Done,
}

impl Waiting {
    /// The line `name`, the latest from here on.
    fn touch(&mut self, name: &[u8]) -> &mut Pending {
        let (now, place) = (Instant::now(), self.touches);
        self.touches += 1;
        let before = self.lines.get(name).and_then(|pending| self.order.remove(&pending.place));
        let name = before.unwrap_or_else(|| Arc::from(name));
        self.order.insert(place, Arc::clone(&name));
        let cost = LINE_COST + name.len();
        let bytes = &mut self.bytes;
        let pending = self.lines.entry(name).or_insert_with(|| {
            *bytes += cost;
            let (parts, last, emitted, has_gap) = (BTreeMap::new(), None, 0, false);
            Pending { parts, bytes: 0, cost, last, emitted, has_gap, touched: now, place }
        });
        (pending.touched, pending.place) = (now, place);
        pending
    }

    fn remove(&mut self, name: &[u8]) -> Option<Pending> {
        let pending = self.lines.remove(name)?;
        self.order.remove(&pending.place);
        self.bytes -= pending.bytes + pending.cost;
        Some(pending)
    }
}

struct Pending {
    /// By ordinal.
    parts: BTreeMap<u32, Kept>,
    bytes: usize,
    /// What it takes beside its parts.
    cost: usize,
    /// The ordinal of the last part, once it has come.
    last: Option<u32>,
    /// The ordinal before the first one that is still wanted: more than 0 after an over-long line was begun.
    emitted: u32,
    /// Whether an over-long line was begun without a part that may still come.
    has_gap: bool,
    touched: Instant,
    /// Where it stands in the order.
    place: u64,
}

struct Kept {
    bytes: Vec<u8>,
    /// Under which it is on disk: more than one where it was sent again before it was acked.
    ids: Vec<PartId>,
}

impl Kept {
    fn cost(&self) -> usize {
        PART_COST + self.bytes.len() + size_of_val(self.ids.as_slice())
    }
}

impl Pending {
    /// A line whose parts contradict each other is never whole: what came of it leaves marked, as that of a line without
    /// an end does.
    fn is_whole(&self) -> bool {
        self.last.is_some_and(|last| self.reaches(last))
    }

    /// Whether every place from the first one that is wanted to `last` is taken, and no other.
    // why: not counted place by place, or every part of a long line would cost as much as all before it.
    fn reaches(&self, last: u32) -> bool {
        let bounds = self.parts.first_key_value().zip(self.parts.last_key_value());
        let bounds = bounds.map(|((first, _), (end, _))| (*first, *end));
        bounds == self.emitted.checked_add(1).map(|wanted| (wanted, last))
            && self.parts.len() == last.saturating_sub(self.emitted) as usize
    }

    /// Takes a part, in place of the same one if that came before.
    fn put(&mut self, place: Place<'_>, bytes: Vec<u8>) {
        if place.last {
            self.last = Some(place.ordinal);
        }
        let before = self.parts.remove(&place.ordinal);
        self.bytes -= before.as_ref().map_or(0, Kept::cost);
        let part = Kept { bytes, ids: before.map(|part| part.ids).unwrap_or_default() };
        self.bytes += part.cost();
        self.parts.insert(place.ordinal, part);
    }

    /// Has a part kept. One that is sent again is kept again: the first copy may not be on disk yet.
    fn keep(&mut self, ordinal: u32, keep: impl FnOnce(&[u8]) -> Option<PartId>) {
        let Some(part) = self.parts.get_mut(&ordinal) else { return };
        let before = part.cost();
        part.ids.extend(keep(&part.bytes));
        self.bytes = self.bytes - before + part.cost();
    }

    /// Bytes of its parts themselves.
    fn length(&self) -> usize {
        self.bytes - PART_COST * self.parts.len()
    }

    /// What has come, as a line; the pending one is empty after it.
    fn take_line(&mut self, incomplete: bool) -> Option<Line> {
        let parts = std::mem::take(&mut self.parts);
        let incomplete = incomplete.then_some("partial_incomplete");
        let mut line = Line::join(parts.values().map(|part| part.bytes.as_slice()), incomplete)?;
        line.kept = parts.values().flat_map(|part| &part.ids).copied().collect();
        Some(line)
    }
}

impl Joiner {
    /// Nothing waits.
    pub fn new(options: PartialOptions, metrics: Arc<Metrics>) -> Self {
        Self { options, metrics, waiting: Mutex::default() }
    }

    /// Whether `fields` are those of a part that can be joined.
    pub fn is_part(fields: &Fields<'_>) -> bool {
        fields.get("partial_message").is_some() && Place::of(fields).is_some()
    }

    /// Takes a part. `keep` is asked to keep it on disk if it has to wait. Answers the lines that are to be emitted now.
    pub fn add(&self, part: &Part<'_>, keep: impl FnOnce(&[u8]) -> Option<PartId>) -> Vec<Line> {
        let mut fields = Fields::default();
        let place = match read_record(part.record, &mut fields) {
            Ok(()) => Place::of(&fields),
            Err(_) => None,
        };
        let Some(place) = place else { return Vec::new() };
        let mut waiting = self.lock();
        if waiting.done.holds(place) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        lines.extend(self.insert(&mut waiting, place, part.to_bytes(), keep));
        while waiting.bytes > self.options.memory.as_usize() {
            lines.extend(self.emit_oldest(&mut waiting));
        }
        self.metrics.partial_lines.set(i64::try_from(waiting.lines.len()).unwrap_or(i64::MAX));
        lines
    }

    fn insert(
        &self,
        waiting: &mut Waiting,
        place: Place<'_>,
        bytes: Vec<u8>,
        keep: impl FnOnce(&[u8]) -> Option<PartId>,
    ) -> Option<Line> {
        let pending = waiting.touch(place.line);
        let before = pending.bytes;
        pending.put(place, bytes);
        let is_whole = pending.is_whole();
        let is_over_long = pending.length() > self.options.line_bytes.as_usize();
        if !is_whole && !is_over_long {
            pending.keep(place.ordinal, keep);
        }
        let after = pending.bytes;
        waiting.bytes = waiting.bytes - before + after;
        if is_whole {
            return self.finish_whole(waiting, place.line);
        }
        if is_over_long { self.emit_beginning(waiting, place) } else { None }
    }

    fn finish(&self, waiting: &mut Waiting, name: &[u8], incomplete: bool) -> Option<Line> {
        waiting.remove(name)?.take_line(incomplete)
    }

    /// The part that was missing has come.
    fn finish_whole(&self, waiting: &mut Waiting, name: &[u8]) -> Option<Line> {
        let mut pending = waiting.remove(name)?;
        if let Some(last) = pending.last.filter(|_| !pending.has_gap) {
            waiting.done.left(name, last);
        }
        let is_in_pieces = pending.emitted > 0;
        pending.take_line(is_in_pieces)
    }

    /// An over-long line: what has come goes, marked; what follows is a marked line of its own.
    fn emit_beginning(&self, waiting: &mut Waiting, place: Place<'_>) -> Option<Line> {
        reason(&self.metrics.partial_incomplete, "line_bytes").inc();
        let pending = waiting.lines.get_mut(place.line)?;
        waiting.bytes -= std::mem::take(&mut pending.bytes);
        pending.has_gap |= !pending.reaches(place.ordinal);
        pending.emitted = place.ordinal;
        pending.take_line(true)
    }

    fn emit_oldest(&self, waiting: &mut Waiting) -> Option<Line> {
        reason(&self.metrics.partial_incomplete, "memory").inc();
        let name = waiting.order.first_key_value().map(|(_, name)| Arc::clone(name))?;
        self.finish(waiting, &name, true)
    }

    /// The lines of which no part has come for `timeout`, as whole as they are.
    pub fn expire(&self) -> Vec<Line> {
        let mut waiting = self.lock();
        let is_late = |pending: &Pending| pending.touched.elapsed() >= self.options.timeout;
        let late = waiting.lines.iter().filter(|(_, pending)| is_late(pending));
        let names: Vec<Arc<[u8]>> = late.map(|(name, _)| Arc::clone(name)).collect();
        let lines = names.iter().filter_map(|name| self.finish(&mut waiting, name, true)).collect::<Vec<_>>();
        reason(&self.metrics.partial_incomplete, "timeout").inc_by(lines.len() as u64);
        self.metrics.partial_lines.set(i64::try_from(waiting.lines.len()).unwrap_or(i64::MAX));
        lines
    }

    /// Hands every part that is not on disk yet to `keep`, so that the next start can go on with its line.
    pub fn keep_all(&self, mut keep: impl FnMut(&[u8])) {
        let mut waiting = self.lock();
        for pending in waiting.lines.drain().map(|(_, pending)| pending) {
            pending.parts.values().filter(|part| part.ids.is_empty()).for_each(|part| keep(&part.bytes));
        }
        waiting.order.clear();
        waiting.bytes = 0;
    }

    /// Takes a part back that an earlier run kept.
    pub fn recover(&self, bytes: &[u8], id: PartId) -> Vec<Line> {
        match Part::from_bytes(bytes) {
            Ok(part) => {
                let mut lines = self.add(&part, |_| Some(id));
                // The part that makes a line whole is not asked for its place on disk, but it has one.
                lines.iter_mut().filter(|line| !line.kept.contains(&id)).for_each(|line| line.kept.push(id));
                lines
            }
            Err(_) => Vec::new(),
        }
    }

    /// Learns from a part that an earlier run kept and whose line has left since.
    pub fn recover_settled(&self, bytes: &[u8]) {
        let mut fields = Fields::default();
        let Ok(part) = Part::from_bytes(bytes) else { return };
        if read_record(part.record, &mut fields).is_ok()
            && let Some(place) = Place::of(&fields)
        {
            self.lock().done.left_before(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds this lock can leave it half-changed, so a panic elsewhere does not matter.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
