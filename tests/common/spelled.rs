//! Bytes of the forward protocol, spelled out as the twins of the fixtures do it: read plainly, value by value, so that the
//! daemon's own reading is not what proves itself.

use jiff::Timestamp;
use rmpv::Value as Packed;
use serde_json::{Map, Value, json};

use super::archive;

/// Asserts that `frame`, as it is spelled out, says what the next value of the wire does.
pub(crate) fn assert_spells(frame: &Value, wire: &Packed, name: &str) {
    let Some(mode) = frame["mode"].as_str() else { return };
    if mode == "heartbeat" {
        return assert!(wire.is_nil(), "{name}: {wire}");
    }
    assert_eq!(frame["tag"], plain(&wire[0]), "the tag of {name}");
    let option = &wire[if mode == "message" { 3 } else { 2 }];
    if let Some(spelled) = frame.get("option") {
        assert_eq!(spelled, &plain(option), "the option of {name}");
    }
    let Some(events) = frame["events"].as_array() else { return };
    let entries = match mode {
        "message" => vec![Packed::Array(vec![wire[1].clone(), wire[2].clone()])],
        "forward" => wire[1].as_array().expect("entries").clone(),
        _ => unpacked(&wire[1], &plain(option)["compressed"]),
    };
    assert_eq!(events.len(), entries.len(), "the events of {name}");
    events.iter().zip(&entries).for_each(|(event, entry)| assert_event(event, entry, name));
}

/// The values of the wire, one after the other, up to the first that is not whole; behind a PROXY header, if there is one.
pub(crate) fn values(bytes: &[u8], is_json: bool) -> Vec<Packed> {
    if is_json {
        let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
        let packed = values.map(|value| rmp_serde::to_vec(&value.expect("JSON")).expect("memory takes all"));
        return all(&packed.collect::<Vec<_>>().concat());
    }
    all(&bytes[header(bytes)..])
}

/// Bytes of a PROXY header.
fn header(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"PROXY ") {
        return 1 + bytes.iter().position(|byte| *byte == b'\n').expect("an end of the line");
    }
    let is_second = bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n");
    if is_second { 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]])) } else { 0 }
}

fn all(mut bytes: &[u8]) -> Vec<Packed> {
    std::iter::from_fn(|| rmpv::decode::read_value(&mut bytes).ok()).collect()
}

fn unpacked(body: &Packed, compressed: &Value) -> Vec<Packed> {
    let bytes = match body {
        Packed::String(text) => text.as_bytes(),
        Packed::Binary(bytes) => bytes,
        other => panic!("no entries: {other}"),
    };
    match compressed.as_str() {
        Some("gzip") => all(&archive::gunzip(bytes)),
        Some("zstd") => all(&archive::unzstd(bytes)),
        _ => all(bytes),
    }
}

fn assert_event(event: &Value, entry: &Packed, name: &str) {
    let Some(spelled) = event.as_object() else {
        return assert_eq!(event, &plain(entry), "an event of {name}");
    };
    assert_eq!(spelled["record"], plain(&entry[1]), "a record of {name}");
    // Beside its metadata, where an event has some.
    let time = entry[0].as_array().map_or(&entry[0], |pair| &pair[0]);
    let Some(expected) = spelled["time"].as_str() else { return };
    match expected.parse::<Timestamp>() {
        Ok(expected) => assert_time(expected, time, name),
        Err(_) => assert_eq!(spelled["time"], plain(time), "a time of {name}"),
    }
}

/// Times that the protocol cannot mean are spelled as what is made of them: a nanosecond below the next second, milliseconds.
fn assert_time(expected: Timestamp, time: &Packed, name: &str) {
    const MILLISECONDS: f64 = 1e11;
    let nanoseconds = match time {
        Packed::Ext(0, bytes) => {
            let part = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            i128::from(part(0)) * 1_000_000_000 + i128::from(part(4).min(999_999_999))
        }
        number => {
            let number = number.as_f64().expect("a number");
            (number * if number >= MILLISECONDS { 1e6 } else { 1e9 }).round() as i128
        }
    };
    // A number that is read as a float holds no nanoseconds.
    let bound = if time.is_ext() { 0 } else { 1_000 };
    let off = (expected.as_nanosecond() - nanoseconds).abs();
    assert!(off <= bound, "{name}: {time} is not {expected}");
}

/// A value as the README of the fixtures has it.
fn plain(value: &Packed) -> Value {
    match value {
        Packed::Array(items) => items.iter().map(plain).collect(),
        Packed::Map(pairs) => {
            let pair =
                |(key, value): &(Packed, Packed)| (key.as_str().expect("text").to_owned(), plain(value));
            Value::Object(pairs.iter().map(pair).collect::<Map<_, _>>())
        }
        Packed::String(text) => text_of(text.as_bytes()),
        Packed::Binary(bytes) => text_of(bytes),
        Packed::Nil => Value::Null,
        Packed::Boolean(flag) => (*flag).into(),
        Packed::Integer(number) => number.as_u64().map_or_else(|| json!(number.as_i64()), Value::from),
        Packed::F32(number) => (*number).into(),
        Packed::F64(number) => (*number).into(),
        other => panic!("no twin holds {other}"),
    }
}

/// str and bin alike: whether a text came as the one or the other shows in the bytes.
fn text_of(bytes: &[u8]) -> Value {
    let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    str::from_utf8(bytes).map_or_else(|_| json!({ "$bytes": hex() }), Value::from)
}
