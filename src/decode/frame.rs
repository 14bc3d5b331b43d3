//! The view into one complete frame: its mode, tag, entries and options.
//!
//! The mode is told by the second element, as the reference server does: a text or bytes is PackedForward, an array is
//! Forward, anything else is the time of a Message.

use super::msgpack::{Item, Reader};
use super::scan::whole_values;
use super::{Codec, DecodeError};

/// One frame of the forward protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// The tag, as sent.
    pub tag: &'a [u8],
    /// Its events.
    pub body: Body<'a>,
    /// `chunk`, where the sender wants an ack, as one msgpack value: to be sent back byte for byte.
    pub chunk: Option<&'a [u8]>,
}

/// A frame's events, by mode.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<'a> {
    /// `[tag, time, record, option?]`: the bytes of time and record.
    Message(&'a [u8]),
    /// `[tag, [[time, record], …], option?]`: how many, and the bytes of the entries.
    Forward(u32, &'a [u8]),
    /// `[tag, entries, option?]`: the bytes of the entries.
    Packed(&'a [u8]),
    /// The same, compressed.
    Compressed(Codec, &'a [u8]),
    /// Metrics or traces (`fluent_signal` 1 and 2): nothing for a log server.
    OtherSignal,
}

impl Body<'_> {
    /// The mode's name, for metrics.
    pub fn mode(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Forward(..) => "forward",
            Self::Packed(_) => "packed_forward",
            Self::Compressed(..) => "compressed_packed_forward",
            Self::OtherSignal => "other_signal",
        }
    }

    /// The bytes as they came, from which ids are derived.
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Message(bytes)
            | Self::Forward(_, bytes)
            | Self::Packed(bytes)
            | Self::Compressed(_, bytes) => bytes,
            Self::OtherSignal => &[],
        }
    }
}

#[derive(Default)]
struct Options<'a> {
    chunk: Option<&'a [u8]>,
    compressed: Option<&'a [u8]>,
    signal: u64,
}

impl<'a> Frame<'a> {
    /// Reads a complete frame; `None` for a top-level nil, which is a heartbeat.
    pub fn read(bytes: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let count = match reader.item()? {
            Item::Nil => return Ok(None),
            Item::Array(count) => count,
            // Another protocol, most likely: nothing that follows can be told apart.
            _ => return Err(DecodeError::Malformed { what: "a frame that is no array", offset: 0 }),
        };
        if !(2..=4).contains(&count) {
            return Err(reader.unexpected("a frame that has not two to four elements"));
        }
        let tag = match reader.item()? {
            Item::Text(tag) | Item::Binary(tag) => tag,
            _ => return Err(reader.unexpected("a tag that is no text")),
        };
        let (body, taken) = Self::read_body(&mut reader, count)?;
        let options = if count > taken { read_options(&mut reader)? } else { Options::default() };
        let body = if matches!(options.signal, 1 | 2) { Body::OtherSignal } else { body };
        let body = match (body, options.compressed) {
            (Body::Packed(entries), Some(codec)) => compressed(entries, codec, &reader)?,
            (body, _) => body,
        };
        Ok(Some(Self { tag, body, chunk: options.chunk }))
    }

    /// What can be told of a frame that was refused as a whole: its tag, and the chunk that its sender waits for.
    pub fn remains(bytes: &'a [u8]) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        let mut reader = Reader::new(bytes);
        let Ok(Item::Array(count @ 2..)) = reader.item() else { return (None, None) };
        let tag = match reader.clone().item() {
            Ok(Item::Text(tag) | Item::Binary(tag)) => Some(tag),
            _ => None,
        };
        if skip_values(&mut reader, u64::from(count) - 1).is_err() {
            return (tag, None);
        }
        (tag, chunk_of(reader.rest()))
    }

    /// The body, and how many of the frame's elements are read with it.
    fn read_body(reader: &mut Reader<'a>, count: u32) -> Result<(Body<'a>, u32), DecodeError> {
        let start = reader.rest();
        Ok(match reader.item()? {
            Item::Text(entries) | Item::Binary(entries) => (Body::Packed(entries), 2),
            Item::Array(entries) if !is_event_time_pair(entries, count, reader) => {
                let bytes = skip_values(reader, u64::from(entries))?;
                (Body::Forward(entries, bytes), 2)
            }
            _ if count < 3 => return Err(reader.unexpected("a message without a record")),
            first => {
                skip_members(reader, first)?;
                skip_values(reader, 1)?;
                let length = start.len() - reader.rest().len();
                (Body::Message(start.get(..length).unwrap_or_default()), 3)
            }
        })
    }
}

/// Tells `[tag, [time, metadata], record]` from `[tag, [[time, record], …], option]`: only in the former does the
/// array hold two items of which the first is no array.
fn is_event_time_pair(entries: u32, count: u32, reader: &Reader<'_>) -> bool {
    let first = reader.clone().item();
    entries == 2 && count >= 3 && !matches!(first, Ok(Item::Array(_)) | Err(_))
}

/// However deep they go: whatever limit holds for a record is applied when it is read.
fn skip_values<'a>(reader: &mut Reader<'a>, count: u64) -> Result<&'a [u8], DecodeError> {
    let length = whole_values(reader.rest(), count);
    length.map(|length| reader.pass(length)).ok_or_else(|| reader.malformed("an item cut short"))
}

fn skip_members(reader: &mut Reader<'_>, item: Item<'_>) -> Result<(), DecodeError> {
    let members = match item {
        Item::Array(count) => u64::from(count),
        Item::Map(count) => 2 * u64::from(count),
        _ => 0,
    };
    skip_values(reader, members).map(|_| ())
}

/// Options are a map, nil, or not there; keys that are not known are passed over.
fn read_options<'a>(reader: &mut Reader<'a>) -> Result<Options<'a>, DecodeError> {
    let mut options = Options::default();
    let pairs = match reader.item()? {
        Item::Nil => 0,
        Item::Map(pairs) => pairs,
        _ => return Err(reader.unexpected("options that are no map")),
    };
    for _ in 0..pairs {
        let key = reader.item()?;
        skip_members(reader, key)?;
        let before = reader.rest();
        let value = reader.item()?;
        match (key, value) {
            (Item::Text(b"chunk"), Item::Text(_) | Item::Binary(_)) => {
                options.chunk = before.get(..before.len() - reader.rest().len());
            }
            (Item::Text(b"compressed"), Item::Text(codec)) => options.compressed = Some(codec),
            (Item::Text(b"fluent_signal"), Item::Unsigned(signal)) => options.signal = signal,
            (_, value) => skip_members(reader, value)?,
        }
    }
    Ok(options)
}

/// The chunk that `options`, a frame's last element, name.
pub(super) fn chunk_of(options: &[u8]) -> Option<&[u8]> {
    read_options(&mut Reader::new(options)).ok().and_then(|options| options.chunk)
}

fn compressed<'a>(entries: &'a [u8], codec: &[u8], reader: &Reader<'_>) -> Result<Body<'a>, DecodeError> {
    match codec {
        b"text" => Ok(Body::Packed(entries)),
        b"gzip" => Ok(Body::Compressed(Codec::Gzip, entries)),
        b"zstd" => Ok(Body::Compressed(Codec::Zstd, entries)),
        _ => Err(reader.unexpected("a compression that is none of text, gzip and zstd")),
    }
}
