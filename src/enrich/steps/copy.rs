//! `copy`: the value of a field under another name too, and of an object all that lies below it.
//!
//! What had that name before is kept as `original.NAME`. All values are those before the step, so that what one copy makes is
//! not what another takes.

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;

use crate::enrich::path::{self, Path};
use crate::event::{Event, Field, Value};

/// See the module.
#[derive(Debug)]
pub(super) struct Copy(Vec<(Path, Path)>);

impl Copy {
    pub(super) fn new(names: &[(String, String)]) -> Result<Self, String> {
        let one = |(from, to): &(String, String)| Ok((super::field(from)?, super::field(to)?));
        names.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let mut whole: ArenaVec<'_, (&Path, Value<'a>)> = ArenaVec::new_in(arena);
        let mut below: ArenaVec<'_, (&str, Value<'a>)> = ArenaVec::new_in(arena);
        for (from, to) in self.0.iter().filter(|(from, to)| from != to) {
            if let Some(value) = from.get(&event.fields) {
                whole.push((to, value));
                continue;
            }
            let is_meant = |field: &&Field<'_>| from.covers(&field.name) && !to.covers(&field.name);
            below.extend(event.fields.iter().filter(is_meant).map(|field| {
                let rest = field.name.get(from.name().len() + 1..).unwrap_or_default();
                (path::joined(arena, to.name(), ".", rest), field.value)
            }));
        }
        for (to, value) in whole {
            super::set_aside(&mut event.fields, to, arena);
            event.fields.push(to.field(), value);
        }
        for (name, value) in below {
            event.fields.add_beside("forebay", path::legal_in(arena, name), value);
        }
    }
}
