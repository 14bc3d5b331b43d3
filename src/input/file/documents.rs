//! Documents, one a line: Forebay's own, hits as export tools dump them, and `_bulk` bodies.
//!
//! A document goes in as it is, byte for byte, under the id that it has. What is no document is handed on all the same: who takes
//! it refuses it, and keeps it as a dead letter.

mod action;
mod hit;
mod name;

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::kind::Documents;
use super::reading::Reading;
use super::take::{Outlet, Remark, Take};
use super::{Line, Lines, Rest};
use crate::decode::json_to_msgpack;

use self::action::Action;
use self::hit::Hit;

/// Hands on the documents in `from`.
pub(super) fn read(
    from: &mut dyn Read,
    documents: Documents,
    reading: &Reading<'_>,
    take: &mut dyn Take,
) -> io::Result<()> {
    let mut lines = Lines::new(from, reading.from, reading.longest_document());
    let mut reader = Reader::new(documents, reading, take);
    let failed = loop {
        match lines.next(Rest::IsLine) {
            Ok(Some(line)) => {
                if reader.line(&line).is_break() {
                    return Ok(());
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    reader.end(failed, lines.mark().place)
}

/// What stands between lines.
struct Reader<'r, 't> {
    documents: Documents,
    reading: &'r Reading<'r>,
    outlet: Outlet<'t>,
    /// The action of which the document comes next.
    action: Option<Action>,
    record: Vec<u8>,
    too_long: u64,
    changes: u64,
    no_actions: u64,
}

impl<'r, 't> Reader<'r, 't> {
    fn new(documents: Documents, reading: &'r Reading<'r>, take: &'t mut dyn Take) -> Self {
        let outlet = Outlet::new(take, reading.tag);
        let (action, record) = (None, Vec::new());
        Self { documents, reading, outlet, action, record, too_long: 0, changes: 0, no_actions: 0 }
    }

    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        let text = line.text();
        if text.is_empty() {
            return ControlFlow::Continue(());
        }
        if line.length > line.bytes.len() as u64 {
            self.too_long += 1;
            self.action = None;
            return ControlFlow::Continue(());
        }
        match self.documents {
            Documents::Bare => self.put(text, None, None, line),
            Documents::Dump => self.hit(text, line),
            Documents::Bulk => self.bulk(text, line),
        }
    }

    fn hit(&mut self, text: &[u8], line: &Line<'_>) -> ControlFlow<()> {
        match Hit::read(text) {
            Some(hit) => self.put(hit.source.get().as_bytes(), Some(&hit.index), Some(&hit.id), line),
            None => self.put(text, None, None, line),
        }
    }

    fn bulk(&mut self, text: &[u8], line: &Line<'_>) -> ControlFlow<()> {
        match self.action.take() {
            Some(Action::Put { index, id }) => self.put(text, Some(&index), Some(&id), line),
            Some(Action::Update) => ControlFlow::Continue(()),
            Some(Action::Delete) | None => {
                match Action::read(text) {
                    Some(action) => {
                        self.changes += u64::from(!matches!(action, Action::Put { .. }));
                        self.action = Some(action).filter(|action| *action != Action::Delete);
                    }
                    None => self.no_actions += 1,
                }
                ControlFlow::Continue(())
            }
        }
    }

    fn put(
        &mut self,
        source: &[u8],
        index: Option<&str>,
        id: Option<&str>,
        line: &Line<'_>,
    ) -> ControlFlow<()> {
        let place = line.end.id(line.start);
        if self.reading.as_events {
            self.record.clear();
            match json_to_msgpack(source, &mut self.record) {
                Ok(()) => self.outlet.block.record(place, None, &self.record),
                // Which is refused there.
                Err(_) => self.outlet.block.line(place, source, &Default::default(), &Default::default()),
            }
        } else {
            let index = index.filter(|_| self.reading.keeps_index).map(hit::stream_of);
            self.outlet.sheet.add(source, index, id, place);
        }
        self.outlet.line(line)
    }

    fn end(mut self, failed: Option<io::Error>, at: u64) -> io::Result<()> {
        self.outlet.not_taken("lines that were too long", self.too_long);
        self.outlet.passed_over("deletions and updates", self.changes);
        self.outlet.not_taken("lines that are no action", self.no_actions);
        if matches!(self.action, Some(Action::Put { .. })) && failed.is_none() {
            self.outlet.take.remark(Remark::Ends {
                at,
                why: "it ends behind an action, without its document".to_owned(),
            });
        }
        self.outlet.end(failed.map(Into::into), at)
    }
}
