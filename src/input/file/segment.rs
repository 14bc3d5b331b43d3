//! Segments of Forebay's own buffer: the documents of their batches, with index, id and tag as they were to be sent.
//!
//! What a segment's marks say is settled was taken by the target, and is left out. Parts of Docker lines that wait for the rest
//! are the business of `forebay buffer import`.

use std::io;
use std::ops::ControlFlow;

use super::reading::Reading;
use super::take::{Outlet, Remark, Take};
use super::{Mark, Resting};
use crate::buffer::{Found, OpenError, Snapshot};
use crate::encode::IdBase;
use crate::output::destination;

/// Hands on what waits in the segment at `reading.path`.
pub(super) fn read(reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let Some(path) = reading.path else {
        take.remark(Remark::About("a segment can be read from a file of its own alone: unpack it first"));
        return Ok(());
    };
    let mut outlet = Outlet::new(take, reading.tag);
    let (mut settled, mut parts, mut wounds, mut is_over) = (0, 0, Vec::new(), false);
    let walked = Snapshot::of_segment(path).walk(&mut |found| match found {
        Found::Segment(_) => ControlFlow::Continue(()),
        Found::Wound(wound) => {
            wounds.push(wound);
            ControlFlow::Continue(())
        }
        Found::Record(stored) if stored.settled => {
            settled += u64::from(stored.head.documents);
            ControlFlow::Continue(())
        }
        Found::Record(stored) => {
            let mark = Mark { place: stored.place.to, ..Mark::default() };
            let end = Resting { mark, last: None };
            parts += u64::from(stored.body.ends.is_empty());
            let flow = stored.documents().try_for_each(|document| {
                let (index, id) = destination(document.action);
                outlet.set_tag(document.tag.as_bytes())?;
                let index = Some(&*index).filter(|_| reading.keeps_index);
                // why: what has no id of its own, which no batch holds, has one of its place like any other document.
                let place =
                    IdBase::of_place(0, stored.place.from, xxhash_rust::xxh3::xxh3_64(document.source));
                outlet.sheet.add(document.source, index, Some(&id), place);
                outlet.added(end)
            });
            is_over = flow.is_break();
            flow
        }
    });
    if is_over {
        return Ok(());
    }
    outlet.passed_over("documents that were delivered", settled);
    outlet.passed_over("parts of lines", parts);
    for wound in wounds {
        outlet.take.remark(Remark::Ends { at: wound.from, why: wound.cause.to_string() });
    }
    outlet.end(walked.err().map(|fault| io_error(fault).into()), 0)
}

fn io_error(fault: OpenError) -> io::Error {
    io::Error::other(fault)
}
