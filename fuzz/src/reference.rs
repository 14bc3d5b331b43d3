//! The plain conversion of records, for the targets.

use rmpv::Value;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::plain;

/// The document of a record, less `@timestamp` and `event.sequence`.
pub fn document(record: &[(Value, Value)]) -> Json {
    plain::document(record)
}

/// What becomes of a name at the root of a document.
pub fn name(name: &str) -> String {
    let record = [(Value::from(name), Value::Nil)];
    plain::fields(&record, 1).remove(0).0
}

/// What becomes of all names of a record.
pub fn names(record: &[(Value, Value)]) -> Vec<String> {
    plain::fields(record, 1).into_iter().map(|(name, _)| name).collect()
}

/// `seconds` since 1970 as documents have it.
pub fn rfc3339(seconds: i64, nanos: u32) -> String {
    plain::rfc3339(seconds, u64::from(nanos))
}

/// The shortest msgpack of a value.
pub fn shortest(value: &Value) -> Vec<u8> {
    plain::msgpack(value)
}

/// Whether two documents are the same.
pub fn same(ours: &Json, theirs: &Json) -> bool {
    plain::same(ours, theirs)
}

/// All members of a JSON object, in their order, repeated ones too; none where `json` is no object.
pub fn members(json: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str(json).ok().map(|plain::Members(members)| members)
}
