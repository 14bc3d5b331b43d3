//! A frame as the protocol's specification has it, read plainly from an owned tree.

use rmpv::Value;
use rmpv::decode::read_value_with_max_depth;

use crate::reference::names;

/// How deep both sides follow values; what lies deeper is not compared.
pub const DEEPEST: usize = 200;

/// What bytes are.
#[derive(Debug)]
pub enum Read {
    /// A frame, whatever it holds, and its length.
    Frame(Plain, usize),
    /// The beginning of one, or of a value that goes too deep.
    Unknown,
}

/// One frame.
#[derive(Debug)]
pub enum Plain {
    /// A top-level nil.
    Heartbeat,
    /// No frame of the protocol.
    Refused,
    /// Metrics or traces.
    OtherSignal,
    /// Events.
    Events { tag: Vec<u8>, chunk: Option<Value>, entries: Entries },
}

/// A frame's events as they came.
#[derive(Debug)]
pub enum Entries {
    /// One after the other.
    Values(Vec<Value>),
    /// In bytes, compressed or not.
    Packed(Option<Compression>, Vec<u8>),
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

/// One event; a time of none is that of its coming.
#[derive(Debug)]
pub struct Event {
    pub time: Option<(i64, u32)>,
    pub record: Vec<(Value, Value)>,
}

/// Reads the first value of `bytes` as a frame.
pub fn read(bytes: &[u8]) -> Read {
    match value(bytes) {
        Some((value, rest)) => Read::Frame(frame(value), bytes.len() - rest.len()),
        None => Read::Unknown,
    }
}

/// The first value of `bytes`, and what is behind it.
pub fn value(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = read_value_with_max_depth(&mut rest, DEEPEST).ok()?;
    Some((value, rest))
}

/// Whether a map in `value` has a name that is an array, a map or an extension.
pub fn has_packed_name(value: &Value) -> bool {
    let is_packed = |name: &Value| name.is_array() || name.is_map() || name.is_ext();
    match value {
        Value::Array(items) => items.iter().any(has_packed_name),
        Value::Map(pairs) => pairs
            .iter()
            .any(|(name, value)| is_packed(name) || has_packed_name(name) || has_packed_name(value)),
        _ => false,
    }
}

fn frame(value: Value) -> Plain {
    match value {
        Value::Nil => Plain::Heartbeat,
        Value::Array(elements) => events(elements).unwrap_or(Plain::Refused),
        _ => Plain::Refused,
    }
}

fn events(elements: Vec<Value>) -> Option<Plain> {
    let count = elements.len();
    if !(2..=4).contains(&count) {
        return None;
    }
    let mut elements = elements.into_iter();
    let tag = bytes(elements.next()?)?;
    let second = elements.next()?;
    let is_time = |items: &[Value]| items.len() == 2 && count >= 3 && !items[0].is_array();
    let entries = match second {
        Value::Array(items) if !is_time(&items) => Entries::Values(items),
        Value::String(_) | Value::Binary(_) => Entries::Packed(None, bytes(second)?),
        time => Entries::Values(vec![Value::Array(vec![time, elements.next()?])]),
    };
    let options = options(elements.next())?;
    if options.is_other_signal {
        return Some(Plain::OtherSignal);
    }
    let entries = match (entries, options.compressed.as_deref()) {
        (Entries::Packed(_, bytes), Some(b"gzip")) => Entries::Packed(Some(Compression::Gzip), bytes),
        (Entries::Packed(_, bytes), Some(b"zstd")) => Entries::Packed(Some(Compression::Zstd), bytes),
        (Entries::Packed(_, bytes), Some(b"text")) => Entries::Packed(None, bytes),
        (Entries::Packed(..), Some(_)) => return None,
        (entries, _) => entries,
    };
    Some(Plain::Events { tag, chunk: options.chunk, entries })
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.into_bytes()),
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    }
}

#[derive(Default)]
struct Options {
    chunk: Option<Value>,
    compressed: Option<Vec<u8>>,
    is_other_signal: bool,
}

/// None where they are neither a map nor nil.
fn options(value: Option<Value>) -> Option<Options> {
    let mut options = Options::default();
    let pairs = match value {
        None | Some(Value::Nil) => Vec::new(),
        Some(Value::Map(pairs)) => pairs,
        Some(_) => return None,
    };
    for (key, value) in pairs {
        let Value::String(key) = key else { continue };
        match (key.as_bytes(), value) {
            (b"chunk", chunk @ (Value::String(_) | Value::Binary(_))) => options.chunk = Some(chunk),
            (b"compressed", Value::String(codec)) => options.compressed = Some(codec.into_bytes()),
            (b"fluent_signal", value) if value.is_u64() => {
                options.is_other_signal = matches!(value.as_u64(), Some(1 | 2));
            }
            _ => (),
        }
    }
    Some(options)
}

/// `[time, record]`; none where it is no entry. A time that cannot be written is a field of the record.
pub fn event(entry: Value) -> Option<Event> {
    let Value::Array(mut pair) = entry else { return None };
    let record = pair.pop().filter(|_| pair.len() == 1)?;
    let time = match pair.pop()? {
        Value::Array(with_metadata) if with_metadata.len() == 2 => with_metadata.into_iter().next()?,
        time => time,
    };
    let (time, original) = read_time(time)?;
    let Value::Map(mut record) = record else { return None };
    if let Some(original) = original {
        let taken = names(&record);
        let mut name = "forebay.time".to_owned();
        while taken.contains(&name) {
            name.push('_');
        }
        record.push((Value::from(name), original));
    }
    Some(Event { time, record })
}

/// A time, or none where that is of its coming; and the value that cannot be written but kept.
type Time = (Option<(i64, u32)>, Option<Value>);

/// None where it is no time.
fn read_time(value: Value) -> Option<Time> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    Some(match value {
        Value::Nil => (None, None),
        Value::Integer(number) if number.as_i64() == Some(0) => (None, None),
        Value::Integer(number) => match number.as_i64() {
            Some(seconds) if YEARS.contains(&seconds) => (Some((seconds, 0)), None),
            other => (None, other.map(Value::from)),
        },
        Value::F32(seconds) => float_time(f64::from(seconds)),
        Value::F64(seconds) => float_time(seconds),
        Value::Ext(0, bytes) if bytes.len() == 8 => {
            let (seconds, nanos) = (number(&bytes[..4]), number(&bytes[4..]));
            let is_now = seconds == 0 && nanos == 0;
            ((!is_now).then_some((i64::from(seconds), nanos.min(999_999_999))), None)
        }
        _ => return None,
    })
}

/// The seconds of the years 0 to 9999, less their last two days.
const YEARS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_207_200;

/// To the microsecond.
fn float_time(seconds: f64) -> Time {
    if !(*YEARS.start() as f64..=*YEARS.end() as f64).contains(&seconds) {
        let can_be_kept = seconds.abs() < i64::MAX as f64;
        return (None, can_be_kept.then(|| Value::from(seconds)));
    }
    let micros = ((seconds - seconds.floor()) * 1e6).round() as i64;
    let whole = seconds.floor() as i64 + micros / 1_000_000;
    if !YEARS.contains(&whole) {
        return (None, Some(Value::from(seconds)));
    }
    (Some((whole, (micros % 1_000_000 * 1_000) as u32)), None)
}
