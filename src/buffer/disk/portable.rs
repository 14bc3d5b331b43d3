//! A segment that no daemon appends to: an export, or what an import puts into a buffer. As the module above has it, so
//! that whatever reads a segment reads it.

use std::io::{self, Write};

use super::header::{PACKED, PLAIN, SEGMENT_HEADER, SegmentHeader};
use super::record::NewRecord;
use super::salt::Salt;

/// A segment on its way to `out`.
pub(crate) struct Portable<W> {
    out: W,
    salt: Option<Salt>,
    front: Vec<u8>,
    length: u64,
}

impl<W: Write> Portable<W> {
    /// Writes the header: created at `created`, milliseconds since 1970, with no sequence below `first` in it. Only
    /// where it is `packed` may payloads be compressed.
    pub(crate) fn begin(mut out: W, packed: bool, created: u64, first: u64) -> io::Result<Self> {
        let version = if packed { PACKED } else { PLAIN };
        let salt = Salt::random();
        out.write_all(&SegmentHeader { version, created, first, salt }.encode())?;
        Ok(Self { out, salt, front: Vec::new(), length: SEGMENT_HEADER as u64 })
    }

    /// Appends a record.
    pub(crate) fn append(&mut self, record: &NewRecord<'_>) -> io::Result<()> {
        self.front.clear();
        let fault = |fault| io::Error::new(io::ErrorKind::InvalidInput, fault);
        record.encode_front(self.salt, &mut self.front).map_err(fault)?;
        self.out.write_all(&self.front)?;
        self.out.write_all(record.payload)?;
        self.length += record.length() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// What it was written to, flushed.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
