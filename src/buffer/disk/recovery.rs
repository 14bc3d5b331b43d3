//! What a start makes of the segments that it finds: the table in the module above, case by case.
//!
//! What an index tells is not read again; the rest is streamed, one record at a time. Besides, memory grows with the number of gaps between unsettled records and with
//! the marks of one segment, not with the documents.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::path::Path;

use super::files::{next_number, remove_if_there};
use super::header::{HeaderFault, PACKED, SEGMENT_HEADER, SegmentHeader, salvaged};
use super::index::Index;
use super::marks::ANEW;
use super::record::{Body, Damage, Head, Kind};
use super::run::{self, Run};
use super::scan::{Scan, Step};
use super::store::Segment;
use super::{Files, OpenError, Place, marks, quarantine};
use crate::metrics::{Metrics, reason};

/// What a start found.
#[derive(Default)]
pub(crate) struct Recovered {
    /// Unsettled batches, by sequence.
    pub(crate) runs: Vec<Run>,
    /// Documents of damaged batches with sound heads that no start has told of before; others cannot be counted.
    pub(crate) damaged: u64,
    /// Unsettled parts with their bytes, by id.
    pub(crate) parts: Vec<(u64, Vec<u8>)>,
    /// Settled ones, the latest [`SETTLED_PARTS`] of them.
    pub(crate) settled_parts: VecDeque<(u64, Vec<u8>)>,
    pub(crate) segments: BTreeMap<u64, Segment>,
    /// When each of them was created, milliseconds since 1970.
    pub(crate) created: HashMap<u64, u64>,
    /// Which segment each of `parts` is in.
    pub(crate) part_segments: HashMap<u64, u64>,
    pub(crate) next_sequence: u64,
    pub(crate) next_segment: u64,
}

/// Settled parts that are told of: those whose senders may not have got their acks are the latest ones.
const SETTLED_PARTS: usize = 256;

/// Reads every segment, mends what can be mended, deletes what is settled.
pub(crate) fn recover(files: &Files, metrics: &Metrics) -> Result<Recovered, OpenError> {
    let ids = files.numbers("seg").map_err(OpenError::io("list", files.segments()))?;
    let mut walk = Walk {
        files,
        metrics,
        found: Recovered::default(),
        parts: BTreeMap::new(),
        superseded: HashSet::new(),
    };
    walk.found.next_segment = next_number(&ids);
    walk.found.next_sequence = 1;
    for id in &ids {
        walk.segment(*id)?;
    }
    walk.remove_orphans(&ids)?;
    walk.settle_parts()?;
    walk.remove_settled()?;
    walk.found.runs.sort_by_key(|run| run.first);
    Ok(walk.found)
}

struct Walk<'a> {
    files: &'a Files,
    metrics: &'a Metrics,
    found: Recovered,
    parts: BTreeMap<u64, Place>,
    superseded: HashSet<u64>,
}

impl Walk<'_> {
    fn segment(&mut self, id: u64) -> Result<(), OpenError> {
        let path = self.files.segment(id);
        let file = File::open(&path).map_err(OpenError::io("open", &path))?;
        let length = file.metadata().map_err(OpenError::io("read", &path))?.len();
        let Some(header) = self.header(id, &file, length)? else { return Ok(()) };
        self.found.next_sequence = self.found.next_sequence.max(header.first);
        let settled =
            marks::read(&self.files.marks(id)).map_err(OpenError::io("read", self.files.marks(id)))?;
        self.found.segments.insert(id, Segment::found(0, length));
        self.found.created.insert(id, header.created);
        if settled.is_empty()
            && let Some(index) = Index::read(&self.files.index(id), id, header, length)
        {
            self.indexed(id, index);
            return Ok(());
        }
        self.scan(id, &file, length, &settled)
    }

    /// Takes an index's word for a segment of which nothing is settled.
    fn indexed(&mut self, id: u64, index: Index) {
        let Index { highest, runs, parts, superseded } = index;
        self.found.next_sequence = self.found.next_sequence.max(highest.saturating_add(1));
        if let Some(segment) = self.found.segments.get_mut(&id) {
            segment.live = runs.iter().map(Run::records).sum::<u64>() + parts.len() as u64;
        }
        self.superseded.extend(superseded);
        self.parts.extend(parts);
        self.found.runs.extend(runs);
    }

    fn scan(&mut self, id: u64, file: &File, length: u64, settled: &[u64]) -> Result<(), OpenError> {
        let path = self.files.segment(id);
        let mut scan = Scan::new(file, SEGMENT_HEADER as u64, length);
        loop {
            match scan.step().map_err(OpenError::io("read", &path))? {
                Step::Record { from, head, body } => {
                    let place = Place { segment: id, from, to: from + u64::from(head.length) };
                    self.record(place, &head, &body, settled);
                }
                Step::Damaged { from, to, damage, head } => {
                    if self.set_aside(id, from, to, damage)? {
                        self.damaged(head, settled);
                    }
                }
                Step::Lost { from, damage } => {
                    self.set_aside(id, from, length, damage)?;
                    self.cut(id, from)?;
                }
                Step::Torn { from } => self.torn(id, from, length)?,
                Step::End => return Ok(()),
            }
        }
    }

    /// The header, or none if the file was put out of the way.
    fn header(&self, id: u64, file: &File, length: u64) -> Result<Option<SegmentHeader>, OpenError> {
        let path = self.files.segment(id);
        if length < SEGMENT_HEADER as u64 {
            self.skipped("torn", &path, 0, length);
            self.files.remove(id).map_err(OpenError::io("remove", &path))?;
            return Ok(None);
        }
        let mut bytes = [0; SEGMENT_HEADER];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0)
            .map_err(OpenError::io("read", &path))?;
        match SegmentHeader::parse(&bytes) {
            Ok(header) => Ok(Some(header)),
            Err(HeaderFault::Version(found)) => Err(OpenError::Version { path, found, known: PACKED }),
            Err(HeaderFault::Damaged) => {
                match salvaged(file, length, Some(&self.files.index(id)))
                    .map_err(OpenError::io("read", &path))?
                {
                    Some(header) => self.mend_header(id, header).map(Some),
                    None => {
                        self.lost("header", &path, 0, length);
                        self.files.withdraw(id, length).map_err(OpenError::io("quarantine", &path))?;
                        Ok(None)
                    }
                }
            }
        }
    }

    fn mend_header(&self, id: u64, header: SegmentHeader) -> Result<SegmentHeader, OpenError> {
        let path = self.files.segment(id);
        let length = SEGMENT_HEADER as u64;
        quarantine::copy(self.files, id, 0, length).map_err(OpenError::io("quarantine", &path))?;
        self.skipped("header", &path, 0, length);
        let mended = File::options().write(true).open(&path).and_then(|file| {
            std::os::unix::fs::FileExt::write_all_at(&file, &header.encode(), 0)?;
            file.sync_all()
        });
        mended.map_err(OpenError::io("mend", &path))?;
        Ok(header)
    }

    fn record(&mut self, place: Place, head: &Head, body: &Body<'_>, settled: &[u64]) {
        self.found.next_sequence = self.found.next_sequence.max(head.sequence.saturating_add(1));
        self.superseded.extend(&body.parts);
        if settled.binary_search(&head.sequence).is_ok() {
            if head.kind == Kind::Part {
                self.settled_part(head.sequence, body.payload.to_vec());
            }
            return;
        }
        if let Some(segment) = self.found.segments.get_mut(&place.segment) {
            segment.live += 1;
        }
        match head.kind {
            Kind::Part => drop(self.parts.insert(head.sequence, place)),
            Kind::Batch => {
                let run = Run::of(place, head.sequence, u64::from(head.documents));
                run::push(&mut self.found.runs, run);
            }
        }
    }

    fn settled_part(&mut self, id: u64, bytes: Vec<u8>) {
        self.found.settled_parts.push_back((id, bytes));
        if self.found.settled_parts.len() > SETTLED_PARTS {
            self.found.settled_parts.pop_front();
        }
    }

    fn damaged(&mut self, head: Option<Head>, settled: &[u64]) {
        let lost = head.filter(|head| settled.binary_search(&head.sequence).is_err());
        self.found.damaged += lost.map_or(0, |head| u64::from(head.documents));
    }

    /// False if it is in quarantine already.
    fn set_aside(&self, id: u64, from: u64, to: u64, damage: Damage) -> Result<bool, OpenError> {
        let path = self.files.segment(id);
        let word = match damage {
            Damage::Checksum => "checksum",
            Damage::Malformed => "malformed",
        };
        let is_new =
            quarantine::copy(self.files, id, from, to).map_err(OpenError::io("quarantine", &path))?;
        if is_new {
            self.lost(word, &path, from, to);
        }
        Ok(is_new)
    }

    fn torn(&mut self, id: u64, from: u64, length: u64) -> Result<(), OpenError> {
        self.skipped("torn", &self.files.segment(id), from, length);
        self.cut(id, from)
    }

    fn cut(&mut self, id: u64, length: u64) -> Result<(), OpenError> {
        let path = self.files.segment(id);
        let cut = File::options().write(true).open(&path).and_then(|file| {
            file.set_len(length)?;
            file.sync_all()
        });
        cut.map_err(OpenError::io("cut", &path))?;
        if let Some(segment) = self.found.segments.get_mut(&id) {
            segment.bytes = length;
        }
        Ok(())
    }

    fn lost(&self, word: &'static str, path: &Path, from: u64, to: u64) {
        reason(&self.metrics.recovery_skipped, word).inc();
        tracing::error!(
            file = %path.display(), from, to, reason = word,
            "a segment is damaged; these bytes are in quarantine, what was in them is lost"
        );
    }

    /// Nobody was told that what is passed over is safe, or it was made good.
    fn skipped(&self, word: &'static str, path: &Path, from: u64, to: u64) {
        reason(&self.metrics.recovery_skipped, word).inc();
        tracing::warn!(file = %path.display(), from, to, reason = word, "skipped bytes of a segment");
    }

    fn remove_orphans(&self, ids: &[u64]) -> Result<(), OpenError> {
        let list =
            |extension| self.files.numbers(extension).map_err(OpenError::io("list", self.files.segments()));
        let is_orphan = |id: &u64| ids.binary_search(id).is_err();
        let marks = list("done")?.into_iter().filter(is_orphan).map(|id| self.files.marks(id));
        let indexes = list("idx")?.into_iter().filter(is_orphan).map(|id| self.files.index(id));
        let unfinished = list(ANEW)?.into_iter().map(|id| self.files.marks(id).with_extension(ANEW));
        for path in marks.chain(indexes).chain(unfinished) {
            remove_if_there(&path).map_err(OpenError::io("remove", &path))?;
        }
        self.files.clear_staging().map_err(OpenError::io("remove", self.files.staging().dir()))
    }

    /// Settles superseded parts; reads the others.
    fn settle_parts(&mut self) -> Result<(), OpenError> {
        let parts = std::mem::take(&mut self.parts);
        let (done, waiting): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|(id, _)| self.superseded.contains(id));
        for (id, place) in waiting {
            if let Some(bytes) = self.read_part(place)? {
                self.found.part_segments.insert(id, place.segment);
                self.found.parts.push((id, bytes));
            }
        }
        // why: only the latest are told of; a start does not read thousands to let go of them.
        for (id, place) in done.iter().skip(done.len().saturating_sub(SETTLED_PARTS)) {
            if let Some(bytes) = self.read_part(*place)? {
                self.settled_part(*id, bytes);
            }
        }
        let mut settled: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        done.into_iter().for_each(|(id, place)| settled.entry(place.segment).or_default().push(id));
        settled.into_iter().try_for_each(|(segment, ids)| self.mark_parts(segment, &ids))
    }

    fn read_part(&self, place: Place) -> Result<Option<Vec<u8>>, OpenError> {
        let path = self.files.segment(place.segment);
        read_part(&path, place).map_err(OpenError::io("read", path))
    }

    fn mark_parts(&mut self, id: u64, parts: &[u64]) -> Result<(), OpenError> {
        let path = self.files.marks(id);
        let mark = marks::Marks::open(&path).and_then(|mut marks| {
            marks.append(parts)?;
            marks.sync(&self.files.segments())
        });
        mark.map_err(OpenError::io("mark", &path))?;
        if let Some(segment) = self.found.segments.get_mut(&id) {
            segment.live = segment.live.saturating_sub(parts.len() as u64);
        }
        Ok(())
    }

    fn remove_settled(&mut self) -> Result<(), OpenError> {
        for (id, _) in self.found.segments.extract_if(.., |_, segment| segment.live == 0) {
            let path = self.files.segment(id);
            self.files.remove(id).map_err(OpenError::io("remove", &path))?;
        }
        Ok(())
    }
}

fn read_part(path: &Path, place: Place) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    match Scan::new(&file, place.from, place.to).step()? {
        Step::Record { body, .. } => Ok(Some(body.payload.to_vec())),
        _ => Ok(None),
    }
}
