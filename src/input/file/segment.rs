//! Segments of Forebay's own buffer: the documents of their batches, with index, id and tag as they were to be sent.
//!
//! What a segment's marks say is settled was taken by the target, and is left out. Parts of Docker lines that wait for the rest
//! are the business of `forebay buffer import`.

use std::io;
use std::ops::ControlFlow;

use xxhash_rust::xxh3::xxh3_64;

use super::reading::Reading;
use super::take::{Outlet, Remark, Take};
use super::{Mark, Resting};
use crate::buffer::{Found, Snapshot, StoredRecord, Wound};
use crate::encode::IdBase;
use crate::output::destination;

/// Hands on what waits in the segment at `reading.path`.
pub(super) fn read(reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let Some(path) = reading.path else {
        let why = "a segment can be read from a file of its own alone: unpack it first".to_owned();
        take.remark(Remark::Ends { at: 0, why });
        return Ok(());
    };
    let outlet = Outlet::new(take, reading.tag);
    let mut walk =
        Walk { outlet, keeps_index: reading.keeps_index, delivered: 0, parts: 0, wounds: Vec::new() };
    let mut flow = ControlFlow::Continue(());
    let walked = Snapshot::of_segment(path).walk(&mut |found| {
        flow = walk.found(found);
        flow
    });
    if flow.is_break() { Ok(()) } else { walk.end(walked.err().map(io::Error::other)) }
}

/// What was met on the way.
struct Walk<'t> {
    outlet: Outlet<'t>,
    keeps_index: bool,
    delivered: u64,
    parts: u64,
    wounds: Vec<Wound>,
}

impl Walk<'_> {
    fn found(&mut self, found: Found<'_>) -> ControlFlow<()> {
        match found {
            Found::Segment(_) => (),
            Found::Wound(wound) => self.wounds.push(wound),
            Found::Record(stored) if stored.settled => self.delivered += u64::from(stored.head.documents),
            Found::Record(stored) if stored.body.ends.is_empty() => self.parts += 1,
            Found::Record(stored) => return self.batch(&stored),
        }
        ControlFlow::Continue(())
    }

    fn batch(&mut self, stored: &StoredRecord<'_>) -> ControlFlow<()> {
        let mark = Mark { place: stored.place.to, ..Mark::default() };
        for document in stored.documents() {
            let (index, id) = destination(document.action);
            self.outlet.set_tag(document.tag.as_bytes())?;
            let index = Some(&*index).filter(|_| self.keeps_index);
            // why: every batch names ids; one that does not is none of ours, and has to be told apart all the same.
            let place = IdBase::of_place(0, stored.place.from, xxh3_64(document.source));
            self.outlet.sheet.add(document.source, index, Some(&id), place);
            self.outlet.added(Resting { mark, last: None })?;
        }
        ControlFlow::Continue(())
    }

    fn end(mut self, failed: Option<io::Error>) -> io::Result<()> {
        self.outlet.passed_over("documents that were delivered", self.delivered);
        self.outlet.not_taken("parts of lines, which `forebay buffer import` takes", self.parts);
        for wound in self.wounds {
            self.outlet.take.remark(Remark::Ends { at: wound.from, why: wound.cause.to_string() });
        }
        self.outlet.end(failed.map(Into::into), 0)
    }
}
