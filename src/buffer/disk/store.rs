//! The segments as the writer thread has them: appends to the active one, marks what is settled, deletes what is done.
//!
//! Invariants: only confirmed records count as live; a segment is deleted only when it has no live record and is
//! not active; a segment that a write or sync failed on is never written to again.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::active::Active;
use super::header::{PACKED, PLAIN, SEGMENT_HEADER};
use super::marks::Marks;
use super::record::NewRecord;
use super::{DiskError, Files, Place, Recovered, Space};
use crate::log::RateLimited;

static UNSYNCED: RateLimited = RateLimited::every(Duration::from_secs(10));
static UNMARKED: RateLimited = RateLimited::every(Duration::from_secs(10));
static UNDELETED: RateLimited = RateLimited::every(Duration::from_secs(10));

/// A segment with records that are not settled.
#[derive(Default)]
pub(crate) struct Segment {
    /// Records confirmed and not settled.
    pub(crate) live: u64,
    /// Bytes of the segment on disk, the active one's apart.
    pub(crate) bytes: u64,
    marks: Option<Marks>,
    /// Settled records of which a mark could not be written yet.
    unmarked: Vec<u64>,
    /// Whether a sync of the marks has failed. They are written anew then, since another sync of the same file would tell
    /// of what is left to be written, and not of what is gone.
    doubtful: bool,
}

impl Segment {
    pub(super) fn found(live: u64, bytes: u64) -> Self {
        Self { live, bytes, ..Self::default() }
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
    /// Parts of which a mark is not synced, by segment.
    unsynced: BTreeMap<u64, Vec<u64>>,
    /// Segments without a live record that could not be deleted yet, and their bytes.
    undeleted: BTreeMap<u64, u64>,
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
            unsynced: BTreeMap::new(),
            undeleted: BTreeMap::new(),
        }
    }

    /// Bytes of all segments on disk.
    pub(crate) fn bytes(&self) -> u64 {
        let active = self.active.as_ref().map_or(0, Active::length);
        let sound = self.segments.values().map(|segment| segment.bytes).sum::<u64>();
        sound + active + self.undeleted.values().sum::<u64>()
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
    pub(crate) fn lift_budget(&mut self, by: u64) {
        self.space.lift_budget(by);
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
    /// None while deleting fails: giving up more would make no room.
    pub(crate) fn oldest(&self) -> Vec<u64> {
        if !self.undeleted.is_empty() {
            return Vec::new();
        }
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
        segment.unmarked.extend_from_slice(sequences);
        segment.mark(&self.files, id);
    }

    /// Looks after what can wait: marks and deletions that failed, and syncs. Gives up at the first that fails again.
    pub(crate) fn tend(&mut self) {
        let mut unmarked = self.segments.iter_mut().filter(|(_, segment)| !segment.unmarked.is_empty());
        unmarked.all(|(id, segment)| segment.mark(&self.files, *id));
        self.sync_marks();
        while let Some((id, bytes)) = self.undeleted.pop_first() {
            if !self.remove(id, bytes) {
                return;
            }
        }
    }

    /// Settles a part; false if it is not on disk.
    pub(crate) fn settle_part(&mut self, part: u64) -> bool {
        let Some(segment) = self.parts.remove(&part) else { return false };
        self.settle(segment, &[part]);
        self.unsynced.entry(segment).or_default().push(part);
        true
    }

    /// Syncs the marks that parts depend on; what fails is tried again with the next.
    fn sync_marks(&mut self) {
        let (files, segments) = (&self.files, &mut self.segments);
        self.unsynced.retain(|id, parts| match segments.get_mut(id) {
            Some(segment) => !segment.sync(files, *id, parts),
            None => false,
        });
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
        // why: and if that fails, all the same: on a full disk it is deleting that makes room for marks.
        self.sync_marks();
        for id in done {
            self.delete(id);
        }
    }

    fn delete(&mut self, id: u64) {
        let active = self.active.take_if(|active| active.id() == id).map(|active| active.length());
        let closed = self.segments.remove(&id).map(|segment| segment.bytes);
        self.remove(id, active.or(closed).unwrap_or_default());
    }

    /// False if it has to be tried again.
    fn remove(&mut self, id: u64, bytes: u64) -> bool {
        let Err(fault) = self.files.remove(id) else { return true };
        self.undeleted.insert(id, bytes);
        if UNDELETED.admit().is_some() {
            let path = self.files.segment(id);
            tracing::warn!(file = %path.display(), %fault, "cannot delete a segment that is delivered; trying again");
        }
        false
    }
}

impl Segment {
    /// Makes the marks durable, those of `parts` among them; false if that has to be tried again, or if marks have to be
    /// written first.
    fn sync(&mut self, files: &Files, id: u64, parts: &[u64]) -> bool {
        if !self.unmarked.is_empty() {
            return false;
        }
        let Err(fault) = self.try_sync(files, id, parts) else { return true };
        (self.doubtful, self.marks) = (true, None);
        if UNSYNCED.admit().is_some() {
            let path = files.marks(id);
            tracing::warn!(
                file = %path.display(), %fault,
                "cannot sync marks; after a power cut a joined line may come in parts again; trying again"
            );
        }
        false
    }

    fn try_sync(&mut self, files: &Files, id: u64, parts: &[u64]) -> io::Result<()> {
        let dir = files.segments();
        if self.doubtful {
            self.marks = Some(Marks::anew(&files.marks(id), parts, &dir)?);
            self.doubtful = false;
        }
        self.marks.as_mut().map_or(Ok(()), |marks| marks.sync(&dir))
    }

    /// Writes the marks that are due; false if they have to be tried again.
    fn mark(&mut self, files: &Files, id: u64) -> bool {
        let Err(fault) = self.try_mark(&files.marks(id)) else { return true };
        // why: part of a mark may be there, and is cut off when the file is opened anew.
        self.marks = None;
        if UNMARKED.admit().is_some() {
            let path = files.marks(id);
            tracing::warn!(file = %path.display(), %fault, "cannot mark documents as delivered; trying again");
        }
        false
    }

    fn try_mark(&mut self, path: &Path) -> io::Result<()> {
        let marks = match &mut self.marks {
            Some(marks) => marks,
            none => none.insert(Marks::open(path)?),
        };
        marks.append(&self.unmarked)?;
        self.unmarked.clear();
        Ok(())
    }
}
