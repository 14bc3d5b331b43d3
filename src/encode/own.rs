//! Names of the root that cannot stand as they are: those that every document has, and those of a value that would have to be
//! an object as well.
//!
//! Elasticsearch reads `log.level` as `level` in an object `log`, and refuses a document in which `log` is a text too, or one
//! whose index has learnt it so. Promise: of a name and another below it, `log` and `log.level`, the first is an object or is
//! written as `log.value`, and what is moved meets no other field, nor one below it.

use std::borrow::Cow;

use super::path::members;
use crate::event::{Field, Fields, Name, Value};

/// Whether a name may be one that every document has, or one below it.
#[inline]
pub(super) fn may_be(name: &str) -> bool {
    matches!(name.as_bytes(), [b'e' | b'@', ..])
}

/// Whether `name`, which may have dots, lies below one whose value is no object. Most are told by the marks of names.
pub(super) fn lies_below_a_value(name: &str, fields: &Fields<'_>) -> bool {
    memchr::memchr_iter(b'.', name.as_bytes()).any(|dot| {
        let above = name.get(..dot).and_then(|above| fields.get(above));
        above.is_some_and(|value| !value.is_object())
    })
}

/// Whether the field's value is no object and other fields lie below its name.
pub(super) fn is_above_others(field: &Field<'_>, fields: &Fields<'_>) -> bool {
    !field.value.is_object() && has_below(fields, &field.name)
}

fn has_below(fields: &Fields<'_>, name: &str) -> bool {
    let below = |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    fields.iter().any(|field| below(&field.name))
}

/// The name of a value that would have to be an object as well.
pub(super) fn value_name(name: &str, fields: &Fields<'_>) -> Name<'static> {
    free(format!("{name}.value"), fields)
}

/// Moves what would collide with the names that every document has, to where it collides with no other field.
pub(super) fn name<'a>(field: &'a Field<'_>, fields: &Fields<'_>) -> Cow<'a, str> {
    if field.name == "event" && !field.value.is_object() {
        return value_name("event", fields);
    }
    aside(&field.name, fields).map_or(Cow::Borrowed(&*field.name), Cow::Owned)
}

/// The members of an `event` that has a `sequence`, which would be there twice.
fn members_to_lift<'a>(name: &str, value: &Value<'a>) -> Option<Fields<'a>> {
    let members = (name == "event").then(|| members(value))??;
    (members.get("sequence").is_some() || has_below(&members, "sequence")).then_some(members)
}

/// Whether the field is such an `event`.
pub(super) fn is_to_lift(field: &Field<'_>) -> bool {
    members_to_lift(&field.name, &field.value).is_some()
}

/// The fields with the members of such an `event` as fields of their own.
pub(super) fn lifted<'a>(fields: &Fields<'a>) -> Option<Fields<'a>> {
    let members = members_to_lift("event", fields.get("event")?)?;
    let mut all = Fields::default();
    let others = fields.iter().filter(|field| field.name != "event").cloned();
    others.for_each(|field| all.push(field.name, field.value));
    for member in members.iter() {
        let name = all.free_name(Cow::Owned(format!("event.{}", member.name)));
        all.push(name, member.value.clone());
    }
    Some(all)
}

/// Where a name goes that every document has, or one below it.
fn aside(name: &str, fields: &Fields<'_>) -> Option<String> {
    [("event.sequence", "field_event_sequence"), ("@timestamp", "field_@timestamp")].into_iter().find_map(
        |(ours, aside)| {
            // why: the rest keeps its dots, or `x.y` and `x_y` below one of them would become one name.
            let rest = name.strip_prefix(ours).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
            Some(free(format!("{aside}{rest}"), fields).into_owned())
        },
    )
}

fn free(mut name: String, fields: &Fields<'_>) -> Name<'static> {
    while fields.get(&name).is_some() || has_below(fields, &name) {
        name.push('_');
    }
    Cow::Owned(name)
}
