//! The door for fuzz targets: any bytes, read as any kind.

use std::io::Read;
use std::ops::ControlFlow;

use super::kind::Documents;
use super::{Block, HEAD, Kind, Mark, Reading, ReadyId, Remark, Resting, Sheet, Take};
use crate::decode::Frame;

/// What is read as if it were one, whatever it is.
const KINDS: [Kind; 8] = [
    Kind::OutFile,
    Kind::Documents(Documents::Bare),
    Kind::Documents(Documents::Dump),
    Kind::Documents(Documents::Bulk),
    Kind::FluentdChunk,
    Kind::FluentBitChunk,
    Kind::Forward,
    Kind::DeadLetters,
];

/// The longest line, entry, frame or document.
pub const LONGEST: usize = 1 << 10;

/// One thing that was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// `event`, `document` or `frame`.
    pub what: &'static str,
    /// Its tag.
    pub tag: Vec<u8>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its index, and its id as far as it has one.
    pub place: (String, Vec<u8>),
}

/// All of it, and how far it came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct All {
    /// In order.
    pub taken: Vec<Taken>,
    /// Ends of what was handed on together.
    pub ends: Vec<u64>,
    /// In words.
    pub remarks: Vec<String>,
}

/// Reads `from` as the kind with this number, or as what `head` says that it is.
pub fn read(kind: u8, head: &[u8], from: &mut dyn Read) -> All {
    let told = Kind::of(head.get(..HEAD).unwrap_or(head), None);
    let kind = KINDS.get(usize::from(kind)).copied().unwrap_or(told);
    let (tag, from_mark) = ("file", Mark::default());
    let (keeps_index, as_events) = (true, false);
    let reading =
        Reading { path: None, from: from_mark, tag, sent: None, longest: LONGEST, keeps_index, as_events };
    let mut all = All::default();
    if kind.read(from, &reading, &mut all).is_err() {
        all.remarks.push("failed".to_owned());
    }
    all
}

impl All {
    fn end(&mut self, end: Resting) -> ControlFlow<()> {
        self.ends.push(end.mark.place);
        ControlFlow::Continue(())
    }
}

impl Take for All {
    fn block(&mut self, block: &Block) -> ControlFlow<()> {
        let records = block.records();
        let mut rest = records.entries;
        for id in records.ids {
            let length = crate::decode::length_of_value(rest).unwrap_or(rest.len());
            let (entry, behind) = rest.split_at(length);
            let place = (String::new(), id.to_bytes().to_vec());
            let (what, tag) = ("event", records.tag.to_vec());
            self.taken.push(Taken { what, tag, bytes: entry.to_vec(), place });
            rest = behind;
        }
        assert!(rest.is_empty(), "an entry without an id");
        self.end(block.end)
    }

    fn sheet(&mut self, sheet: &Sheet) -> ControlFlow<()> {
        for ready in sheet.iter() {
            let id = match ready.id {
                ReadyId::Own(id) => id.as_bytes().to_vec(),
                ReadyId::Place(id) => id.to_bytes().to_vec(),
            };
            let place = (ready.index.unwrap_or_default().to_owned(), id);
            let (what, tag) = ("document", sheet.tag.clone());
            self.taken.push(Taken { what, tag, bytes: ready.source.to_vec(), place });
        }
        self.end(sheet.end)
    }

    fn frame(&mut self, frame: &Frame<'_>, end: Mark) -> ControlFlow<()> {
        let place = (frame.body.mode().to_owned(), frame.chunk.unwrap_or_default().to_vec());
        let (what, tag) = ("frame", frame.tag.to_vec());
        self.taken.push(Taken { what, tag, bytes: frame.body.payload().to_vec(), place });
        self.end(Resting { mark: end, last: None })
    }

    fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark.to_string());
    }
}
