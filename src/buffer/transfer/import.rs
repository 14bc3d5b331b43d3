//! Other buffers into this one, which no daemon may work on meanwhile.
//!
//! All of it is written to a folder of its own, synced, and only then put into place, a segment after the other: a fault
//! or a crash before that leaves nothing, a crash within it some of the segments. Either way importing the same again
//! completes it, since a batch that is here already, byte for byte, is not taken a second time.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::ops::ControlFlow;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::cargo::Cargo;
use super::{Moved, TransferError, is_refused};
use crate::buffer::disk::record::{Body, Codec, Head, NewRecord};
use crate::buffer::disk::{DirLock, Files, Found, Packer, Portable, Snapshot, Space, next_number, sync_dir};
use crate::buffer::{BufferOptions, OpenError, SegmentCompression};

/// Takes what waits in `sources`, in their order, into the buffer at `dir`, behind what is there.
pub(crate) fn import(
    dir: &Path,
    options: &BufferOptions,
    sources: &[Snapshot],
) -> Result<Moved, TransferError> {
    sources.iter().try_for_each(|source| check(source, dir))?;
    let files = Files::new(dir);
    files.create().map_err(OpenError::io("create", dir))?;
    let _lock = DirLock::take(&files).map_err(|fault| match fault {
        OpenError::Locked { path } => TransferError::Locked(path),
        fault => fault.into(),
    })?;
    let moved = take_all(files.clone(), options, sources);
    if moved.is_err() {
        // why: what is left would fill a disk that is full already; the fault that is reported is the first one, and the
        // next start removes what stays.
        files.clear_staging().ok();
    }
    moved
}

fn take_all(files: Files, options: &BufferOptions, sources: &[Snapshot]) -> Result<Moved, TransferError> {
    let mut staged = Staged::new(files, options)?;
    let mut moved = Moved::default();
    for source in sources {
        let cargo = Cargo::of(source)?;
        for item in &cargo.items {
            let created = cargo.created(item);
            let taken = source.read(item.place, |head, body| staged.take(head, body, created, &mut moved))?;
            taken.transpose()?;
        }
        moved.wounds.extend(cargo.wounds);
    }
    moved.bytes = staged.finish()?;
    Ok(moved)
}

/// Whether a source can be taken from.
fn check(source: &Snapshot, dir: &Path) -> Result<(), TransferError> {
    let Some(from) = source.dir() else { return Ok(()) };
    let same = from.canonicalize().ok().filter(|from| dir.canonicalize().is_ok_and(|dir| dir == *from));
    if same.is_some() {
        return Err(TransferError::Itself(from.to_owned()));
    }
    if source.is_in_use() {
        return Err(TransferError::InUse(from.to_owned()));
    }
    Ok(())
}

/// What is to be put into place, and what of the buffer has to be known for that.
struct Staged {
    files: Files,
    /// The folder that stands in for the buffer until all is there.
    staging: Files,
    space: Space,
    segment_bytes: u64,
    /// None where payloads stay as they are.
    packer: Option<Packer>,
    /// Whether segments may hold compressed payloads.
    packed: bool,
    /// What batches and parts there are, by the hash of their payload.
    known: HashSet<u128>,
    next_segment: u64,
    next_sequence: u64,
    /// Bytes of the buffer's segments, staged ones among them.
    used: u64,
    segment: Option<Portable<BufWriter<File>>>,
    done: Vec<u64>,
    written: u64,
}

impl Staged {
    fn new(files: Files, options: &BufferOptions) -> Result<Self, TransferError> {
        let staging = files.staging();
        files.clear_staging().map_err(TransferError::write(staging.dir()))?;
        let mut space = Space::new(files.dir(), options.disk.0, options.min_free.0, options.min_free_percent);
        space.look().map_err(TransferError::Full)?;
        let snapshot = Snapshot::open(files.dir())?;
        let mut staged = Self {
            files,
            staging,
            space,
            segment_bytes: options.segment_bytes.0,
            packer: (options.compression == SegmentCompression::Zstd).then(Packer::default),
            packed: options.compression == SegmentCompression::Zstd,
            known: HashSet::new(),
            next_segment: 1,
            next_sequence: 1,
            used: 0,
            segment: None,
            done: Vec::new(),
            written: 0,
        };
        staged.survey(&snapshot)?;
        Ok(staged)
    }

    /// What is here already, as a start would count it.
    fn survey(&mut self, snapshot: &Snapshot) -> Result<(), TransferError> {
        let mut refused = None;
        snapshot.walk(&mut |found| {
            match found {
                Found::Segment(opened) => {
                    self.next_sequence = self.next_sequence.max(opened.first);
                    self.used += opened.bytes;
                }
                Found::Record(stored) => {
                    self.known.insert(xxh3_128(stored.body.payload));
                    self.next_sequence = self.next_sequence.max(stored.head.sequence.saturating_add(1));
                }
                Found::Wound(wound) if is_refused(&wound) => {
                    refused = Some(wound);
                    return ControlFlow::Break(());
                }
                Found::Wound(_) => (),
            }
            ControlFlow::Continue(())
        })?;
        let numbers = self.files.numbers("seg").map_err(OpenError::io("list", self.files.segments()))?;
        self.next_segment = next_number(&numbers);
        refused.map_or(Ok(()), |wound| Err(TransferError::Unusable(wound)))
    }

    /// Takes one record, unless it is known.
    fn take(
        &mut self,
        head: &Head,
        body: &Body<'_>,
        created: u64,
        moved: &mut Moved,
    ) -> Result<(), TransferError> {
        if !self.known.insert(xxh3_128(body.payload)) {
            moved.known += u64::from(head.documents.max(1));
            return Ok(());
        }
        let (ends, tags, payload) = (&body.ends, &body.tags, body.payload);
        let sequence = self.next_sequence;
        // why: the numbers of the parts that it made obsolete are of the other buffer, and those parts stay there.
        let record =
            NewRecord { sequence, kind: head.kind, codec: Codec::None, ends, tags, parts: &[], payload };
        let mut packer = self.packer.take();
        let record = match &mut packer {
            Some(packer) => packer.pack(record),
            None => record,
        };
        let taken = self.put(&record, created);
        self.packer = packer;
        taken?;
        moved.count(head.kind, u64::from(head.documents));
        Ok(())
    }

    /// Appends a record if there is room for it.
    fn put(&mut self, record: &NewRecord<'_>, created: u64) -> Result<(), TransferError> {
        let length = record.length() as u64;
        self.space.admit(self.used, length).map_err(TransferError::Full)?;
        self.append(record, created)?;
        self.used += length;
        self.next_sequence += 1;
        Ok(())
    }

    fn append(&mut self, record: &NewRecord<'_>, created: u64) -> Result<(), TransferError> {
        if self.segment.as_ref().is_some_and(|segment| segment.length() >= self.segment_bytes) {
            self.close()?;
        }
        let path = self.staging.segment(self.next_segment);
        let fault = || TransferError::write(&path);
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => {
                self.staging.create().map_err(fault())?;
                let packed = self.packed;
                let out = BufWriter::new(File::create_new(&path).map_err(fault())?);
                none.insert(Portable::begin(out, packed, created, record.sequence).map_err(fault())?)
            }
        };
        segment.append(record).map_err(fault())
    }

    /// Syncs the segment that is being written.
    fn close(&mut self) -> Result<(), TransferError> {
        let Some(segment) = self.segment.take() else { return Ok(()) };
        self.written += segment.length();
        let path = self.staging.segment(self.next_segment);
        let synced = segment
            .finish()
            .and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all());
        synced.map_err(TransferError::write(path))?;
        self.done.push(self.next_segment);
        self.next_segment += 1;
        Ok(())
    }

    /// Puts all of it into place; the bytes that came.
    fn finish(mut self) -> Result<u64, TransferError> {
        self.close()?;
        for number in &self.done {
            let (from, to) = (self.staging.segment(*number), self.files.segment(*number));
            fs::rename(from, &to).map_err(TransferError::write(to))?;
        }
        let segments = self.files.segments();
        sync_dir(&segments).map_err(TransferError::write(segments))?;
        let staging = self.staging.dir().to_owned();
        self.files.clear_staging().map_err(TransferError::write(staging))?;
        Ok(self.written)
    }
}
