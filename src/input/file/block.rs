//! Lines of a file as the entries of a frame: `[time, {"log": line, …}]`, which take the path that Docker's lines take.
//!
//! They are written as msgpack, as any frame is, so that every limit, every step and every promise holds for files without a
//! second path; the line is copied once for it. What all lines of a file say beside it — path, container — is written once for
//! the file and then copied. Where a line stands in its entry is told, so that not each of them has to be decoded.

use std::ops::Range;

use rmp::encode;

use super::Resting;
use crate::encode::IdBase;
use crate::event::Timestamp;
use crate::input::{LineEntry, Records};

/// Fields that every event of a source has, written as msgpack pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fixed {
    count: u32,
    pairs: Vec<u8>,
}

impl Fixed {
    /// Adds a field with a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.count += 1;
        write_text(&mut self.pairs, name.as_bytes());
        write_text(&mut self.pairs, text.as_bytes());
    }
}

/// What a source's form says of a line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'s> {
    /// When it was written.
    pub(crate) time: Option<Timestamp>,
    /// `stdout` or `stderr`.
    pub(crate) stream: Option<&'s str>,
    /// More of it.
    pub(crate) more: Option<&'s Fixed>,
}

/// Entries after which a block is handed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes of them…
    pub(crate) bytes: usize,
    /// …or so many.
    pub(crate) events: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: 128 << 10, events: 4_096 }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The tag of its events.
    pub(crate) tag: Vec<u8>,
    entries: Vec<u8>,
    ids: Vec<IdBase>,
    /// Fewer than ids where something is in it that is no line, or none that stands in its entry as it is.
    lines: Vec<LineEntry>,
    room: Room,
    /// How far into the file everything is in this block or in those before it.
    pub(crate) end: Resting,
}

impl Block {
    /// An empty one of events with this tag.
    pub(crate) fn of(tag: &str) -> Self {
        Self { tag: tag.as_bytes().to_vec(), ..Self::default() }
    }

    /// The same with less room.
    pub(crate) fn within(mut self, room: Room) -> Self {
        self.room = room;
        self
    }

    /// Whether it is time to hand it on.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.room.bytes || self.ids.len() >= self.room.events
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many events are in it.
    pub(crate) fn events(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Empties it, and keeps its allocations.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.ids.clear();
        self.lines.clear();
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, id: IdBase, line: &[u8], said: &Said<'_>, fixed: &Fixed) {
        let more = said.more.map_or(0, |more| more.count);
        let count = 1 + u32::from(said.stream.is_some()) + fixed.count + more;
        let entry = self.entries.len();
        let is_exact = self.begin(id, said.time);
        let record = self.entries.len();
        write_map(&mut self.entries, count);
        self.entries.extend_from_slice(b"\xa3log");
        let text = write_text(&mut self.entries, line);
        if let Some(stream) = said.stream {
            write_text(&mut self.entries, b"source");
            write_text(&mut self.entries, stream.as_bytes());
        }
        self.entries.extend_from_slice(&fixed.pairs);
        said.more.iter().for_each(|more| self.entries.extend_from_slice(&more.pairs));
        if is_exact {
            self.lines.push(LineEntry { entry: entry..self.entries.len(), record, text, time: said.time });
        }
    }

    /// Adds an event whose record, a msgpack map, is there.
    pub(crate) fn record(&mut self, id: IdBase, time: Option<Timestamp>, record: &[u8]) {
        self.begin(id, time);
        self.entries.extend_from_slice(record);
    }

    /// Adds an entry, `[time, record]`, as it stands.
    pub(crate) fn entry(&mut self, id: IdBase, entry: &[u8]) {
        self.ids.push(id);
        self.entries.extend_from_slice(entry);
    }

    /// Whether the time is written as it is.
    fn begin(&mut self, id: IdBase, time: Option<Timestamp>) -> bool {
        self.ids.push(id);
        self.entries.push(0x92);
        match time {
            Some(time) => write_time(&mut self.entries, time),
            None => {
                self.entries.push(0xc0);
                true
            }
        }
    }

    /// As a pass takes it.
    pub(crate) fn records(&self) -> Records<'_> {
        let lines = if self.lines.len() == self.ids.len() { &*self.lines } else { &[] };
        Records { tag: &self.tag, entries: &self.entries, ids: &self.ids, lines }
    }
}

/// An EventTime, or seconds where it holds no more; whether it is one.
fn write_time(out: &mut Vec<u8>, time: Timestamp) -> bool {
    let Ok(seconds) = u32::try_from(time.seconds()) else {
        // why: an EventTime ends in 2106 and begins in 1970; whole seconds are what is left outside of it.
        let written = encode::write_sint(out, time.seconds());
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        return false;
    };
    out.extend_from_slice(&[0xd7, 0x00]);
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&time.nanos().to_be_bytes());
    true
}

/// Writes a text; where it stands.
fn write_text(out: &mut Vec<u8>, text: &[u8]) -> Range<usize> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    // why: a writer of any kind costs more for each line than its text does.
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..32), _) => out.push(0xa0 | length),
        (Ok(length), _) => out.extend_from_slice(&[0xd9, length]),
        (_, Ok(length)) => {
            let [high, low] = length.to_be_bytes();
            out.extend_from_slice(&[0xda, high, low]);
        }
        _ => {
            out.push(0xdb);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    let start = out.len();
    out.extend_from_slice(text.get(..length as usize).unwrap_or(text));
    start..out.len()
}

/// Writes the head of a map of so many pairs.
fn write_map(out: &mut Vec<u8>, count: u32) {
    match u8::try_from(count) {
        Ok(count @ ..16) => out.push(0x80 | count),
        _ => {
            let written = encode::write_map_len(out, count);
            debug_assert!(written.is_ok(), "writing to memory does not fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Body, Entries};
    use crate::event::{Fields, Value};

    #[test]
    fn a_line_is_read_back_as_the_event_that_it_is() {
        let mut fixed = Fixed::default();
        fixed.text("log.file.path", "/srv/app.log");
        let mut block = Block::default();
        let time = Timestamp::new(1_700_000_000, 5).expect("a time");
        let said = Said { time: Some(time), stream: Some("stderr"), more: None };
        block.line(IdBase::random(), b"hello", &said, &fixed);
        block.line(IdBase::random(), b"\xff no UTF-8", &Said::default(), &fixed);
        let records = block.records();
        let mut entries = Entries::new(&Body::Packed(records.entries), 10, 10);
        let mut fields = Fields::default();
        assert_eq!(entries.next(&mut fields), Some(Ok(Some(time))));
        assert_eq!(fields.get("log"), Some(&Value::Text(b"hello")));
        assert_eq!(fields.get("source"), Some(&Value::Text(b"stderr")));
        assert_eq!(fields.get("log.file.path"), Some(&Value::Text(b"/srv/app.log")));
        let mut fields = Fields::default();
        assert_eq!(entries.next(&mut fields), Some(Ok(None)));
        assert_eq!(fields.get("log"), Some(&Value::Text(b"\xff no UTF-8")));
        assert_eq!((records.ids.len(), fields.len()), (2, 2));
    }

    #[test]
    fn heads_of_texts_and_maps_are_those_of_msgpack() {
        let long = vec![b'x'; 70_000];
        for length in [0, 1, 31, 32, 255, 256, 65_535, 65_536, 70_000] {
            let (mut own, mut other) = (Vec::new(), Vec::new());
            let text = &long[..length];
            let range = write_text(&mut own, text);
            assert!(own[range] == *text);
            encode::write_str_len(&mut other, u32::try_from(length).expect("short")).expect("in memory");
            other.extend_from_slice(text);
            assert!(own == other, "{length}");
        }
        for count in [0, 15, 16, 300, 70_000] {
            let (mut own, mut other) = (Vec::new(), Vec::new());
            write_map(&mut own, count);
            encode::write_map_len(&mut other, count).expect("in memory");
            assert_eq!(own, other);
        }
    }
}
