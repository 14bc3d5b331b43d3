//! Spilled documents back into memory: consecutive records of a segment, end to end in one allocation.

use std::fs::File;
use std::io;

use super::record::{Body, Head, Kind};
use super::scan::{Scan, Step};
use super::{Files, Place, quarantine};
use crate::buffer::TagRun;

/// How much to read at once; the first record is read whatever its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits {
    pub(crate) bytes: usize,
    pub(crate) documents: usize,
}

/// What was read.
pub(crate) struct ReadBack {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
    pub(crate) tags: Vec<TagRun>,
    /// The records' sequences, ascending.
    pub(crate) sequences: Vec<u64>,
    /// The byte behind the last record that was read or skipped.
    pub(crate) offset: u64,
}

/// Reads from `place` until its end or the limits. Damaged records go to quarantine and are left out;
/// an I/O error is an error.
pub(crate) fn read_back(
    files: &Files,
    place: Place,
    into: Vec<u8>,
    limits: ReadLimits,
) -> io::Result<ReadBack> {
    let file = File::open(files.segment(place.segment))?;
    let mut scan = Scan::new(&file, place.from, place.to);
    let mut read = ReadBack::into(into);
    while !scan.peek()?.is_some_and(|head| read.is_full(&head, limits)) {
        match scan.step()? {
            Step::Record { head, body, .. } => read.push(&head, &body),
            Step::Damaged { from, to, damage } => set_aside(files, place.segment, from, to, &damage)?,
            Step::Lost { from, damage } => set_aside(files, place.segment, from, place.to, &damage)?,
            Step::Torn { from } => set_aside(files, place.segment, from, place.to, &"cut short")?,
            Step::End => break,
        }
    }
    read.offset = scan.offset();
    Ok(read)
}

fn set_aside(
    files: &Files,
    segment: u64,
    from: u64,
    to: u64,
    cause: &dyn std::fmt::Display,
) -> io::Result<()> {
    quarantine::copy(files, segment, from, to)?;
    let file = files.segment(segment);
    tracing::error!(file = %file.display(), from, to, %cause, "spilled documents are damaged; moved to quarantine");
    Ok(())
}

impl ReadBack {
    fn into(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, ends: Vec::new(), tags: Vec::new(), sequences: Vec::new(), offset: 0 }
    }

    fn is_full(&self, next: &Head, limits: ReadLimits) -> bool {
        !self.ends.is_empty()
            && (self.bytes.len() + next.payload as usize > limits.bytes
                || self.ends.len() + next.documents as usize > limits.documents)
    }

    fn push(&mut self, head: &Head, body: &Body<'_>) {
        if head.kind != Kind::Batch {
            return;
        }
        // why: one record is bounded by the format, and a second is only added below the limit of a bulk request.
        let base = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(body.payload);
        self.ends.extend(body.ends.iter().map(|end| base.saturating_add(*end)));
        self.tags.extend_from_slice(&body.tags);
        self.sequences.push(head.sequence);
    }
}
