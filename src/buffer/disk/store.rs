//! The segments as the writer thread has them: appends to the active one, marks what is settled, deletes what is done.
//!
//! Invariants: only confirmed records count as live; a segment is deleted only when it has no live record and is
//! not active; a segment that a write or sync failed on is never written to again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use super::active::Active;
use super::header::{PACKED, PLAIN, SEGMENT_HEADER};
use super::marks::Marks;
use super::record::NewRecord;
use super::{DiskError, Files, Place, Recovered, Space};

/// A segment with records that are not settled.
#[derive(Default)]
pub(crate) struct Segment {
    /// Records confirmed and not settled.
    pub(crate) live: u64,
    /// Bytes of the segment on disk, the active one's apart.
    pub(crate) bytes: u64,
    marks: Option<Marks>,
}

impl Segment {
    pub(super) fn found(live: u64, bytes: u64) -> Self {
        Self { live, bytes, marks: None }
    }
}

/// All segments of one buffer.
pub(crate) struct Store {
    files: Files,
    space: Space,
    segment_bytes: u64,
    /// Of the segments to come.
    version: u32,
    segments: BTreeMap<u64, Segment>,
    active: Option<Active>,
    next_segment: u64,
    /// Kept parts that are not settled, and their segments.
    parts: HashMap<u64, u64>,
    /// Segments whose marks tell of parts and are not synced.
    unsynced: BTreeSet<u64>,
}

impl Store {
    /// The segments that a start found; none is written to again. Those to come may hold packed payloads if `packed`.
    pub(crate) fn new(
        files: Files,
        space: Space,
        segment_bytes: u64,
        packed: bool,
        found: Recovered,
    ) -> Self {
        Self {
            files,
            space,
            segment_bytes,
            version: if packed { PACKED } else { PLAIN },
            segments: found.segments,
            active: None,
            next_segment: found.next_segment,
            parts: found.part_segments,
            unsynced: BTreeSet::new(),
        }
    }

    /// Bytes of all segments on disk.
    pub(crate) fn bytes(&self) -> u64 {
        let active = self.active.as_ref().map_or(0, Active::length);
        self.segments.values().map(|segment| segment.bytes).sum::<u64>() + active
    }

    /// Sees to an active segment with room for a group; `next_sequence` goes into the header of a new one.
    pub(crate) fn begin(&mut self, next_sequence: u64) -> Result<(), DiskError> {
        self.space.look()?;
        if self.is_full() {
            self.close();
        }
        if self.active.is_none() {
            let id = self.next_segment;
            self.space.admit(self.bytes(), SEGMENT_HEADER as u64)?;
            self.active = Some(Active::create(&self.files, id, self.version, next_sequence)?);
            self.segments.insert(id, Segment::default());
            self.next_segment += 1;
        }
        Ok(())
    }

    /// Whether the active segment has reached its size; a group may overshoot it by one record.
    pub(crate) fn is_full(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.length() >= self.segment_bytes)
    }

    /// See [`Space::lift_budget`].
    pub(crate) fn lift_budget(&mut self) {
        self.space.lift_budget();
    }

    /// Whether the budgets allow for one more record.
    pub(crate) fn admit(&mut self, record: &NewRecord<'_>) -> Result<(), DiskError> {
        self.space.admit(self.bytes(), record.length() as u64)
    }

    /// Appends to the active segment; nothing counts before [`Store::commit`].
    pub(crate) fn append(&mut self, record: &NewRecord<'_>) -> Result<Place, DiskError> {
        let Some(active) = &mut self.active else {
            let path = self.files.segment(self.next_segment);
            return Err(DiskError::io("append to", path)(io::ErrorKind::NotFound.into()));
        };
        active.append(record)
    }

    /// Makes all that was appended durable.
    pub(crate) fn commit(&mut self) -> Result<(), DiskError> {
        self.active.as_mut().map_or(Ok(()), Active::commit)
    }

    /// Takes a committed record into the books.
    pub(crate) fn confirm(&mut self, place: Place) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.live += 1;
        }
    }

    /// Remembers where a part is kept.
    pub(crate) fn keep_part(&mut self, id: u64, place: Place) {
        self.parts.insert(id, place.segment);
    }

    /// After a fault: cuts the active segment back to what is committed and never touches it again.
    pub(crate) fn abandon(&mut self) {
        if let Some(active) = &mut self.active {
            active.cut_back();
        }
        self.retire();
    }

    /// The active segment, all of which is committed, takes no more.
    pub(crate) fn close(&mut self) {
        if let Some(active) = &self.active {
            active.close(&self.files);
        }
        self.retire();
    }

    /// The segments that could make room, oldest first: all but those that hold a part of a line that is not whole yet.
    pub(crate) fn oldest(&self) -> Vec<u64> {
        let holds_part = |id: &u64| self.parts.values().any(|segment| segment == id);
        self.segments.keys().copied().filter(|id| !holds_part(id)).collect()
    }

    /// Deletes a segment, delivered or not.
    pub(crate) fn discard(&mut self, id: u64) {
        self.sync_marks();
        self.delete(id);
    }

    /// Moves a segment that cannot be read out of the way, where people find it.
    pub(crate) fn withdraw(&mut self, id: u64) {
        if self.active.as_ref().is_some_and(|active| active.id() == id) {
            self.retire();
        }
        let Some(segment) = self.segments.get(&id) else { return };
        match self.files.withdraw(id, segment.bytes) {
            Ok(()) => drop(self.segments.remove(&id)),
            Err(fault) => {
                let path = self.files.segment(id);
                tracing::error!(file = %path.display(), %fault, "cannot move a segment to quarantine; the next start tries it again");
            }
        }
    }

    fn retire(&mut self) {
        if let Some(active) = self.active.take()
            && let Some(segment) = self.segments.get_mut(&active.id())
        {
            segment.bytes = active.length();
        }
    }

    /// Settles records of one segment.
    pub(crate) fn settle(&mut self, id: u64, sequences: &[u64]) {
        let Some(segment) = self.segments.get_mut(&id) else { return };
        segment.live = segment.live.saturating_sub(sequences.len() as u64);
        // why: a segment that goes away needs no marks; the sweep follows at once.
        let goes = segment.live == 0 && self.active.as_ref().is_none_or(|active| active.id() != id);
        if goes {
            return;
        }
        if let Err(fault) = segment.mark(&self.files, id, sequences) {
            let path = self.files.marks(id);
            tracing::warn!(file = %path.display(), %fault, "cannot mark documents as delivered; after a crash they go out again");
        }
    }

    /// Settles a part; false if it is not on disk.
    pub(crate) fn settle_part(&mut self, part: u64) -> bool {
        let Some(segment) = self.parts.remove(&part) else { return false };
        self.settle(segment, &[part]);
        self.unsynced.insert(segment);
        true
    }

    /// Syncs the marks that parts depend on.
    pub(crate) fn sync_marks(&mut self) {
        for id in std::mem::take(&mut self.unsynced) {
            let marks = self.segments.get(&id).and_then(|segment| segment.marks.as_ref());
            if let Some(Err(fault)) = marks.map(Marks::sync) {
                tracing::warn!(segment = id, %fault, "cannot sync marks; after a power cut a joined line may come in parts again");
            }
        }
    }

    /// Deletes every segment without a live record; the active one too if `idle`.
    pub(crate) fn sweep(&mut self, idle: bool) {
        let active = self.active.as_ref().map(Active::id);
        let done =
            self.segments.iter().filter(|(id, segment)| segment.live == 0 && (Some(**id) != active || idle));
        let done: Vec<u64> = done.map(|(id, _)| *id).collect();
        if done.is_empty() {
            return;
        }
        self.sync_marks();
        for id in done {
            self.delete(id);
        }
    }

    fn delete(&mut self, id: u64) {
        if self.active.as_ref().is_some_and(|active| active.id() == id) {
            self.active = None;
        }
        self.segments.remove(&id);
        if let Err(fault) = self.files.remove(id) {
            let path = self.files.segment(id);
            tracing::warn!(file = %path.display(), %fault, "cannot delete a segment that is delivered");
        }
    }
}

impl Segment {
    fn mark(&mut self, files: &Files, id: u64, sequences: &[u64]) -> io::Result<()> {
        let marks = match &mut self.marks {
            Some(marks) => marks,
            none => none.insert(Marks::open(&files.marks(id))?),
        };
        marks.append(sequences)
    }
}
