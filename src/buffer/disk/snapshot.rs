//! A buffer's directory, or one segment alone, as it lies there: read for people and for transfers, never written to.
//!
//! A daemon may work on the directory meanwhile: segments only grow, so that what is read is true; what is appended
//! later is not seen, and a segment that goes away before its turn is passed over, since all of it is settled.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::header::{HeaderFault, SEGMENT_HEADER, SegmentHeader, salvaged};
use super::index::Index;
use super::record::{Body, Codec, Damage, Head};
use super::scan::{Scan, Step};
use super::wound::{Cause, Wound};
use super::{Files, OpenError, Place, marks};

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
        let lock = self.files.as_ref().and_then(|files| File::open(files.lock()).ok());
        lock.is_some_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
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
        let path = segment.path.as_path();
        let wound =
            |path: &Path, from, to, cause| Found::Wound(Wound { path: path.to_owned(), from, to, cause });
        let (mut is_sound, mut index) = (true, Index::default());
        let header = match read_header(&file, bytes)? {
            Ok(header) => header,
            Err(Cause::Torn) if self.is_being_written(segment) => return Ok(ControlFlow::Continue(())),
            Err(Cause::Header) => match salvaged(&file, bytes)? {
                None => return Ok(visit(wound(path, 0, bytes, Cause::NoSegment))),
                Some(header) => {
                    is_sound = false;
                    if visit(wound(path, 0, SEGMENT_HEADER as u64, Cause::Header)).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    header
                }
            },
            Err(cause) => return Ok(visit(wound(path, 0, bytes, cause))),
        };
        let SegmentHeader { created, first, .. } = header;
        let opened = Opened { number: segment.number, path, bytes, created, first };
        if visit(Found::Segment(opened)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let mut unpacked = Vec::new();
        let mut scan = Scan::new(&file, SEGMENT_HEADER as u64, bytes);
        loop {
            let found = match scan.step()? {
                Step::Record { from, head, body } => {
                    let place = Place { segment: segment.number, from, to: from + u64::from(head.length) };
                    let settled = marks.settled.binary_search(&head.sequence).is_ok();
                    index.add(place, &head, &body);
                    match plain(&head, body, &mut unpacked) {
                        Ok(body) => Found::Record(Stored { place, head, body, settled }),
                        Err(damage) => wound(path, from, place.to, Cause::Record(damage)),
                    }
                }
                Step::Damaged { from, to, damage } => wound(path, from, to, Cause::Record(damage)),
                Step::Lost { from, damage } => wound(path, from, bytes, Cause::Rest(damage)),
                Step::Torn { .. } if self.is_being_written(segment) => break,
                Step::Torn { from } => wound(path, from, bytes, Cause::Torn),
                Step::End => break,
            };
            is_sound &= !matches!(found, Found::Wound(_));
            if visit(found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if is_sound && self.is_wrong(segment, &index, header, bytes) {
            let path = segment.index.as_deref().unwrap_or(path);
            let to = path.metadata().map_or(0, |metadata| metadata.len());
            if visit(wound(path, 0, to, Cause::Index)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let of_marks = segment.marks.as_deref().unwrap_or(path);
        let mut damaged = marks.damaged;
        if marks.is_torn && self.is_in_use() {
            // why: the daemon is writing there.
            damaged.pop();
        }
        let mut damaged = damaged.into_iter();
        Ok(damaged.try_for_each(|range| visit(wound(of_marks, range.start, range.end, Cause::Marks))))
    }

    /// Whether the segment has an index that does not tell `found`. One of a daemon that runs may be half written.
    fn is_wrong(&self, segment: &Segment, found: &Index, header: SegmentHeader, length: u64) -> bool {
        let path = segment.index.as_deref().filter(|path| path.exists());
        path.is_some_and(|path| {
            Index::read(path, segment.number, header, length).as_ref() != Some(found) && !self.is_in_use()
        })
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
