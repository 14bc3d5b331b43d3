//! `nest`: fields below an object; `flatten`: what lies in objects as fields of its own.
//!
//! Names with dots are objects to Elasticsearch, so nesting gives names. Arrays are values. What has a name already is kept as
//! `forebay.NAME`.

use bumpalo::Bump;
use bumpalo::collections::{CollectIn, Vec as ArenaVec};

use super::options::{FlattenOptions, NestOptions};
use crate::enrich::members;
use crate::enrich::names::Names;
use crate::enrich::path::{self, Path};
use crate::event::{Event, Field, Fields, MAX_DEPTH, Value};

/// Fields below an object.
#[derive(Debug)]
pub(super) struct Nest {
    names: Names,
    under: Path,
    strip: String,
}

/// Objects to fields.
#[derive(Debug)]
pub(super) struct Flatten {
    names: Names,
    separator: String,
}

impl Nest {
    pub(super) fn new(options: &NestOptions) -> Result<Self, String> {
        let under = super::field(&options.under)?;
        Ok(Self {
            names: Names::new(&options.fields)?,
            under,
            strip: options.strip.clone().unwrap_or_default(),
        })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        self.names.reach(&mut event.fields, arena);
        let is_meant = |field: &Field<'_>| self.names.cover(&field.name) && !self.under.covers(&field.name);
        let new_name = |name: &str| {
            let short = name.strip_prefix(&*self.strip).filter(|short| !short.is_empty()).unwrap_or(name);
            path::joined(arena, self.under.name(), ".", short)
        };
        rename_all(&mut event.fields, arena, is_meant, new_name);
    }
}

/// Renames all fields that are meant, in one look at the names: they go to the end.
pub(super) fn rename_all<'a>(
    fields: &mut Fields<'a>,
    arena: &'a Bump,
    is_meant: impl Fn(&Field<'a>) -> bool,
    new_name: impl Fn(&str) -> &'a str,
) {
    if !fields.iter().any(&is_meant) {
        return;
    }
    let moved: ArenaVec<'_, Field<'a>> = fields.extract(is_meant).collect_in(arena);
    let from = fields.len();
    for field in moved {
        let name = path::legal_in(arena, new_name(&field.name));
        fields.push(name, field.value);
    }
    fields.settle_beside(from, "forebay");
}

impl Flatten {
    pub(super) fn new(options: &FlattenOptions) -> Result<Self, String> {
        Ok(Self { names: Names::new(&options.fields)?, separator: options.separator.clone() })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        self.names.reach(&mut event.fields, arena);
        let is_meant = |field: &Field<'_>| field.value.is_object() && self.names.cover(&field.name);
        if !event.fields.iter().any(is_meant) {
            return;
        }
        let objects: ArenaVec<'_, Field<'a>> = event.fields.extract(is_meant).collect_in(arena);
        let from = event.fields.len();
        for object in objects {
            self.push_leaves(&mut event.fields, &object.name, &object.value, MAX_DEPTH, arena);
        }
        event.fields.settle_beside(from, "forebay");
    }

    /// What lies in a value, as far as `levels` into it: a line may nest without end. An empty object is a value.
    fn push_leaves<'a>(
        &self,
        fields: &mut Fields<'a>,
        name: &str,
        value: &Value<'a>,
        levels: usize,
        arena: &'a Bump,
    ) {
        let before = fields.len();
        if value.is_object() && levels > 0 {
            members::of_object(value, 1, |member, value| {
                let name = path::joined(arena, name, &self.separator, &member);
                self.push_leaves(fields, name, &value, levels - 1, arena);
            });
        }
        if fields.len() == before {
            fields.push(path::legal_in(arena, arena.alloc_str(name)), *value);
        }
    }
}
