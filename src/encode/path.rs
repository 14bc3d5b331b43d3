//! Fields by their path: `svc.name` is the field of that name, or `name` in the object `svc`, as Elasticsearch has it.

use crate::decode::{Item, Reader, read_pairs};
use crate::event::{Fields, Value};
use crate::parse;

/// The value at `path`.
pub(super) fn find<'a>(fields: &Fields<'a>, path: &str) -> Option<Value<'a>> {
    if let Some(value) = fields.get(path) {
        return Some(*value);
    }
    let splits = path.match_indices('.').filter_map(|(at, _)| path.get(..at).zip(path.get(at + 1..)));
    splits.into_iter().find_map(|(name, rest)| find(&members(fields.get(name)?)?, rest))
}

/// The members of an object. Read anew for each event that an index name asks for; little else needs them.
pub(super) fn members<'a>(value: &Value<'a>) -> Option<Fields<'a>> {
    let mut fields = Fields::default();
    match value {
        Value::Json(json) if value.is_object() => parse::json_object(json, 2, &mut fields).ok()?,
        Value::Packed(bytes) => {
            let mut reader = Reader::new(bytes);
            let Item::Map(pairs) = reader.item().ok()? else { return None };
            read_pairs(&mut reader, pairs, 2, &mut fields).ok()?;
        }
        _ => return None,
    }
    fields.settle();
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &Fields<'_>, path: &str) -> Option<String> {
        find(fields, path)?.as_text().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    #[test]
    fn a_path_leads_through_names_with_dots_and_through_objects_of_either_kind() {
        let packed = rmp_serde::to_vec(&serde_json::json!({"b.c": {"d": "packed"}})).expect("in memory");
        let mut fields = Fields::default();
        fields.push("a".into(), Value::Packed(&packed));
        fields.push("x.y".into(), Value::Json(r#"{"z":{"w":"json"}}"#));
        fields.push("flat.name".into(), Value::Text(b"flat"));
        assert_eq!(text(&fields, "a.b.c.d").as_deref(), Some("packed"));
        assert_eq!(text(&fields, "x.y.z.w").as_deref(), Some("json"));
        assert_eq!(text(&fields, "flat.name").as_deref(), Some("flat"));
        for missing in ["a", "a.b", "x.z", "flat", "flat.name.more", ""] {
            assert_eq!(text(&fields, missing), None, "{missing}");
        }
    }
}
