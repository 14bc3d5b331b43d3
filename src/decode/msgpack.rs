//! msgpack over a borrowed slice: one item at a time, lengths checked against what is there.
//!
//! Source: the msgpack specification; the marker bytes are told apart by the `rmp` crate.

use rmp::Marker;

use super::DecodeError;
use crate::event::Name;

/// One msgpack item; of a map or an array only its count, the members follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// nil
    Nil,
    /// true, false
    Bool(bool),
    /// positive fixint, uint 8 to 64
    Unsigned(u64),
    /// negative fixint, int 8 to 64 below 0: what is not is the same number, however its sender wrote it
    Signed(i64),
    /// float 32
    Single(f32),
    /// float 64
    Double(f64),
    /// fixstr, str 8 to 32
    Text(&'a [u8]),
    /// bin 8 to 32
    Binary(&'a [u8]),
    /// fixarray, array 16 and 32: how many items follow
    Array(u32),
    /// fixmap, map 16 and 32: how many pairs follow
    Map(u32),
    /// fixext 1 to 16, ext 8 to 32: type and bytes
    Extension(i8, &'a [u8]),
}

/// What a marker says of the item it begins, before any of the item's own bytes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of the marker and its length field.
    pub(super) head: usize,
    /// Bytes that belong to the item itself.
    pub(super) body: u64,
    /// Items inside it that follow.
    pub(super) members: u64,
}

/// The shape of the item that begins `bytes`; `None` where its head is not all there yet.
pub(super) fn shape(bytes: &[u8]) -> Result<Option<Shape>, &'static str> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let sized = |width: usize, of: fn(u64) -> (u64, u64)| {
        big_endian(bytes, width).map(|length| {
            let (body, members) = of(length);
            Shape { head: 1 + width, body, members }
        })
    };
    let fixed = |body: u64| Some(Shape { head: 1, body, members: 0 });
    Ok(match Marker::from_u8(*first) {
        Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => fixed(0),
        Marker::U8 | Marker::I8 => fixed(1),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => fixed(2),
        Marker::FixExt2 => fixed(3),
        Marker::U32 | Marker::I32 | Marker::F32 => fixed(4),
        Marker::FixExt4 => fixed(5),
        Marker::U64 | Marker::I64 | Marker::F64 => fixed(8),
        Marker::FixExt8 => fixed(9),
        Marker::FixExt16 => fixed(17),
        Marker::FixStr(length) => fixed(u64::from(length)),
        Marker::Str8 | Marker::Bin8 => sized(1, |length| (length, 0)),
        Marker::Str16 | Marker::Bin16 => sized(2, |length| (length, 0)),
        Marker::Str32 | Marker::Bin32 => sized(4, |length| (length, 0)),
        Marker::Ext8 => sized(1, |length| (length + 1, 0)),
        Marker::Ext16 => sized(2, |length| (length + 1, 0)),
        Marker::Ext32 => sized(4, |length| (length + 1, 0)),
        Marker::FixArray(count) => Some(Shape { head: 1, body: 0, members: u64::from(count) }),
        Marker::Array16 => sized(2, |count| (0, count)),
        Marker::Array32 => sized(4, |count| (0, count)),
        Marker::FixMap(count) => Some(Shape { head: 1, body: 0, members: 2 * u64::from(count) }),
        Marker::Map16 => sized(2, |count| (0, 2 * count)),
        Marker::Map32 => sized(4, |count| (0, 2 * count)),
        Marker::Reserved => return Err("the reserved byte 0xc1"),
    })
}

/// The number in the `width` bytes after the marker, where they are there.
fn big_endian(bytes: &[u8], width: usize) -> Option<u64> {
    let field = bytes.get(1..1 + width)?;
    Some(field.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The text of less than 64 KiB that `bytes` begin with, and what is behind it.
#[inline(always)]
fn short_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match bytes {
        [first @ 0xa0..=0xbf, rest @ ..] => (usize::from(first & 0x1f), rest),
        [0xd9, length, rest @ ..] => (usize::from(*length), rest),
        [0xda, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Reads items off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How far it has come.
    pub fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Steps over `length` bytes, or all that are left, and gives them.
    pub(super) fn pass(&mut self, length: usize) -> &'a [u8] {
        let (passed, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        passed
    }

    pub(super) fn malformed(&self, what: &'static str) -> DecodeError {
        DecodeError::Malformed { what, offset: self.offset() }
    }

    pub(super) fn unexpected(&self, what: &'static str) -> DecodeError {
        DecodeError::Unexpected { what, offset: self.offset() }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| self.malformed("an item cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or_else(|| self.malformed("an item cut short"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn length8(&mut self) -> Result<usize, DecodeError> {
        Ok(usize::from(u8::from_be_bytes(self.array()?)))
    }

    fn length16(&mut self) -> Result<usize, DecodeError> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    fn length32(&mut self) -> Result<usize, DecodeError> {
        // why: on a narrower `usize` the length could not be in memory either, so `take` refuses it.
        Ok(usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX))
    }

    fn extension(&mut self, length: usize) -> Result<Item<'a>, DecodeError> {
        let [kind] = self.array()?;
        Ok(Item::Extension(i8::from_be_bytes([kind]), self.take(length)?))
    }

    /// A plain name, the text of less than 64 KiB behind it, and a reader behind both: what nearly all records are made of.
    #[inline]
    pub(super) fn usual_pair(&self) -> Option<(Name<'a>, &'a [u8], Self)> {
        let (name, rest) = short_text(self.rest)?;
        let (text, rest) = short_text(rest)?;
        Some((Name::plain_bytes(name)?, text, Self { rest, length: self.length }))
    }

    /// What nearly every entry begins with, an array of two with an EventTime in it: the eight bytes of the time, and a
    /// reader behind them.
    #[inline]
    pub(super) fn usual_entry(&self) -> Option<(Self, &'a [u8; 8])> {
        let (time, rest) = self.rest.strip_prefix(&[0x92, 0xd7, 0])?.split_first_chunk()?;
        Some((Self { rest, length: self.length }, time))
    }

    /// How many pairs follow, where the next item is a map of few; else nothing is read.
    #[inline]
    pub(super) fn few_pairs(&mut self) -> Option<u32> {
        let [first @ 0x80..=0x8f, rest @ ..] = self.rest else { return None };
        self.rest = rest;
        Some(u32::from(first & 0xf))
    }

    /// The next item.
    #[inline]
    pub fn item(&mut self) -> Result<Item<'a>, DecodeError> {
        let [first] = self.array()?;
        let marker = Marker::from_u8(first);
        Ok(match marker {
            Marker::FixStr(length) => Item::Text(self.take(usize::from(length))?),
            Marker::Str8 => {
                let length = self.length8()?;
                Item::Text(self.take(length)?)
            }
            Marker::Str16 => {
                let length = self.length16()?;
                Item::Text(self.take(length)?)
            }
            Marker::FixMap(count) => Item::Map(u32::from(count)),
            Marker::FixArray(count) => Item::Array(u32::from(count)),
            Marker::FixPos(number) => Item::Unsigned(u64::from(number)),
            Marker::Null => Item::Nil,
            Marker::True => Item::Bool(true),
            Marker::False => Item::Bool(false),
            Marker::FixNeg(number) => Item::Signed(i64::from(number)),
            Marker::F32 => Item::Single(f32::from_be_bytes(self.array()?)),
            Marker::F64 => Item::Double(f64::from_be_bytes(self.array()?)),
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => self.unsigned(marker)?,
            Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => self.signed(marker)?,
            Marker::Array16 => Item::Array(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Array32 => Item::Array(u32::from_be_bytes(self.array()?)),
            Marker::Map16 => Item::Map(u32::from(u16::from_be_bytes(self.array()?))),
            Marker::Map32 => Item::Map(u32::from_be_bytes(self.array()?)),
            Marker::Reserved => return Err(self.malformed("the reserved byte 0xc1")),
            Marker::Str32 => {
                let length = self.length32()?;
                Item::Text(self.take(length)?)
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.sized(marker)?;
                Item::Binary(self.take(length)?)
            }
            _ => {
                let length = self.sized(marker)?;
                self.extension(length)?
            }
        })
    }

    fn unsigned(&mut self, marker: Marker) -> Result<Item<'a>, DecodeError> {
        Ok(Item::Unsigned(match marker {
            Marker::U8 => u64::from(u8::from_be_bytes(self.array()?)),
            Marker::U16 => u64::from(u16::from_be_bytes(self.array()?)),
            Marker::U32 => u64::from(u32::from_be_bytes(self.array()?)),
            _ => u64::from_be_bytes(self.array()?),
        }))
    }

    fn signed(&mut self, marker: Marker) -> Result<Item<'a>, DecodeError> {
        let number = match marker {
            Marker::I8 => i64::from(i8::from_be_bytes(self.array()?)),
            Marker::I16 => i64::from(i16::from_be_bytes(self.array()?)),
            Marker::I32 => i64::from(i32::from_be_bytes(self.array()?)),
            _ => i64::from_be_bytes(self.array()?),
        };
        Ok(u64::try_from(number).map_or(Item::Signed(number), Item::Unsigned))
    }

    /// The length of bytes or of an extension.
    fn sized(&mut self, marker: Marker) -> Result<usize, DecodeError> {
        match marker {
            Marker::FixExt1 => Ok(1),
            Marker::FixExt2 => Ok(2),
            Marker::FixExt4 => Ok(4),
            Marker::FixExt8 => Ok(8),
            Marker::FixExt16 => Ok(16),
            Marker::Bin8 | Marker::Ext8 => self.length8(),
            Marker::Bin16 | Marker::Ext16 => self.length16(),
            _ => self.length32(),
        }
    }

    /// Steps over one whole value, members and all, and gives its bytes.
    /// `depth` is how many more maps and arrays may lie inside one another, `budget` how many values there may be.
    pub(super) fn skip(&mut self, depth: usize, budget: &mut u64) -> Result<&'a [u8], SkipFault> {
        let start = self.rest;
        self.skip_value(depth, budget)?;
        start
            .get(..start.len() - self.rest.len())
            .ok_or_else(|| SkipFault::Decode(self.malformed("an item cut short")))
    }

    fn skip_value(&mut self, depth: usize, budget: &mut u64) -> Result<(), SkipFault> {
        *budget = budget.checked_sub(1).ok_or(SkipFault::Fields)?;
        let members = match self.item().map_err(SkipFault::Decode)? {
            Item::Array(count) => u64::from(count),
            Item::Map(count) => 2 * u64::from(count),
            _ => return Ok(()),
        };
        let depth = depth.checked_sub(1).ok_or(SkipFault::Depth)?;
        for _ in 0..members {
            self.skip_value(depth, budget)?;
        }
        Ok(())
    }
}

/// Why a value could not be stepped over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SkipFault {
    /// It is no msgpack.
    Decode(DecodeError),
    /// Its maps and arrays lie too deep in one another.
    Depth,
    /// It has too many values in it.
    Fields,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The items and shapes of every marker must tell the same length, for whatever bytes follow.
    fn shape_and_item_agree(bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        let text = short_text(bytes).map(|(text, _)| text);
        match (shape(bytes), reader.item()) {
            (Ok(Some(shape)), Ok(item)) => {
                let short = bytes.first().is_some_and(|first| matches!(first, 0xa0..=0xbf | 0xd9 | 0xda));
                assert_eq!(text.map(Item::Text), short.then_some(item));
                assert_eq!(reader.offset() as u64, shape.head as u64 + shape.body, "{item:?}");
                let members = match item {
                    Item::Array(count) => u64::from(count),
                    Item::Map(count) => 2 * u64::from(count),
                    _ => 0,
                };
                assert_eq!(members, shape.members);
            }
            (Ok(Some(shape)), Err(_)) => {
                assert!(shape.head as u64 + shape.body > bytes.len() as u64 && text.is_none());
            }
            (Ok(None) | Err(_), item) => assert!(item.is_err() && text.is_none(), "{item:?}"),
        }
    }

    #[test]
    fn every_marker_has_the_same_length_for_the_scan_and_for_the_reader() {
        for marker in 0..=u8::MAX {
            for length in [0_u8, 1, 7] {
                let mut bytes = vec![marker, 0, 0, 0, length];
                bytes.extend([0; 300]);
                shape_and_item_agree(&bytes);
                bytes.truncate(4);
                shape_and_item_agree(&bytes);
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            shape_and_item_agree(&bytes);
            let mut reader = Reader::new(&bytes);
            let mut budget = 1000;
            while !reader.is_empty() && reader.skip(10, &mut budget).is_ok() {}
        }
    }

    #[test]
    fn a_number_is_the_same_whether_it_came_signed_or_not() {
        for bytes in [&[0xd0, 1][..], &[0xd1, 0, 1], &[0xd2, 0, 0, 0, 1], &[0xd3, 0, 0, 0, 0, 0, 0, 0, 1]] {
            assert_eq!(Reader::new(bytes).item(), Ok(Item::Unsigned(1)), "{bytes:x?}");
        }
        assert_eq!(Reader::new(&[0xd0, 0xff]).item(), Ok(Item::Signed(-1)));
    }

    #[test]
    fn a_declared_count_of_four_billion_is_refused_by_the_bytes_that_are_missing() {
        let mut budget = u64::MAX;
        let fault = Reader::new(&[0xdd, 0xff, 0xff, 0xff, 0xff]).skip(10, &mut budget);
        assert_eq!(
            fault,
            Err(SkipFault::Decode(DecodeError::Malformed { what: "an item cut short", offset: 5 }))
        );
    }

    #[test]
    fn maps_inside_one_another_are_followed_to_the_limit_and_no_further() {
        let deep = [0x91; 100_000];
        assert_eq!(Reader::new(&deep).skip(64, &mut u64::MAX.clone()), Err(SkipFault::Depth));
        assert!(Reader::new(&[0x91, 0x91, 0x01]).skip(2, &mut 10).is_ok());
        assert_eq!(Reader::new(&[0x91, 0x91, 0x01]).skip(1, &mut 10), Err(SkipFault::Depth));
        assert_eq!(Reader::new(&[0x93, 1, 2, 3]).skip(1, &mut 3), Err(SkipFault::Fields));
    }
}
