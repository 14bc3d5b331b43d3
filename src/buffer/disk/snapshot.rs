//! A buffer's directory, or one segment alone, as it lies there: read for people and for transfers, never written to.
//!
//! A daemon may work on the directory meanwhile: segments only grow, so that what is read is true; what is appended
//! later is not seen, and a segment that goes away before its turn is passed over, since all of it is settled.

use std::fs::File;
use std::io;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::header::{HeaderFault, SEGMENT_HEADER, SegmentHeader, salvaged};
use super::index::Index;
use super::marks::{self, Look};
use super::record::{Body, Codec, Damage, Head};
use super::scan::{Scan, Step};
use super::wound::{Cause, Wound};
use super::{DirLock, Files, OpenError, Place};

/// What is there to be read.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The directory, or none for a segment alone.
    files: Option<Files>,
    segments: Vec<Segment>,
    orphans: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
struct Segment {
    number: u64,
    path: PathBuf,
    marks: Option<PathBuf>,
    index: Option<PathBuf>,
}

impl Segment {
    fn wound(&self, from: u64, to: u64, cause: Cause) -> Wound {
        Wound { path: self.path.clone(), from, to, cause }
    }
}

/// A header, as it stands or made anew in the place of a damaged one.
struct Headed {
    header: SegmentHeader,
    is_sound: bool,
}

/// A segment that a walk comes to.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    /// Its number; 0 for a segment alone.
    pub(crate) number: u64,
    pub(crate) path: &'a Path,
    /// Its length now.
    pub(crate) bytes: u64,
    /// Milliseconds since 1970.
    pub(crate) created: u64,
    /// No sequence from here on had been given away by then.
    pub(crate) first: u64,
}

/// A sound record that a walk comes to.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) place: Place,
    pub(crate) head: Head,
    /// Its payload without a codec, whatever it is stored with.
    pub(crate) body: Body<'a>,
    /// Whether a mark says so; a part may be obsolete without one.
    pub(crate) settled: bool,
}

/// What a walk meets: of each segment the segment itself, its records and wounds, the wounds of its marks.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Segment(Opened<'a>),
    Record(Stored<'a>),
    Wound(Wound),
}

/// A walk's visitor; breaks to end it.
pub(crate) type Visit<'v> = dyn FnMut(Found<'_>) -> ControlFlow<()> + 'v;

impl Snapshot {
    /// What is at `path`: a segment, a buffer's directory, or a data directory with one in it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let kind = path.metadata().map_err(OpenError::io("open", path))?;
        if kind.is_file() {
            let segment = Segment { number: 0, path: path.to_owned(), marks: None, index: None };
            return Ok(Self { files: None, segments: vec![segment], orphans: Vec::new() });
        }
        let found =
            [path.to_owned(), path.join("buffer")].into_iter().find(|dir| dir.join("segments").is_dir());
        let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no buffer in it");
        let dir = found.ok_or_else(missing).map_err(OpenError::io("read", path))?;
        Self::list(Files::new(&dir)).map_err(OpenError::io("list", dir))
    }

    /// The segment at `path`, with the marks beside it.
    pub(crate) fn of_segment(path: &Path) -> Self {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).unwrap_or_default();
        let marks = Some(path.with_extension("done"));
        let segment = Segment { number, path: path.to_owned(), marks, index: None };
        Self { files: None, segments: vec![segment], orphans: Vec::new() }
    }

    fn list(files: Files) -> io::Result<Self> {
        let numbers = files.numbers("seg")?;
        let orphans = files.numbers("done")?.into_iter().filter(|id| numbers.binary_search(id).is_err());
        let orphans = orphans.map(|id| files.marks(id)).collect();
        let segment = |number| {
            let (marks, index) = (Some(files.marks(number)), Some(files.index(number)));
            Segment { number, path: files.segment(number), marks, index }
        };
        let segments = numbers.into_iter().map(segment).collect();
        Ok(Self { files: Some(files), segments, orphans })
    }

    /// The directory; none for a segment alone.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.files.as_ref().map(Files::dir)
    }

    /// Whether a daemon works on it. Asks the lock for a moment, so only where the answer matters.
    pub(crate) fn is_in_use(&self) -> bool {
        self.files.as_ref().is_some_and(DirLock::is_taken)
    }

    /// Visits all that is there, segment by segment, in the order in which it lies.
    pub(crate) fn walk(&self, visit: &mut Visit<'_>) -> Result<(), OpenError> {
        for segment in &self.segments {
            let walked = match self.walk_segment(segment, visit) {
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
                walked => walked.map_err(OpenError::io("read", &segment.path))?,
            };
            if walked.is_break() {
                return Ok(());
            }
        }
        // why: a daemon removes a segment before its marks, and may begin one while the directory is listed.
        if self.orphans.is_empty() || self.is_in_use() {
            return Ok(());
        }
        for path in self.orphans.iter().filter(|path| path.exists()) {
            let to = path.metadata().map_or(0, |metadata| metadata.len());
            let wound = Wound { path: path.clone(), from: 0, to, cause: Cause::Orphan };
            if visit(Found::Wound(wound)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn walk_segment(&self, segment: &Segment, visit: &mut Visit<'_>) -> io::Result<ControlFlow<()>> {
        // why: the marks first, so that a record which is marked meanwhile is taken for unsettled, not the other way round.
        let marks = segment.marks.as_deref().map(marks::look).transpose()?.unwrap_or_default();
        let file = File::open(&segment.path)?;
        let bytes = file.metadata()?.len();
        let header = match self.header(segment, &file, bytes, visit)? {
            Ok(header) => header,
            Err(flow) => return Ok(flow),
        };
        let SegmentHeader { created, first, .. } = header.header;
        let opened = Opened { number: segment.number, path: &segment.path, bytes, created, first };
        if visit(Found::Segment(opened)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let (found, is_sound) = match self.records(segment, &file, bytes, &marks.settled, visit)? {
            ControlFlow::Continue(records) => records,
            ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
        };
        let is_told = header.is_sound && is_sound;
        let wrong = if is_told { self.wrong_index(segment, &found, header.header, bytes) } else { None };
        let mut wounds = wrong.into_iter().chain(self.damaged_marks(segment, marks));
        Ok(wounds.try_for_each(|wound| visit(Found::Wound(wound))))
    }

    /// The header, or how the walk goes on without it.
    fn header(
        &self,
        segment: &Segment,
        file: &File,
        bytes: u64,
        visit: &mut Visit<'_>,
    ) -> io::Result<Result<Headed, ControlFlow<()>>> {
        let mut wound = |to, cause| visit(Found::Wound(segment.wound(0, to, cause)));
        let cause = match read_header(file, bytes)? {
            Ok(header) => return Ok(Ok(Headed { header, is_sound: true })),
            Err(Cause::Torn) if self.is_being_written(segment) => {
                return Ok(Err(ControlFlow::Continue(())));
            }
            Err(cause) => cause,
        };
        if cause == Cause::Header
            && let Some(header) = salvaged(file, bytes, segment.index.as_deref())?
        {
            return Ok(match wound(SEGMENT_HEADER as u64, cause) {
                ControlFlow::Continue(()) => Ok(Headed { header, is_sound: false }),
                flow => Err(flow),
            });
        }
        Ok(Err(wound(bytes, if cause == Cause::Header { Cause::NoSegment } else { cause })))
    }

    /// Visits the records; what an index would tell of them, and whether all of them are sound.
    fn records(
        &self,
        segment: &Segment,
        file: &File,
        bytes: u64,
        settled: &[u64],
        visit: &mut Visit<'_>,
    ) -> io::Result<ControlFlow<(), (Index, bool)>> {
        let (mut is_sound, mut index, mut unpacked) = (true, Index::default(), Vec::new());
        let mut scan = Scan::new(file, SEGMENT_HEADER as u64, bytes);
        loop {
            let wound = |from, to, cause| Found::Wound(segment.wound(from, to, cause));
            let found = match scan.step()? {
                Step::Record { from, head, body } => {
                    let place = Place { segment: segment.number, from, to: from + u64::from(head.length) };
                    let settled = settled.binary_search(&head.sequence).is_ok();
                    index.add(place, &head, &body);
                    match plain(&head, body, &mut unpacked) {
                        Ok(body) => Found::Record(Stored { place, head, body, settled }),
                        Err(damage) => wound(from, place.to, Cause::Record(damage)),
                    }
                }
                Step::Damaged { from, to, damage, .. } => wound(from, to, Cause::Record(damage)),
                Step::Lost { from, damage } => wound(from, bytes, Cause::Rest(damage)),
                Step::Torn { .. } if self.is_being_written(segment) => break,
                Step::Torn { from } => wound(from, bytes, Cause::Torn),
                Step::End => break,
            };
            is_sound &= !matches!(found, Found::Wound(_));
            if visit(found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue((index, is_sound)))
    }

    fn damaged_marks(&self, segment: &Segment, marks: Look) -> impl Iterator<Item = Wound> {
        let path = segment.marks.clone().unwrap_or_default();
        let mut damaged = marks.damaged;
        if marks.is_torn && self.is_in_use() {
            // why: the daemon is writing there.
            damaged.pop();
        }
        let wound = move |range: Range<u64>| Wound {
            path: path.clone(),
            from: range.start,
            to: range.end,
            cause: Cause::Marks,
        };
        damaged.into_iter().map(wound)
    }

    /// The segment's index, if it has one that does not tell `found`. One of a daemon that runs may be half written.
    fn wrong_index(
        &self,
        segment: &Segment,
        found: &Index,
        header: SegmentHeader,
        length: u64,
    ) -> Option<Wound> {
        let path = segment.index.clone().filter(|path| path.exists())?;
        let told = Index::read(&path, segment.number, header, length);
        let is_wrong = told.as_ref() != Some(found) && !self.is_in_use();
        let to = path.metadata().map_or(0, |metadata| metadata.len());
        is_wrong.then_some(Wound { path, from: 0, to, cause: Cause::Index })
    }

    /// Whether it is the one that a daemon appends to, whose end is never to be believed.
    fn is_being_written(&self, segment: &Segment) -> bool {
        self.segments.last().is_some_and(|last| last.number == segment.number) && self.is_in_use()
    }

    /// Reads one record again; none where its segment has gone since, which says that all of it is settled.
    pub(crate) fn read<T>(
        &self,
        place: Place,
        take: impl FnOnce(&Head, &Body<'_>) -> T,
    ) -> Result<Option<T>, OpenError> {
        let Some(segment) = self.segments.iter().find(|segment| segment.number == place.segment) else {
            return Ok(None);
        };
        let read = || {
            let file = File::open(&segment.path)?;
            match Scan::new(&file, place.from, place.to).step()? {
                Step::Record { head, body, .. } => {
                    plain(&head, body, &mut Vec::new()).map(|body| take(&head, &body)).map_err(|_| changed())
                }
                _ => Err(changed()),
            }
        };
        match read() {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(OpenError::io("read", &segment.path)),
        }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a record has changed while it was read")
}

/// The body with its payload as it was before it was stored.
fn plain<'b>(head: &Head, body: Body<'b>, unpacked: &'b mut Vec<u8>) -> Result<Body<'b>, Damage> {
    if head.codec == Codec::None {
        return Ok(body);
    }
    unpacked.clear();
    body.unpack(head, unpacked)?;
    Ok(Body { payload: unpacked, ..body })
}

fn read_header(file: &File, length: u64) -> io::Result<Result<SegmentHeader, Cause>> {
    if length < SEGMENT_HEADER as u64 {
        return Ok(Err(Cause::Torn));
    }
    let mut bytes = [0; SEGMENT_HEADER];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(SegmentHeader::parse(&bytes).map_err(|fault| match fault {
        HeaderFault::Damaged => Cause::Header,
        HeaderFault::Version(found) => Cause::Version(found),
    }))
}
