//! Docker cuts a line over 16 KiB into parts; here they are joined again, by the name that the engine gives the line.
//!
//! Invariants: parts wait in at most `memory` bytes, the line that has waited longest leaves first; a line is emitted once, whole,
//! or marked when a part did not come within `timeout`, or when it is longer than `line_bytes`. Parts of stdout and stderr
//! have different names, so they never mix. A part whose sender wants an ack is kept on disk before it is acked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::PartialOptions;
use super::part::{Line, Part, Place};
use crate::buffer::PartId;
use crate::decode::read_record;
use crate::event::Fields;
use crate::metrics::{Metrics, reason};

/// What waits for the rest, of every connection: a container that reconnects goes on with its line.
pub struct Joiner {
    options: PartialOptions,
    metrics: Arc<Metrics>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: HashMap<Vec<u8>, Pending>,
    bytes: usize,
}

struct Pending {
    /// By ordinal.
    parts: BTreeMap<u32, Kept>,
    bytes: usize,
    /// The ordinal of the last part, once it has come.
    last: Option<u32>,
    /// The ordinal before the first one that is still wanted: more than 0 after an over-long line was begun.
    emitted: u32,
    touched: Instant,
}

struct Kept {
    bytes: Vec<u8>,
    id: Option<PartId>,
}

impl Pending {
    fn is_whole(&self) -> bool {
        self.last.is_some_and(|last| self.parts.len() == last.saturating_sub(self.emitted) as usize)
    }

    /// What has come, as a line; the pending one is empty after it.
    fn take_line(&mut self, incomplete: bool) -> Option<Line> {
        let parts = std::mem::take(&mut self.parts);
        let mut line = Line::join(parts.values().map(|part| part.bytes.as_slice()), incomplete)?;
        line.kept = parts.values().filter_map(|part| part.id).collect();
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
        let pending = waiting.lines.entry(place.line.to_vec()).or_insert_with(|| Pending {
            parts: BTreeMap::new(),
            bytes: 0,
            last: None,
            emitted: 0,
            touched: Instant::now(),
        });
        pending.touched = Instant::now();
        if place.last {
            pending.last = Some(place.ordinal);
        }
        let length = bytes.len();
        let before = pending.parts.insert(place.ordinal, Kept { bytes, id: None });
        let replaced = before.as_ref().map_or(0, |part| part.bytes.len());
        pending.bytes = pending.bytes + length - replaced;
        waiting.bytes = waiting.bytes + length - replaced;
        if pending.is_whole() {
            let emitted = pending.emitted > 0;
            return self.finish(waiting, place.line, emitted);
        }
        if pending.bytes > self.options.line_bytes.as_usize() {
            return self.emit_beginning(waiting, place);
        }
        if let Some(part) = pending.parts.get_mut(&place.ordinal) {
            // A part that is sent again is kept already.
            part.id = before.and_then(|part| part.id).or_else(|| keep(&part.bytes));
        }
        None
    }

    fn finish(&self, waiting: &mut Waiting, name: &[u8], incomplete: bool) -> Option<Line> {
        let mut pending = waiting.lines.remove(name)?;
        waiting.bytes -= pending.bytes;
        pending.take_line(incomplete)
    }

    /// An over-long line: what has come goes, marked; what follows is a marked line of its own.
    fn emit_beginning(&self, waiting: &mut Waiting, place: Place<'_>) -> Option<Line> {
        reason(&self.metrics.partial_incomplete, "line_bytes").inc();
        let pending = waiting.lines.get_mut(place.line)?;
        waiting.bytes -= std::mem::take(&mut pending.bytes);
        pending.emitted = place.ordinal;
        pending.take_line(true)
    }

    fn emit_oldest(&self, waiting: &mut Waiting) -> Option<Line> {
        reason(&self.metrics.partial_incomplete, "memory").inc();
        let oldest = waiting.lines.iter().min_by_key(|(_, pending)| pending.touched);
        let name = oldest.map(|(name, _)| name.clone())?;
        self.finish(waiting, &name, true)
    }

    /// The lines of which no part has come for `timeout`, as whole as they are.
    pub fn expire(&self) -> Vec<Line> {
        let mut waiting = self.lock();
        let is_late = |pending: &Pending| pending.touched.elapsed() >= self.options.timeout;
        let late = waiting.lines.iter().filter(|(_, pending)| is_late(pending));
        let names: Vec<Vec<u8>> = late.map(|(name, _)| name.clone()).collect();
        let lines = names.iter().filter_map(|name| self.finish(&mut waiting, name, true)).collect::<Vec<_>>();
        reason(&self.metrics.partial_incomplete, "timeout").inc_by(lines.len() as u64);
        self.metrics.partial_lines.set(i64::try_from(waiting.lines.len()).unwrap_or(i64::MAX));
        lines
    }

    /// Hands every part that is not on disk yet to `keep`, so that the next start can go on with its line.
    pub fn keep_all(&self, mut keep: impl FnMut(&[u8])) {
        let mut waiting = self.lock();
        for pending in waiting.lines.drain().map(|(_, pending)| pending) {
            pending.parts.values().filter(|part| part.id.is_none()).for_each(|part| keep(&part.bytes));
        }
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

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds this lock can leave it half-changed, so a panic elsewhere does not matter.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
