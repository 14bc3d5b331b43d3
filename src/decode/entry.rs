//! A frame's events one after the other, and a record's fields.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};

use super::msgpack::{Item, Reader, SkipFault};
use super::scan::whole_values;
use super::times::{NoTime, Times};
use super::{Body, DecodeError};
use crate::event::{self, Fields, Name, Timestamp, Value};

/// Values are followed by calls inside one another, for which a stack has room for so many.
const DEEPEST: usize = 255;

/// Steps through the entries of a body that is not compressed, or of a window of one that was.
pub struct Entries<'a> {
    reader: Reader<'a>,
    /// How many are left, where the frame says so.
    left: Option<u32>,
    /// Whether an entry stands in an array of its own, as everywhere but in a Message.
    wrapped: bool,
    bounds: Bounds,
    /// Bytes of one text.
    string_bytes: usize,
    times: Times,
    /// The bytes of the record that was read last.
    record: &'a [u8],
    /// The bytes that were refused last.
    refused: &'a [u8],
    /// How many entries these are.
    refused_count: u64,
    /// Entries refused one after the other.
    refusals: u32,
}

/// After so many refused entries without a good one between, those up to the next good one are refused together: garbage,
/// or a bomb of it, would else make as many refusals as it has bytes.
const MAX_REFUSED: u32 = 100;

impl<'a> Entries<'a> {
    /// The entries of `body`; a compressed body has none before it is decompressed.
    /// A record deeper than `depth` (or 255, whatever is configured) or with more than `fields` fields is refused.
    pub fn new(body: &Body<'a>, depth: usize, fields: usize) -> Self {
        let (bytes, left, wrapped) = match body {
            Body::Message(bytes) => (*bytes, Some(1), false),
            Body::Forward(count, bytes) => (*bytes, Some(*count), true),
            Body::Packed(bytes) => (*bytes, None, true),
            Body::Compressed(..) | Body::OtherSignal => (&[][..], Some(0), true),
        };
        let bounds = Bounds { depth: depth.min(DEEPEST), fields: fields as u64, name_depth: 1 };
        Self {
            reader: Reader::new(bytes),
            left,
            wrapped,
            bounds,
            string_bytes: usize::MAX,
            times: Times::default(),
            record: &[],
            refused: &[],
            refused_count: 0,
            refusals: 0,
        }
    }

    /// Refuses a record with a text, or bytes, longer than `string_bytes`.
    pub fn with_texts_up_to(mut self, string_bytes: usize) -> Self {
        self.string_bytes = string_bytes;
        self
    }

    /// Takes a number that is plainly milliseconds for such, where `milliseconds`.
    pub fn with_milliseconds(mut self, milliseconds: bool) -> Self {
        self.times.milliseconds = milliseconds;
        self
    }

    /// How many times were mended: of years that cannot be written, or with too many nanoseconds.
    pub fn mended_times(&self) -> u32 {
        self.times.mended
    }

    /// Goes on behind the entries of the same frame of which the last `refusals` were refused.
    pub fn after(mut self, refusals: u32) -> Self {
        self.refusals = refusals;
        self
    }

    /// How many were refused without a good one behind them.
    pub fn refusals(&self) -> u32 {
        self.refusals
    }

    /// The bytes that the last error is about, and how many entries these are: one as a rule; all up to the next good one
    /// once many have been refused; all from it to the end where no more can be told apart.
    pub fn refused(&self) -> (&'a [u8], u64) {
        (self.refused, self.refused_count)
    }

    /// The bytes of the record that was read last.
    pub fn record(&self) -> &'a [u8] {
        self.record
    }

    /// How many entries there are at most, by the count or by the bytes: an entry is at least 4 bytes long.
    pub fn at_most(&self) -> u64 {
        self.left.map_or(self.reader.rest().len() as u64 / 4 + 1, u64::from)
    }

    /// The next event, its fields put into `fields`, which are to be empty. An entry of the wrong kind is an error of its
    /// own, after which the next one can be asked for; after malformed bytes there is no next.
    pub fn next(&mut self, fields: &mut Fields<'a>) -> Option<Result<Option<Timestamp>, DecodeError>> {
        let before = self.reader.clone();
        match self.try_next(fields)? {
            Ok(time) => {
                self.refusals = 0;
                Some(Ok(time))
            }
            Err(error) => {
                self.refuse(before);
                Some(Err(error))
            }
        }
    }

    /// The next event or error; the reader is behind the entry in both cases.
    #[inline(always)]
    fn try_next(&mut self, fields: &mut Fields<'a>) -> Option<Result<Option<Timestamp>, DecodeError>> {
        if self.reader.is_empty() || self.left == Some(0) {
            return None;
        }
        let before = self.reader.clone();
        let read = self.read_entry(fields);
        self.left = self.left.map(|left| left - 1);
        if let Err(error) = &read {
            self.reader = before;
            self.step_over(error);
        }
        Some(read)
    }

    /// Goes to the end of the entry at which the reader is, or to the end of all where it cannot be found.
    fn step_over(&mut self, error: &DecodeError) {
        let values = if self.wrapped { 1 } else { 2 };
        let rest = self.reader.rest();
        let end = whole_values(rest, values).filter(|_| !error.closes_connection());
        if end.is_none() {
            self.left = Some(0);
        }
        self.reader.pass(end.unwrap_or(rest.len()));
    }

    /// Notes that all from `before` on is refused: one entry, or, where many were before it, all that follow up to a good one.
    fn refuse(&mut self, before: Reader<'a>) {
        self.refusals = self.refusals.saturating_add(1);
        self.refused_count = 1;
        while self.refusals >= MAX_REFUSED {
            let (entry, left, mended) = (self.reader.clone(), self.left, self.times.mended);
            match self.try_next(&mut Fields::default()) {
                Some(Err(_)) => self.refused_count += 1,
                // A good one, which will be asked for, or the end.
                _ => {
                    (self.reader, self.left, self.times.mended) = (entry, left, mended);
                    break;
                }
            }
        }
        let start = before.rest();
        self.refused = start.get(..start.len() - self.reader.rest().len()).unwrap_or_default();
    }

    fn read_entry(&mut self, fields: &mut Fields<'a>) -> Result<Option<Timestamp>, DecodeError> {
        let time = match self.reader.usual_entry().filter(|_| self.wrapped) {
            Some((rest, time)) => {
                self.reader = rest;
                self.times.event_time(time)
            }
            None => self.read_head()?,
        };
        let start = self.reader.rest();
        read_map(&mut self.reader, fields, self.bounds)?;
        self.record = start.get(..start.len() - self.reader.rest().len()).unwrap_or_default();
        // why: most records are shorter than the longest text may be, and need no second look.
        if self.record.len() > self.string_bytes && longest_text(self.record) > self.string_bytes {
            return Err(DecodeError::Limit { key: "string_bytes", limit: self.string_bytes as u64 });
        }
        self.times.keep_original(fields);
        Ok(time)
    }

    /// All of an entry that stands before its record.
    fn read_head(&mut self) -> Result<Option<Timestamp>, DecodeError> {
        if self.wrapped {
            match self.reader.item()? {
                Item::Array(2) => (),
                Item::Array(_) => {
                    return Err(self.reader.unexpected("an entry that is no pair of time and record"));
                }
                _ => return Err(self.reader.unexpected("an entry that is no array")),
            }
        }
        self.read_time()
    }

    /// An EventTime, a number, nil; or one of these with metadata beside it: `[time, metadata]`.
    fn read_time(&mut self) -> Result<Option<Timestamp>, DecodeError> {
        let item = self.reader.item()?;
        if let Item::Array(2) = item {
            let inner = self.reader.item()?;
            let time = self.time_of(inner)?;
            let mut budget = self.bounds.fields;
            let skipped = self.reader.skip(self.bounds.depth, &mut budget);
            return skipped.map(|_| time).map_err(|fault| self.bounds.exceeded(fault));
        }
        self.time_of(item)
    }

    fn time_of(&mut self, item: Item<'_>) -> Result<Option<Timestamp>, DecodeError> {
        self.times.of(item).map_err(|NoTime| self.reader.unexpected("a time that is none"))
    }
}

/// The length of the longest text or binary in a value that was read before.
fn longest_text(value: &[u8]) -> usize {
    let mut reader = Reader::new(value);
    let mut longest = 0;
    while let Ok(item) = reader.item() {
        if let Item::Text(bytes) | Item::Binary(bytes) | Item::Extension(_, bytes) = item {
            longest = longest.max(bytes.len());
        }
    }
    longest
}

/// What holds for one record.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Maps and arrays inside one another.
    depth: usize,
    /// Fields, nested ones included.
    fields: u64,
    /// Where its names stand in the document; the root is 1.
    name_depth: usize,
}

impl Bounds {
    /// For bytes that were within the limits when they came in.
    pub(super) const fn settled(name_depth: usize) -> Self {
        Self { depth: DEEPEST, fields: u32::MAX as u64, name_depth }
    }

    fn exceeded(self, fault: SkipFault) -> DecodeError {
        match fault {
            SkipFault::Decode(error) => error,
            SkipFault::Depth => DecodeError::Limit { key: "depth", limit: self.depth as u64 },
            SkipFault::Fields => DecodeError::Limit { key: "fields", limit: self.fields },
        }
    }
}

/// Whether an entry, `[time, record]`, has a time of its own, so that its id begins with it.
pub fn is_dated(entry: &[u8]) -> bool {
    let mut entries = Entries::new(&Body::Packed(entry), DEEPEST, usize::MAX);
    matches!(entries.reader.item(), Ok(Item::Array(2))) && matches!(entries.read_time(), Ok(Some(_)))
}

/// The length of the value that `bytes` begin with; nothing where it is not whole.
#[cfg(fuzzing)]
pub(crate) fn length_of_value(bytes: &[u8]) -> Option<usize> {
    whole_values(bytes, 1)
}

/// Reads one record that stands alone, such as a kept part, into `fields`.
pub fn read_record<'a>(bytes: &'a [u8], fields: &mut Fields<'a>) -> Result<(), DecodeError> {
    read_map(&mut Reader::new(bytes), fields, Bounds::settled(1))
}

/// Reads the pairs of a map inside a record, whose names stand at `depth`.
pub fn read_pairs<'a>(
    reader: &mut Reader<'a>,
    pairs: u32,
    depth: usize,
    fields: &mut Fields<'a>,
) -> Result<(), DecodeError> {
    read_members(reader, pairs, fields, Bounds::settled(depth))
}

fn read_map<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a>, bounds: Bounds) -> Result<(), DecodeError> {
    if let Some(pairs) = reader.few_pairs() {
        return read_members(reader, pairs, fields, bounds);
    }
    match reader.item()? {
        Item::Map(pairs) => read_members(reader, pairs, fields, bounds),
        _ => Err(reader.unexpected("a record that is no map")),
    }
}

fn read_members<'a>(
    reader: &mut Reader<'a>,
    pairs: u32,
    fields: &mut Fields<'a>,
    bounds: Bounds,
) -> Result<(), DecodeError> {
    let mut budget = bounds.fields;
    for _ in 0..pairs {
        if let Some((name, text, rest)) = reader.usual_pair()
            && let Some(left) = budget.checked_sub(1)
        {
            fields.push_both(name, Value::Text(text));
            (*reader, budget) = (rest, left);
            continue;
        }
        let name = read_name(reader, bounds, &mut budget).map_err(|fault| bounds.exceeded(fault))?;
        let value = fields.push_read(name);
        read_value(reader, value, bounds, &mut budget).map_err(|fault| bounds.exceeded(fault))?;
    }
    fields.settle();
    Ok(())
}

/// A number or a truth as a name is written out; a map, an array or an extension becomes the base64 of its bytes.
pub(super) fn read_name<'a>(
    reader: &mut Reader<'a>,
    bounds: Bounds,
    budget: &mut u64,
) -> Result<Name<'a>, SkipFault> {
    let before = reader.clone();
    let name = match reader.item().map_err(SkipFault::Decode)? {
        Item::Text(name) | Item::Binary(name) => return Ok(event::legal_name_bytes(name, bounds.name_depth)),
        Item::Nil => "null".to_owned(),
        Item::Bool(truth) => truth.to_string(),
        Item::Unsigned(number) => number.to_string(),
        Item::Signed(number) => number.to_string(),
        Item::Single(number) => number.to_string(),
        Item::Double(number) => number.to_string(),
        Item::Array(_) | Item::Map(_) | Item::Extension(..) => {
            *reader = before;
            BASE64_STANDARD_NO_PAD.encode(reader.skip(bounds.depth, budget)?)
        }
    };
    Ok(event::legal_name(Cow::Owned(name), bounds.name_depth))
}

pub(super) fn read_value<'a>(
    reader: &mut Reader<'a>,
    into: &mut Value<'a>,
    bounds: Bounds,
    budget: &mut u64,
) -> Result<(), SkipFault> {
    let before = reader.clone();
    *into = match reader.item().map_err(SkipFault::Decode)? {
        Item::Text(text) => Value::Text(text),
        Item::Nil => Value::Null,
        Item::Bool(truth) => Value::Bool(truth),
        Item::Unsigned(number) => Value::Unsigned(number),
        Item::Signed(number) => Value::Signed(number),
        Item::Single(number) => Value::Single(number),
        Item::Double(number) => Value::Double(number),
        Item::Binary(bytes) => Value::Binary(bytes),
        Item::Array(_) | Item::Map(_) | Item::Extension(..) => {
            *reader = before;
            *into = Value::Packed(reader.skip(bounds.depth.saturating_sub(1), budget)?);
            return Ok(());
        }
    };
    *budget = budget.checked_sub(1).ok_or(SkipFault::Fields)?;
    Ok(())
}
