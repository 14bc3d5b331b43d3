//! An id or the name of an index as Elasticsearch takes it: a text, or a number or a truth as it is written.

use std::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Empty for null.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'de, str>, D::Error> {
    let value = <&RawValue>::deserialize(from)?.get();
    match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str(value).map_err(D::Error::custom),
        Some(b'{' | b'[') => Err(D::Error::custom("neither a text nor a number")),
        Some(b'n') => Ok(Cow::Borrowed("")),
        _ => Ok(Cow::Borrowed(value)),
    }
}
