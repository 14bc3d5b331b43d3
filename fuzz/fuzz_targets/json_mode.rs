//! A stream of JSON frames: where a value ends, and the value as msgpack, against serde_json.
//!
//! - Where serde_json finds a whole array or object, the scan finds the same end, wherever the bytes are cut; where they are
//!   no JSON it may find an end all the same, and then the value is refused.
//! - What serde_json takes is taken, and reads back from msgpack as the same value; what it refuses is refused.
//! - An ack is one JSON object with the chunk's name.
//!
//! Deliberate differences: texts that are no UTF-8, and halves of surrogate pairs, are taken; a number that no float holds is
//! infinite; what lies deeper than any record may be is nil.
//!
//! Input: two bytes that say where the stream is cut, then the stream.
#![no_main]

use forebay::decode::{JsonScan, Scanned, blanks, json_ack, json_to_msgpack};
use forebay_fuzz::input::Input;
use forebay_fuzz::members::Members;
use rmpv::Value as Msgpack;
use serde_json::value::RawValue;

const LIMIT: u64 = 1 << 16;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let cut = input.short();
    let stream = &input.0[blanks(input.0)..];
    let whole = JsonScan::new(LIMIT).advance(stream);
    let mut scan = JsonScan::new(LIMIT);
    let first = scan.advance(&stream[..cut.min(stream.len())]);
    let again = if matches!(first, Ok(Scanned::Need(_))) { scan.advance(stream) } else { first };
    assert_eq!(again, whole, "cut at {cut}");
    let mut values = serde_json::Deserializer::from_slice(stream).into_iter::<&RawValue>();
    if let Some(Ok(theirs)) = values.next()
        && theirs.get().starts_with(['[', '{'])
    {
        assert_eq!(whole, Ok(Scanned::Complete(theirs.get().len())), "{theirs}");
    }
    if let Ok(Scanned::Complete(length)) = whole {
        value(&stream[..length]);
    }
    ack(stream);
});

fn value(json: &[u8]) {
    let mut out = Vec::new();
    let ours = json_to_msgpack(json, &mut out);
    let Ok(json) = std::str::from_utf8(json) else { return };
    let theirs = serde_json::from_str::<&RawValue>(json);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{json}");
    if let Ok(theirs) = theirs {
        let mut rest = out.as_slice();
        let ours = rmpv::decode::read_value_with_max_depth(&mut rest, 2_000).expect("msgpack");
        assert!(rest.is_empty(), "more than one value");
        agree(&ours, theirs.get());
    }
}

fn agree(ours: &Msgpack, theirs: &str) {
    match ours {
        Msgpack::Array(ours) => {
            let theirs: Vec<&RawValue> = serde_json::from_str(theirs).expect("an array");
            assert_eq!(ours.len(), theirs.len());
            ours.iter().zip(theirs).for_each(|(ours, theirs)| agree(ours, theirs.get()));
        }
        Msgpack::Map(ours) => {
            // One with half of a surrogate pair in a name is an object to nobody but to us.
            let Ok(Members(theirs)) = serde_json::from_str(theirs) else { return };
            assert_eq!(ours.len(), theirs.len());
            for ((name, value), (their_name, theirs)) in ours.iter().zip(theirs) {
                assert_eq!(name.as_str(), Some(&*their_name));
                agree(value, theirs.get());
            }
        }
        Msgpack::String(text) => {
            if let Ok(theirs) = serde_json::from_str::<String>(theirs) {
                assert_eq!(text.as_str(), Some(&*theirs));
            }
        }
        Msgpack::F64(number) => assert_eq!(Ok(*number), theirs.parse()),
        Msgpack::Nil => assert!(theirs == "null" || theirs.starts_with(['[', '{']), "{theirs}"),
        other => assert_eq!(
            other.to_string(),
            theirs.strip_prefix("-0").map_or(theirs, |rest| if rest.is_empty() { "0" } else { theirs })
        ),
    }
}

fn ack(name: &[u8]) {
    let mut chunk = Vec::new();
    rmp::encode::write_str_len(&mut chunk, name.len() as u32).expect("memory");
    chunk.extend_from_slice(name);
    let ack: serde_json::Value = serde_json::from_slice(&json_ack(&chunk)).expect("JSON");
    assert_eq!(ack["ack"], *String::from_utf8_lossy(name));
}
