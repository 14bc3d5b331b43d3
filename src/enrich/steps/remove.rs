//! `remove` and `keep`: fields taken out by name, or all others.

use bumpalo::Bump;

use crate::enrich::names::Names;
use crate::event::Event;

/// Takes out what it names.
#[derive(Debug)]
pub(super) struct Remove(pub(super) Names);

/// Takes out what it does not name.
#[derive(Debug)]
pub(super) struct Keep(pub(super) Names);

impl Remove {
    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        self.0.reach(&mut event.fields, arena);
        self.0.remove(&mut event.fields);
    }
}

impl Keep {
    #[inline(never)]
    pub(super) fn apply<'a>(&self, event: &mut Event<'a>, arena: &'a Bump) {
        self.0.reach(&mut event.fields, arena);
        event.fields.retain(|name| self.0.cover(name));
    }
}
