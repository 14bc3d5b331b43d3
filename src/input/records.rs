//! What gives a pass its events, one after the other: the entries of a frame, or those that a reader of files has made.
//!
//! Lines of a file differ in their text and their time, and seldom in more. So the entry of the first is decoded, under every limit,
//! and those behind it that say the same beside their text have its fields with their own text. Invariant: a line's fields
//! and time are those that its entry would be decoded to.

use std::ops::Range;

use crate::decode::{Body, DecodeError, Entries};
use crate::encode::IdBase;
use crate::event::{Field, Fields, Timestamp, Value};
use crate::input::forward::LimitOptions;

/// Events that a reader of files has made a frame's entries of.
#[derive(Clone, Copy)]
pub struct Records<'r> {
    /// Their tag.
    pub tag: &'r [u8],
    /// `[time, record]`, one after the other, as in a PackedForward frame.
    pub entries: &'r [u8],
    /// What the id of each is made of.
    pub ids: &'r [IdBase],
    /// Where each stands, if all of them are lines; else none.
    pub lines: &'r [LineEntry],
}

/// Where a line's entry stands, and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineEntry {
    /// All of it.
    pub entry: Range<usize>,
    /// Where its record begins, which ends with it.
    pub record: usize,
    /// The text of its first field; what stands behind it are the others.
    pub text: Range<usize>,
    /// Its time, which the entry can say as it is.
    pub time: Option<Timestamp>,
}

/// See the module.
pub(super) enum Events<'e> {
    /// Entries as they were sent.
    Entries(Entries<'e>),
    /// Lines.
    Lines(Lines<'e>),
}

impl<'e> Events<'e> {
    /// The entries of `body`, before which so many as `refusals` of the frame were refused, one after the other.
    pub(super) fn of(body: &Body<'e>, refusals: u32, milliseconds: bool, limits: &LimitOptions) -> Self {
        let entries = entries(body, limits).with_milliseconds(milliseconds).after(refusals);
        Self::Entries(entries)
    }

    /// What a reader of files has made.
    pub(super) fn of_records(records: &Records<'e>, milliseconds: bool, limits: &'e LimitOptions) -> Self {
        let are_short = records.entries.len() <= limits.string_bytes.as_usize();
        if records.lines.is_empty() || !are_short {
            return Self::of(&Body::Packed(records.entries), 0, milliseconds, limits);
        }
        Self::Lines(Lines::new(records, limits))
    }

    /// The next event, its fields put into `fields`, which are to be empty; see [`Entries::next`].
    #[inline]
    pub(super) fn next(&mut self, fields: &mut Fields<'e>) -> Option<Result<Option<Timestamp>, DecodeError>> {
        match self {
            Self::Entries(entries) => entries.next(fields),
            Self::Lines(lines) => lines.next(fields),
        }
    }

    /// The bytes of the record that was read last.
    #[inline]
    pub(super) fn record(&self) -> &'e [u8] {
        match self {
            Self::Entries(entries) => entries.record(),
            Self::Lines(lines) => lines.record,
        }
    }

    /// How many there are at most.
    pub(super) fn at_most(&self) -> u64 {
        match self {
            Self::Entries(entries) => entries.at_most(),
            Self::Lines(lines) => lines.lines.len() as u64,
        }
    }

    /// See [`Entries::refused`].
    pub(super) fn refused(&self) -> (&'e [u8], u64) {
        match self {
            Self::Entries(entries) => entries.refused(),
            Self::Lines(lines) => (lines.refused, 1),
        }
    }

    /// See [`Entries::refusals`].
    pub(super) fn refusals(&self) -> u32 {
        match self {
            Self::Entries(entries) => entries.refusals(),
            Self::Lines(_) => 0,
        }
    }

    /// See [`Entries::mended_times`].
    pub(super) fn mended_times(&self) -> u32 {
        match self {
            Self::Entries(entries) => entries.mended_times(),
            Self::Lines(_) => 0,
        }
    }
}

fn entries<'e>(body: &Body<'e>, limits: &LimitOptions) -> Entries<'e> {
    Entries::new(body, limits.depth, limits.fields).with_texts_up_to(limits.string_bytes.as_usize())
}

/// Lines of a block.
pub(super) struct Lines<'e> {
    entries: &'e [u8],
    lines: std::slice::Iter<'e, LineEntry>,
    limits: &'e LimitOptions,
    /// What stands behind the text of the line that was decoded last.
    behind: &'e [u8],
    /// Its fields; none where they cannot be those of another.
    fields: Vec<Field<'e>>,
    record: &'e [u8],
    refused: &'e [u8],
}

impl<'e> Lines<'e> {
    fn new(records: &Records<'e>, limits: &'e LimitOptions) -> Self {
        let (entries, lines) = (records.entries, records.lines.iter());
        Self { entries, lines, limits, behind: &[], fields: Vec::new(), record: &[], refused: &[] }
    }

    fn bytes(&self, range: Range<usize>) -> &'e [u8] {
        self.entries.get(range).unwrap_or_default()
    }

    #[inline]
    fn next(&mut self, fields: &mut Fields<'e>) -> Option<Result<Option<Timestamp>, DecodeError>> {
        let line = self.lines.next()?;
        self.record = self.bytes(line.record..line.entry.end);
        let behind = self.bytes(line.text.end..line.entry.end);
        let text = self.bytes(line.text.clone());
        match self.fields.as_slice() {
            [first, others @ ..] if behind == self.behind => {
                fields.push(first.name.clone(), Value::Text(text));
                others.iter().for_each(|field| fields.push(field.name.clone(), field.value));
                Some(Ok(line.time))
            }
            _ => self.decode(line, fields),
        }
    }

    /// Decodes `line`, and keeps its fields for those behind it.
    #[cold]
    fn decode(
        &mut self,
        line: &LineEntry,
        fields: &mut Fields<'e>,
    ) -> Option<Result<Option<Timestamp>, DecodeError>> {
        let mut entry = entries(&Body::Packed(self.bytes(line.entry.clone())), self.limits);
        let read = entry.next(fields);
        self.refused = entry.refused().0;
        self.fields.clear();
        let text = self.bytes(line.text.clone());
        let is_text =
            |field: &Field<'e>| field.value.borrowed_text().is_some_and(|own| std::ptr::eq(own, text));
        // why: where a field behind it has its name, that is the one which counts.
        if matches!(read, Some(Ok(_))) && fields.at(0).is_some_and(is_text) {
            self.fields.extend(fields.iter().cloned());
            self.behind = self.bytes(line.text.end..line.entry.end);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::file::{Block, Fixed, Said};
    use crate::units::ByteSize;

    type Read<'e> = Vec<(Result<Option<Timestamp>, DecodeError>, Vec<Field<'e>>, &'e [u8])>;

    fn all<'e>(mut events: Events<'e>) -> Read<'e> {
        let mut all = Vec::new();
        loop {
            let mut fields = Fields::default();
            let Some(read) = events.next(&mut fields) else { return all };
            let bytes = if read.is_ok() { events.record() } else { events.refused().0 };
            let fields = if read.is_ok() { fields.iter().cloned().collect() } else { Vec::new() };
            all.push((read, fields, bytes));
        }
    }

    fn fixed(names: &[String]) -> Fixed {
        let mut fixed = Fixed::default();
        names.iter().for_each(|name| fixed.text(name, "a value"));
        fixed
    }

    proptest! {
        #[test]
        fn lines_are_read_as_their_entries_would_be_decoded(
            lines in proptest::collection::vec(
                (any::<Vec<u8>>(), any::<Option<u32>>(), any::<Option<bool>>(), any::<bool>()),
                1..20,
            ),
            names in proptest::collection::vec("(log|source|[a-z.]{0,9}|.{0,3})", 0..4),
            more in proptest::collection::vec("(log|source|[a-z.]{0,9})", 0..4),
            most in 1_usize..9,
        ) {
            let (fixed, more, mut block) = (fixed(&names), fixed(&more), Block::default());
            for (line, time, stream, has_more) in &lines {
                let said = Said {
                    time: time.and_then(|time| Timestamp::new(i64::from(time), time % 1_000_000_000)),
                    stream: stream.map(|is_error| if is_error { "stderr" } else { "stdout" }),
                    more: Some(&more).filter(|_| *has_more),
                };
                block.line(IdBase::random(), line, &said, &fixed);
            }
            let limits = LimitOptions { fields: most, ..LimitOptions::default() };
            let records = block.records();
            prop_assert_eq!(records.lines.len(), lines.len());
            let told = all(Events::of_records(&records, false, &limits));
            let decoded = all(Events::of(&Body::Packed(records.entries), 0, false, &limits));
            prop_assert_eq!(told, decoded);
        }
    }

    #[test]
    fn a_block_that_may_have_a_text_beyond_the_limit_is_decoded() {
        let mut block = Block::default();
        block.line(IdBase::random(), b"long enough", &Said::default(), &Fixed::default());
        let limits = LimitOptions { string_bytes: ByteSize(10), ..LimitOptions::default() };
        let read = all(Events::of_records(&block.records(), false, &limits));
        let refused = DecodeError::Limit { key: "string_bytes", limit: 10 };
        assert_eq!(read.first().map(|read| &read.0), Some(&Err(refused)));
    }
}
