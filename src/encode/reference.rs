//! What a document should be, written plainly over an owned tree: tests and fuzz targets hold the encoder against it.
//!
//! It shares no code with the encoder. Values are `rmpv::Value`, whose maps keep their order and repeated names.

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use rmpv::Value;
use serde_json::Value as Json;

/// Objects inside one another that an index takes.
const INDEX_DEPTH: usize = 20;
/// As far as objects are followed that are kept as text.
const TEXT_DEPTH: usize = 256;

/// Names and values, in order.
type Fields<'v> = Vec<(String, &'v Value)>;

/// The fields of a record: legal names, the last value of a repeated one.
pub(super) fn fields(record: &[(Value, Value)], depth: usize) -> Fields<'_> {
    let mut fields = Fields::new();
    for (name, value) in record {
        let name = legal_name(&name_text(name), depth);
        fields.retain(|(other, _)| *other != name);
        fields.push((name, value));
    }
    fields
}

/// The document of a record, less `@timestamp` and `event.sequence`.
pub(super) fn document(record: &[(Value, Value)]) -> Json {
    let fields = spread(fields(record, 1), true);
    let taken: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let mut document = serde_json::Map::new();
    for (name, value) in &fields {
        let apart = is_apart(name, value, &fields).then(|| free(format!("{name}.value"), &taken));
        let aside = aside(apart.as_deref().unwrap_or(name), &taken);
        let own = aside.or(apart).unwrap_or_else(|| name.clone());
        let depth = 1 + dots(&own);
        document.insert(own, json(value, depth, INDEX_DEPTH));
    }
    Json::Object(document)
}

/// Members of objects that cannot be beside another field are fields `OBJECT.MEMBER`, as often as there are such objects; of those
/// of the root, `event` must not have a `sequence`.
fn spread(mut fields: Fields<'_>, is_root: bool) -> Fields<'_> {
    loop {
        let collides = |(name, value): &(String, &Value)| match value {
            Value::Map(members) => {
                let is_met = |(other, at_end): &(String, &Value)| {
                    let way = other.strip_prefix(&format!("{name}."));
                    way.is_some_and(|way| leads_wrong(members, way, matches!(at_end, Value::Map(_))))
                };
                fields.iter().any(is_met) || (is_root && name == "event" && has_sequence(members))
            }
            _ => false,
        };
        let (objects, mut all): (Vec<_>, Vec<_>) = fields.iter().cloned().partition(collides);
        if objects.is_empty() {
            return fields;
        }
        objects.iter().for_each(|(name, value)| add_members(name, value, &mut all));
        fields = all;
    }
}

/// Whether an object cannot be beside a name that leads into it along `way`.
fn leads_wrong(object: &[(Value, Value)], way: &str, to_object: bool) -> bool {
    fields(object, 2).iter().any(|(name, value)| match value {
        Value::Map(inner) => match way.strip_prefix(&format!("{name}.")) {
            Some(way) => leads_wrong(inner, way, to_object),
            None => name == way || name.starts_with(&format!("{way}.")),
        },
        _ if name == way => to_object,
        _ => way.starts_with(&format!("{name}.")) || name.starts_with(&format!("{way}.")),
    })
}

fn add_members<'v>(object: &str, value: &'v Value, all: &mut Fields<'v>) {
    let Value::Map(members) = value else { return };
    for (member, value) in fields(members, 2) {
        let mut name = legal_name(&format!("{object}.{member}"), 1);
        let is_taken = |name: &str, all: &Fields<'_>| all.iter().any(|(other, _)| other == name);
        if matches!(value, Value::Map(_)) && is_taken(&name, all) {
            add_members(&name, value, all);
            continue;
        }
        while is_taken(&name, all) {
            name.push('_');
        }
        all.push((name, value));
    }
}

fn has_sequence(members: &[(Value, Value)]) -> bool {
    fields(members, 2).iter().any(|(name, _)| name == "sequence" || name.starts_with("sequence."))
}

/// Whether a value has the name of an object: that of one with members of their own, or of one that every document has.
fn is_apart(name: &str, value: &Value, fields: &[(String, &Value)]) -> bool {
    has_below(name, value, fields) || (name == "event" && !matches!(value, Value::Map(_)))
}

fn has_below(name: &str, value: &Value, fields: &[(String, &Value)]) -> bool {
    let below = format!("{name}.");
    !matches!(value, Value::Map(_)) && fields.iter().any(|(other, _)| other.starts_with(&below))
}

/// Where a field goes whose name would collide with those that every document has: below a name that nothing has anything to do with.
fn aside(name: &str, taken: &[String]) -> Option<String> {
    let aside = name
        .strip_prefix("event.sequence")
        .map(|rest| ("field_event_sequence", rest))
        .or(name.strip_prefix("@timestamp").map(|rest| ("field_@timestamp", rest)));
    let (aside, rest) = aside.filter(|(_, rest)| rest.is_empty() || rest.starts_with('.'))?;
    Some(format!("{}{rest}", free(aside.to_owned(), taken)))
}

fn free(mut name: String, taken: &[String]) -> String {
    while taken.iter().any(|other| *other == name || other.starts_with(&format!("{name}."))) {
        name.push('_');
    }
    name
}

fn dots(name: &str) -> usize {
    name.matches('.').count()
}

/// `value` in an object at `depth` of a document in which objects may lie `deepest` deep.
fn json(value: &Value, depth: usize, deepest: usize) -> Json {
    match value {
        Value::Map(_) | Value::Array(_) if depth >= deepest => {
            Json::String(json(value, 1, TEXT_DEPTH).to_string())
        }
        Value::Map(pairs) => {
            let members = spread(fields(pairs, depth + 1), false);
            let taken: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
            let member = |(name, value): &(String, &Value)| {
                let apart = has_below(name, value, &members);
                let name = if apart { free(format!("{name}.value"), &taken) } else { name.clone() };
                let value = json(value, depth + 1 + dots(&name), deepest);
                (name, value)
            };
            Json::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => items.iter().map(|item| json(item, depth + 1, deepest)).collect(),
        Value::Nil => Json::Null,
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Integer(number) => {
            number.as_u64().map(Json::from).or(number.as_i64().map(Json::from)).unwrap_or(Json::Null)
        }
        // As short as it was meant: 0.1, not 0.10000000149011612.
        Value::F32(number) => serde_json::to_string(number).map_or(Json::Null, |text| read(&text)),
        Value::F64(number) => Json::from(*number),
        Value::String(text) => Json::String(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        Value::Binary(bytes) => Json::String(match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => BASE64_STANDARD.encode(bytes),
        }),
        Value::Ext(kind, bytes) => {
            Json::String(time(*kind, bytes).unwrap_or_else(|| BASE64_STANDARD.encode(bytes)))
        }
    }
}

fn read(json: &str) -> Json {
    serde_json::from_str(json).unwrap_or(Json::Null)
}

/// A name that is no text becomes one.
fn name_text(name: &Value) -> String {
    match name {
        Value::String(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        Value::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Nil => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        Value::Array(_) | Value::Map(_) | Value::Ext(..) => BASE64_STANDARD_NO_PAD.encode(msgpack(name)),
    }
}

/// The shortest msgpack of a value. A str stays one where it is no UTF-8, of which rmpv would make a bin.
pub(super) fn msgpack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let length = |length: usize| u32::try_from(length).expect("short");
    match value {
        Value::Map(pairs) => {
            rmp::encode::write_map_len(&mut out, length(pairs.len())).expect("in memory");
            pairs.iter().for_each(|(name, value)| out.extend([msgpack(name), msgpack(value)].concat()));
        }
        Value::Array(items) => {
            rmp::encode::write_array_len(&mut out, length(items.len())).expect("in memory");
            items.iter().for_each(|item| out.extend(msgpack(item)));
        }
        Value::String(text) => {
            rmp::encode::write_str_len(&mut out, length(text.as_bytes().len())).expect("in memory");
            out.extend_from_slice(text.as_bytes());
        }
        other => rmpv::encode::write_value(&mut out, other).expect("in memory"),
    }
    out
}

/// The rule for names, see `event::name`, step by step.
fn legal_name(name: &str, depth: usize) -> String {
    let mut name = name.to_owned();
    while name.len() > 512 {
        name.pop();
    }
    let blank = |part: &str| part.chars().all(|c| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    let parts: Vec<&str> = name.split('.').filter(|part| !blank(part)).collect();
    let name = if parts.is_empty() { "empty".to_owned() } else { parts.join(".") };
    let name = if depth + dots(&name) > INDEX_DEPTH { name.replace('.', "_") } else { name };
    let first = name.split('.').next().unwrap_or_default();
    if depth == 1 && METADATA.contains(&first) { format!("field{name}") } else { name }
}

/// Names at the root that Elasticsearch keeps for itself.
const METADATA: &[&str] = &[
    "_all",
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_inference_fields",
    "_nested_path",
    "_parent",
    "_primary_term",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_tsid",
    "_type",
    "_uid",
    "_version",
];

/// EventTime and msgpack's own timestamps of 4 and 8 bytes, within the years that can be written.
fn time(kind: i8, bytes: &[u8]) -> Option<String> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let (seconds, nanos) = match (kind, bytes.len()) {
        (0, 8) => (number(&bytes[..4]), number(&bytes[4..])),
        (-1, 4) => (number(bytes), 0),
        (-1, 8) => (number(bytes) & ((1 << 34) - 1), number(bytes) >> 34),
        _ => return None,
    };
    Some(rfc3339(i64::try_from(seconds).ok()?, nanos.min(999_999_999)))
}

/// Seconds since 1970 as RFC 3339, by the calendar's own arithmetic.
pub(super) fn rfc3339(seconds: i64, nanos: u64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days from the first of March of year 0, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let day = day - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{nanos:09}Z", second % 60)
}

/// Whether two values are the same: numbers to the last digits of a float, and what is kept as JSON text by what it says.
pub(super) fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Number(a), Json::Number(b)) => a == b || close(a.as_f64(), b.as_f64()),
        (Json::String(a), Json::String(b)) if a != b => {
            let read = |text: &str| serde_json::from_str(text).ok().filter(|json: &Json| !json.is_string());
            read(a).zip(read(b)).is_some_and(|(a, b)| same(&a, &b))
        }
        (a, b) => a == b,
    }
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= 1e-14 * a.abs().max(b.abs()))
}

/// All members of a JSON object, in their order, repeated ones too.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a serde_json::value::RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> serde::de::Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
