//! `rename`: fields under another name, in their place, with all that lies below them.
//!
//! What had that name before is kept as `original.NAME`.

use bumpalo::Bump;

use super::nest;
use crate::enrich::path::{self, Path};
use crate::event::{Event, Field, Fields};

/// See the module.
#[derive(Debug)]
pub(super) struct Rename(Vec<(Path, Path)>);

impl Rename {
    pub(super) fn new(names: &[(String, String)]) -> Result<Self, String> {
        let pairs: Result<Vec<_>, String> =
            names.iter().map(|(from, to)| Ok((super::field(from)?, super::field(to)?))).collect();
        let mut pairs = pairs?;
        pairs.retain(|(from, to)| from != to);
        ordered(pairs).map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        for (from, to) in &self.0 {
            let place = event.fields.position(from.name());
            if place.is_some() || from.reach(&mut event.fields, arena) {
                // why: making place inside of the object that is renamed would leave nothing to rename.
                if !from.covers(to.name()) {
                    super::set_aside(&mut event.fields, to, arena);
                }
                match place.filter(|place| event.fields.is_at(*place, from.name())) {
                    Some(place) => event.fields.rename_at(place, to.field()),
                    None => event.fields.rename(from.name(), to.field()),
                }
            } else {
                rename_below(&mut event.fields, from, to, arena);
            }
        }
    }
}

/// A name that is freed by another renaming is taken after it, however the table is ordered.
fn ordered(mut pairs: Vec<(Path, Path)>) -> Result<Vec<(Path, Path)>, String> {
    let mut sorted = Vec::with_capacity(pairs.len());
    while let Some((first, _)) = pairs.first() {
        let is_free = |to: &Path| !pairs.iter().any(|(from, _)| from == to);
        let Some(next) = pairs.iter().position(|(_, to)| is_free(to)) else {
            let name = first.name();
            return Err(format!(
                "`{name}` and others take each other's names; rename one aside in a step before"
            ));
        };
        sorted.push(pairs.remove(next));
    }
    Ok(sorted)
}

/// `a` is renamed where the event has `a.b` and no field `a`.
fn rename_below<'a>(fields: &mut Fields<'a>, from: &Path, to: &Path, arena: &'a Bump) {
    // What is below the new name already, which may lie below the old one, is where it belongs.
    let is_meant = |field: &Field<'_>| from.covers(&field.name) && !to.covers(&field.name);
    let new_name = |name: &str| {
        let below = name.get(from.name().len() + 1..).unwrap_or_default();
        path::joined(arena, to.name(), ".", below)
    };
    nest::rename_all(fields, arena, is_meant, new_name);
}
