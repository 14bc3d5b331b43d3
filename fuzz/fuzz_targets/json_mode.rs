//! A frame in JSON, found and written again as msgpack, against serde_json and `rmpv`.
//!
//! - Where serde_json reads an array or an object, the scan finds its end, however the bytes are cut, and it can be
//!   written; what can be written, serde_json reads.
//! - What was written says the same. Bytes that are no UTF-8, control characters in texts, halves of surrogate pairs and
//!   numbers that no float can hold are taken here and not there; what lies deeper than a hundred is not compared.
//!
//! Input: a byte for the size of the pieces, then the bytes.
#![no_main]

use forebay::decode::{DecodeError, JsonScan, Scanned, json_to_msgpack};
use forebay_fuzz::input::Input;
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// Bytes of a frame.
const LIMIT: u64 = 1 << 20;

/// Arrays and objects inside one another that are compared.
const DEEPEST: usize = 100;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let piece = usize::from(input.byte()) + 1;
    let bytes = input.0;
    let found = JsonScan::new(LIMIT).advance(bytes);
    assert_eq!(in_pieces(bytes, piece), found);
    let theirs = theirs(bytes);
    let Ok(Scanned::Complete(length)) = found else {
        assert_eq!(theirs, None, "{found:?}");
        return;
    };
    let mut written = Vec::new();
    let ours = json_to_msgpack(&bytes[..length], &mut written).map(|()| length).ok();
    let has_control = bytes[..length].iter().any(u8::is_ascii_control);
    if theirs.is_some() || (!has_control && std::str::from_utf8(&bytes[..length]).is_ok()) {
        assert_eq!(ours, theirs);
    }
    if ours.is_some() {
        says_the_same(&bytes[..length], &written);
    }
});

/// The answer of a scan that sees the bytes piece by piece.
fn in_pieces(bytes: &[u8], piece: usize) -> Result<Scanned, DecodeError> {
    let mut scan = JsonScan::new(LIMIT);
    let ends = (piece..bytes.len()).step_by(piece).chain([bytes.len()]);
    let mut answer = Ok(Scanned::Need(1));
    for end in ends {
        answer = scan.advance(&bytes[..end]);
        if answer != Ok(Scanned::Need(1)) {
            break;
        }
    }
    answer
}

/// The length of the array or the object that serde_json finds at the beginning.
fn theirs(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"[") && !bytes.starts_with(b"{") {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

fn says_the_same(json: &[u8], written: &[u8]) {
    let mut rest = written;
    let ours = rmpv::decode::read_value_with_max_depth(&mut rest, 400).expect("one value");
    assert!(rest.is_empty(), "and nothing behind it");
    // It has limits of its own, and refuses what is no `str` or no float.
    let Ok(theirs) = serde_json::from_slice::<Json>(json) else { return };
    assert!(same(&ours, &theirs, DEEPEST), "\n ours: {ours}\ntheirs: {theirs}");
}

fn same(ours: &rmpv::Value, theirs: &Json, depth: usize) -> bool {
    if depth == 0 {
        return true;
    }
    match (ours, theirs) {
        (rmpv::Value::Nil, Json::Null) => true,
        (rmpv::Value::Boolean(ours), Json::Bool(theirs)) => ours == theirs,
        // `-0` is a float there.
        (rmpv::Value::Integer(ours), Json::Number(theirs)) if theirs.is_f64() => {
            ours.as_f64() == theirs.as_f64()
        }
        (rmpv::Value::Integer(ours), Json::Number(theirs)) => {
            (ours.as_u64(), ours.as_i64()) == (theirs.as_u64(), theirs.as_i64())
        }
        (rmpv::Value::F64(ours), Json::Number(theirs)) => theirs
            .as_f64()
            .is_some_and(|theirs| (ours - theirs).abs() <= 1e-14 * ours.abs().max(theirs.abs())),
        (rmpv::Value::String(ours), Json::String(theirs)) => ours.as_str() == Some(theirs),
        (rmpv::Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs, depth - 1))
        }
        (rmpv::Value::Map(ours), Json::Object(theirs)) => {
            // Of a repeated name the last counts there; all are kept here.
            let last = |name: &str| ours.iter().rev().find(|(key, _)| key.as_str() == Some(name));
            ours.iter().all(|(key, _)| key.as_str().is_some_and(|key| theirs.contains_key(key)))
                && theirs
                    .iter()
                    .all(|(name, theirs)| last(name).is_some_and(|(_, ours)| same(ours, theirs, depth - 1)))
        }
        _ => false,
    }
}
