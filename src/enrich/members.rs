//! What lies in an object or an array, of msgpack or of a line's JSON, one by one, without a table of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::decode;
use crate::event::{self, Name, Value};
use crate::parse::BorrowedName;

/// Hands the names, legal at `depth`, and values of the object `value` to `each`; false where it is none.
pub(super) fn of_object<'a>(
    value: &Value<'a>,
    depth: usize,
    mut each: impl FnMut(Name<'a>, Value<'a>),
) -> bool {
    match *value {
        Value::Packed(packed) => decode::map_members(packed, depth, each),
        Value::Json(json) if json.starts_with('{') => {
            let each = |name, value| each(event::legal_name(name, depth), value);
            serde_json::Deserializer::from_str(json).deserialize_map(Members(each)).is_ok()
        }
        _ => false,
    }
}

/// Hands the elements of the array `value` to `each`; false where it is none.
pub(super) fn of_array<'a>(value: &Value<'a>, each: impl FnMut(Value<'a>)) -> bool {
    match *value {
        Value::Packed(packed) => decode::array_elements(packed, each),
        Value::Json(json) if json.starts_with('[') => {
            serde_json::Deserializer::from_str(json).deserialize_seq(Elements(each)).is_ok()
        }
        _ => false,
    }
}

/// The value at `rest`, which may lead through several objects, in the object `value`, whose members stand at `depth`.
pub(super) fn find<'a>(value: &Value<'a>, rest: &str, depth: usize) -> Option<Value<'a>> {
    let mut found = None;
    of_object(value, depth, |name, value| {
        if name == rest {
            found = Some(value);
        } else if let Some(rest) = rest.strip_prefix(&*name).and_then(|rest| rest.strip_prefix('.'))
            && value.is_object()
        {
            found = find(&value, rest, depth + 1).or(found.take());
        }
    });
    found
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, Value<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<BorrowedName<'de>, &'de RawValue>()? {
            self.0(name.0, Value::Json(value.get()));
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(Value<'de>)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<&'de RawValue>()? {
            self.0(Value::Json(value.get()));
        }
        Ok(())
    }
}
