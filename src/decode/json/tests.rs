//! JSON against serde_json, which reads the same.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(json: &str) -> Result<rmpv::Value, DecodeError> {
    let mut out = Vec::new();
    json_to_msgpack(json.as_bytes(), &mut out)?;
    let mut rest = out.as_slice();
    let value = rmpv::decode::read_value(&mut rest).expect("msgpack");
    assert!(rest.is_empty(), "more than one value");
    Ok(value)
}

/// What serde_json reads, as msgpack has it.
fn expected(value: &Value) -> rmpv::Value {
    match value {
        Value::Null => rmpv::Value::Nil,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            // What it prints reads back as the float that it had.
            (None, None) => number.to_string().parse::<f64>().expect("a float").into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => rmpv::Value::Array(items.iter().map(expected).collect()),
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| (name.as_str().into(), expected(value)));
            rmpv::Value::Map(pairs.collect())
        }
    }
}

/// Maps without an order, as JSON objects are.
fn sorted(value: rmpv::Value) -> rmpv::Value {
    match value {
        rmpv::Value::Map(mut pairs) => {
            pairs.sort_by_key(|(name, _)| name.to_string());
            rmpv::Value::Map(pairs.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        rmpv::Value::Array(items) => rmpv::Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "\\PC{0,8}|[\\x00-\\x1f\"\\\\{}\\[\\]:,]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-c\"\\\\]{0,3}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

proptest! {
    #[test]
    fn what_serde_json_reads_is_read_the_same(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        prop_assert_eq!(sorted(read(&text.expect("JSON")).expect("read")), sorted(expected(&value)));
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in r#"[\[\]{}",: 0-9.eE+\-tnul\\]{0,16}"#) {
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text);
        prop_assert_eq!(theirs.is_ok(), read(&text).is_ok(), "{}", text);
    }

    #[test]
    fn the_end_is_found_wherever_the_bytes_are_cut(value in json().prop_filter("no frame", is_container), cut: usize) {
        let text = value.to_string();
        let stream = format!("{text}[1]");
        let mut scan = JsonScan::new(1 << 20);
        let cut = cut % text.len();
        for end in [cut, text.len() - 1] {
            prop_assert_eq!(scan.advance(&stream.as_bytes()[..end]), Ok(Scanned::Need(1)));
        }
        prop_assert_eq!(scan.advance(stream.as_bytes()), Ok(Scanned::Complete(text.len())));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        JsonScan::new(50).advance(&bytes).ok();
        json_to_msgpack(&bytes, &mut Vec::new()).ok();
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = "[".repeat(100_000);
    assert!(read(&deep).is_err());
    let closed = format!("{deep}{}", "]".repeat(deep.len()));
    let depth = |mut value: rmpv::Value| {
        let mut depth = 0;
        while let rmpv::Value::Array(mut members) = value {
            value = members.pop().expect("one member");
            depth += 1;
        }
        (depth, value)
    };
    assert_eq!(depth(read(&closed).expect("balanced")), (DEEPEST, rmpv::Value::Nil));
    let refused = JsonScan::new(10).advance(b"[\"a text of more than ten bytes");
    assert_eq!(refused, Err(DecodeError::Limit { key: "frame_bytes", limit: 10 }));
}

#[test]
fn half_of_a_surrogate_pair_and_what_is_no_utf8_reach_the_encoder() {
    for text in [&b"\"a\\ud83d\""[..], b"\"a\xff\""] {
        let mut out = Vec::new();
        json_to_msgpack(text, &mut out).expect("read");
        assert!(out.len() > 2 && str::from_utf8(&out[1..]).is_err(), "{out:x?}");
    }
}

#[test]
fn an_ack_is_json_whatever_the_chunk_is_called() {
    assert_eq!(json_ack(b"\xa3a\"b"), br#"{"ack":"a\"b"}"#);
}
