//! Spilled documents back into memory: records of a segment, end to end in one allocation.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::record::{Body, Damage, Head, Kind};
use super::scan::{Scan, Step};
use super::{Files, Place, quarantine};
use crate::buffer::TagRun;

/// How often a segment is tried, a second apart, before an error that lasts is taken for the last word.
pub(crate) const TRIES: u32 = 30;

/// Whether an error says that the medium or the file system has failed, or that the file is not what it was. Any other,
/// such as too many open files or a missing permission, says nothing about the segment, and is waited out.
pub(crate) fn is_lasting(fault: &io::Error) -> bool {
    let failed = [Errno::IO, Errno::NOENT, Errno::BADMSG, Errno::UCLEAN];
    fault.kind() == io::ErrorKind::UnexpectedEof
        || Errno::from_io_error(fault).is_some_and(|errno| failed.contains(&errno))
}

/// How often each segment could not be read, since it could.
#[derive(Default)]
pub(crate) struct Tries(Mutex<HashMap<u64, u32>>);

impl Tries {
    /// Counts a failure; how many there are now.
    pub(crate) fn failed(&self, segment: u64) -> u32 {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(segment).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Begins anew, or ends.
    pub(crate) fn forget(&self, segment: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }
}

/// How much to read at once; the first record is read whatever its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits {
    pub(crate) bytes: usize,
    pub(crate) documents: usize,
}

/// What was read.
#[derive(Default)]
pub(crate) struct ReadBack {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
    pub(crate) tags: Vec<TagRun>,
    /// How far the read came in each place; those that it did not come to are left out.
    pub(crate) stretches: Vec<Stretch>,
}

/// What was read of one place.
#[derive(Default)]
pub(crate) struct Stretch {
    /// The records' sequences, ascending.
    pub(crate) sequences: Vec<u64>,
    pub(crate) documents: u64,
    /// The byte behind the last record that was read or skipped.
    pub(crate) offset: u64,
}

/// Reads the places of one segment, in order, until their end or the limits. Damaged records go to quarantine and are
/// left out; an I/O error is an error.
pub(crate) fn read_back(
    files: &Files,
    segment: u64,
    places: &[Place],
    into: Vec<u8>,
    limits: ReadLimits,
) -> io::Result<ReadBack> {
    let file = File::open(files.segment(segment))?;
    let mut scan = Scan::reaching(&file, places.iter().map(|place| place.to).max().unwrap_or_default());
    let mut read = ReadBack::into(into);
    for place in places {
        scan.turn_to(place.from, place.to);
        let stretch = read.stretch(files, *place, &mut scan, limits)?;
        let (came_to, ended) = (stretch.offset > place.from, stretch.offset >= place.to);
        if came_to {
            read.stretches.push(stretch);
        }
        if !ended {
            break;
        }
    }
    Ok(read)
}

/// Whose documents lie in `place`, as far as that can be read.
pub(crate) fn tally(files: &Files, place: Place, tags: &mut HashMap<Arc<str>, u64>) -> io::Result<()> {
    let file = File::open(files.segment(place.segment))?;
    let mut scan = Scan::new(&file, place.from, place.to);
    loop {
        match scan.step()? {
            Step::Record { body, .. } => {
                for TagRun { tag, documents } in body.tags {
                    *tags.entry(tag).or_default() += u64::from(documents);
                }
            }
            Step::Damaged { .. } => (),
            Step::Lost { .. } | Step::Torn { .. } | Step::End => return Ok(()),
        }
    }
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
        Self { bytes, ..Self::default() }
    }

    fn stretch(
        &mut self,
        files: &Files,
        place: Place,
        scan: &mut Scan<'_>,
        limits: ReadLimits,
    ) -> io::Result<Stretch> {
        let (mut sequences, before) = (Vec::new(), self.ends.len());
        while !scan.peek()?.is_some_and(|(head, length)| self.is_full(&head, length, limits)) {
            match scan.step()? {
                Step::Record { from, head, body } => match self.push(&head, &body) {
                    Ok(()) if head.kind == Kind::Batch => sequences.push(head.sequence),
                    Ok(()) => (),
                    Err(damage) => {
                        set_aside(files, place.segment, from, from + u64::from(head.length), &damage)?;
                    }
                },
                Step::Damaged { from, to, damage, .. } => set_aside(files, place.segment, from, to, &damage)?,
                Step::Lost { from, damage } => set_aside(files, place.segment, from, place.to, &damage)?,
                Step::Torn { from } => set_aside(files, place.segment, from, place.to, &"cut short")?,
                Step::End => break,
            }
        }
        let documents = (self.ends.len() - before) as u64;
        Ok(Stretch { sequences, documents, offset: scan.offset() })
    }

    fn is_full(&self, next: &Head, length: u32, limits: ReadLimits) -> bool {
        !self.ends.is_empty()
            && (self.bytes.len() + length as usize > limits.bytes
                || self.ends.len() + next.documents as usize > limits.documents)
    }

    fn push(&mut self, head: &Head, body: &Body<'_>) -> Result<(), Damage> {
        if head.kind != Kind::Batch {
            return Ok(());
        }
        // why: one record is bounded by the format, and a second is only added below the limit of a bulk request.
        let base = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        body.unpack(head, &mut self.bytes)?;
        self.ends.extend(body.ends.iter().map(|end| base.saturating_add(*end)));
        self.tags.extend_from_slice(&body.tags);
        Ok(())
    }
}
