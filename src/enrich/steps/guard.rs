//! `guard`: what would flood a mapping, kept as text.
//!
//! The first `fields` stay, each object counted by what lies in it; the rest, as one JSON object, becomes the text of `overflow`.
//! `message`, the level and the tag stay wherever they are. Objects deeper than `depth`, the document itself counted, become
//! their JSON text, and dots of names that would make them `_`. Names are legal anyway, with this step and without it.
//! An event within its limits is looked at and left alone; what goes beyond allocates.

use bumpalo::Bump;

use super::Surroundings;
use super::options::GuardOptions;
use crate::encode;
use crate::enrich::path::Path;
use crate::enrich::{level, members};
use crate::event::{Event, Field, Fields, MAX_DEPTH, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Guard {
    fields: usize,
    depth: usize,
    overflow: Path,
    tag_field: Option<String>,
}

impl Guard {
    pub(super) fn new(options: &GuardOptions, around: &Surroundings<'_>) -> Result<Self, String> {
        let overflow = super::field(&options.overflow).map_err(|fault| format!("overflow: {fault}"))?;
        let tag_field = around.tag_field.map(str::to_owned);
        Ok(Self { fields: options.fields, depth: options.depth, overflow, tag_field })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        self.bound_depth(&mut event.fields, arena);
        self.bound_fields(&mut event.fields, arena);
    }

    fn bound_fields<'a>(&'a self, fields: &mut Fields<'a>, arena: &'a Bump) {
        // why: counting members is only worth it where there could be too many.
        let is_simple = !fields.iter().any(|field| field.value.is_object());
        if is_simple && fields.len() <= self.fields {
            return;
        }
        let mut count = 0;
        let is_beyond = |field: &Field<'a>| {
            count += leaves(&field.value, MAX_DEPTH);
            count > self.fields && !self.always_stays(&field.name)
        };
        let mut rest = Fields::default();
        for field in fields.extract(is_beyond) {
            rest.push(field.name, field.value);
        }
        if !rest.is_empty() {
            let text = arena.alloc_slice_copy(&encode::object_text(&rest));
            super::set_aside(fields, &self.overflow, arena);
            fields.push(self.overflow.field(), Value::Text(text));
        }
    }

    fn always_stays(&self, name: &str) -> bool {
        name == "message" || level::is_field(name) || self.tag_field.as_deref() == Some(name)
    }

    fn bound_depth<'a>(&self, fields: &mut Fields<'a>, arena: &'a Bump) {
        for (name, value) in fields.values_mut() {
            let around = 1 + dots(name);
            if matches!(value, Value::Packed(_) | Value::Json(_))
                && around + depth(value, MAX_DEPTH) > self.depth
            {
                let json = encode::value_text(value, around, self.depth);
                *value = arena_json(&json, arena);
            }
        }
        let is_deep = |field: &Field<'_>| 1 + dots(&field.name) > self.depth;
        super::nest::rename_all(fields, arena, is_deep, |name| arena.alloc_str(&name.replace('.', "_")));
    }
}

fn arena_json<'a>(json: &[u8], arena: &'a Bump) -> Value<'a> {
    // What an encoder writes is text.
    str::from_utf8(json).map_or(Value::Null, |json| Value::Json(arena.alloc_str(json)))
}

fn dots(name: &str) -> usize {
    memchr::memchr_iter(b'.', name.as_bytes()).count()
}

/// The fields that a value makes in a mapping, as far as `levels` into it: what lies deeper is text in a document.
fn leaves(value: &Value<'_>, levels: usize) -> usize {
    let mut count = 0;
    if levels > 0 {
        members::of_object(value, 1, |_, value| count += leaves(&value, levels - 1));
    }
    count.max(1)
}

/// The objects and arrays inside one another that a value is, up to `levels`.
fn depth(value: &Value<'_>, levels: usize) -> usize {
    if levels == 0 {
        return 1;
    }
    let mut inner = 0;
    let is_object = members::of_object(value, 1, |name, value| {
        inner = inner.max(dots(&name) + depth(&value, levels - 1));
    });
    let is_one = is_object || members::of_array(value, |value| inner = inner.max(depth(&value, levels - 1)));
    usize::from(is_one) + inner
}
