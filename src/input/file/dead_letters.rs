//! Forebay's dead letters: the documents in them, with the index and the id that they had.
//!
//! Letters that a replay has settled are left out where their file is at hand. One of what never was a document is passed over.

use std::collections::HashSet;
use std::io::{self, Read};
use std::ops::ControlFlow;

use super::reading::Reading;
use super::take::{Outlet, Take};
use super::{Line, Lines, Rest};
use crate::output::{StoredLetter, settled_letters};

/// Hands on the documents of the letters in `from`.
pub(super) fn read(from: &mut dyn Read, reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let settled = reading.path.map(settled_letters).transpose()?.unwrap_or_default();
    let mut lines = Lines::new(from, reading.from, reading.longest_document());
    let mut outlet = Outlet::new(take, reading.tag);
    let mut passed = Passed::default();
    let failed = loop {
        match lines.next(Rest::IsLine) {
            Ok(Some(line)) => {
                if letter(&line, reading, &settled, &mut passed, &mut outlet).is_break() {
                    return Ok(());
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    outlet.passed_over("letters that are settled", passed.settled);
    outlet.passed_over("letters without a document", passed.without_document);
    outlet.not_taken("lines that are no letters", passed.others);
    outlet.end(failed.map(Into::into), lines.mark().place)
}

#[derive(Default)]
struct Passed {
    settled: u64,
    without_document: u64,
    others: u64,
}

fn letter(
    line: &Line<'_>,
    reading: &Reading<'_>,
    settled: &HashSet<u64>,
    passed: &mut Passed,
    outlet: &mut Outlet<'_>,
) -> ControlFlow<()> {
    let Some(letter) = StoredLetter::read(line.text()) else {
        passed.others += 1;
        return ControlFlow::Continue(());
    };
    if settled.contains(&line.start.place) {
        passed.settled += 1;
        return ControlFlow::Continue(());
    }
    let Some(document) = letter.document.filter(|document| document.get().starts_with('{')) else {
        passed.without_document += 1;
        return ControlFlow::Continue(());
    };
    outlet.set_tag(letter.tag.as_bytes())?;
    let index = Some(&*letter.index).filter(|_| reading.keeps_index);
    let place = line.end.id(line.start);
    outlet.sheet.add(document.get().as_bytes(), index, Some(&letter.id), place);
    outlet.line(line)
}
