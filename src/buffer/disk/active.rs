//! The one segment that is being written to.
//!
//! Records are gathered in a small buffer, so that a hundred waiting lines are one write; a large payload
//! is written from where it lies.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::files::{remove_if_there, sync_dir};
use super::header::{SEGMENT_HEADER, SegmentHeader};
use super::index::Index;
use super::record::{Kind, NewRecord, TooLarge};
use super::salt::Salt;
use super::{DiskError, Files, Place};

/// Payloads from this size on are written without being copied.
const GATHER: usize = 64 << 10;

/// An open segment.
pub(super) struct Active {
    id: u64,
    header: SegmentHeader,
    index: Index,
    path: PathBuf,
    file: File,
    gathered: Vec<u8>,
    /// Bytes appended, gathered ones among them.
    length: u64,
    /// Bytes known to be on disk.
    synced: u64,
}

impl Active {
    /// Creates a segment, durable with its header and its name, or leaves nothing behind.
    pub(super) fn create(files: &Files, id: u64, version: u32, first: u64) -> Result<Self, DiskError> {
        let path = files.segment(id);
        let header = SegmentHeader { version, created: now(), first, salt: Salt::random() };
        let made = create(&path, header).and_then(|file| sync_dir(&files.segments()).map(|()| file));
        match made {
            Ok(file) => {
                let length = SEGMENT_HEADER as u64;
                let (index, gathered) = (Index::default(), Vec::new());
                Ok(Self { id, header, index, path, file, gathered, length, synced: length })
            }
            Err(source) => {
                // why: the fault that is reported is the first one.
                remove_if_there(&path).ok();
                Err(DiskError::io("create", path)(source))
            }
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn append(&mut self, record: &NewRecord<'_>) -> Result<Place, DiskError> {
        let from = self.length;
        let encoded = record.encode_front(self.header.salt, &mut self.gathered);
        encoded.map_err(|fault| self.too_large(fault))?;
        if record.payload.len() < GATHER {
            self.gathered.extend_from_slice(record.payload);
        } else {
            self.flush()?;
            self.file.write_all(record.payload).map_err(DiskError::io("write", &self.path))?;
        }
        if self.gathered.len() >= GATHER {
            self.flush()?;
        }
        self.length += record.length() as u64;
        let place = Place { segment: self.id, from, to: self.length };
        match record.kind {
            Kind::Batch => self.index.batch(place, record.sequence, record.ends.len() as u64, record.parts),
            Kind::Part => self.index.part(place, record.sequence),
        }
        Ok(place)
    }

    /// Leaves an index beside a segment that takes no more, all of which is committed.
    pub(super) fn close(&self, files: &Files) {
        let path = files.index(self.id);
        if let Err(fault) = self.index.write(&path, self.header, self.length) {
            tracing::warn!(file = %path.display(), %fault, "cannot write an index; the next start scans that segment");
        }
    }

    fn too_large(&self, fault: TooLarge) -> DiskError {
        let source = io::Error::new(io::ErrorKind::InvalidInput, fault);
        DiskError::Io { action: "write", path: self.path.clone(), source }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.file.write_all(&self.gathered).map_err(DiskError::io("write", &self.path))?;
        self.gathered.clear();
        Ok(())
    }

    /// Everything appended is on disk afterwards.
    pub(super) fn commit(&mut self) -> Result<(), DiskError> {
        self.flush()?;
        self.is_all_there().map_err(DiskError::io("write", &self.path))?;
        self.file.sync_data().map_err(DiskError::io("sync", &self.path))?;
        self.synced = self.length;
        Ok(())
    }

    /// Asks the file how long it is. A file system that claims to have written what it has not, or another program that
    /// writes to the file or cuts it, would otherwise put every later record where nobody looks for it.
    fn is_all_there(&mut self) -> io::Result<()> {
        // why: a seek asks for this alone; where it leads to means nothing to a file that is appended to.
        let there = self.file.seek(SeekFrom::End(0))?;
        if there == self.length {
            return Ok(());
        }
        let why = format!("the file has {there} bytes where {} were written", self.length);
        Err(io::Error::other(why))
    }

    /// Back to what was committed. What cannot be cut off stays as a second copy that the document ids make harmless.
    pub(super) fn cut_back(&mut self) {
        self.gathered.clear();
        match self.file.set_len(self.synced) {
            Ok(()) => self.length = self.synced,
            Err(fault) => {
                tracing::warn!(file = %self.path.display(), %fault, "cannot cut a faulty segment back")
            }
        }
    }
}

fn create(path: &PathBuf, header: SegmentHeader) -> io::Result<File> {
    let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
    file.write_all(&header.encode())?;
    file.sync_all()?;
    Ok(file)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
