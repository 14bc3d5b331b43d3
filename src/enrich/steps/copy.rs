//! `copy`: the value of a field under another name too.
//!
//! What had that name before is kept as `original.NAME`.

use std::borrow::Cow;

use bumpalo::Bump;

use crate::enrich::path::Path;
use crate::event::Event;

/// See the module.
#[derive(Debug)]
pub(super) struct Copy(Vec<(Path, Path)>);

impl Copy {
    pub(super) fn new(names: &[(String, String)]) -> Result<Self, String> {
        let one = |(from, to): &(String, String)| Ok((super::field(from)?, super::field(to)?));
        names.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        for (from, to) in &self.0 {
            if from == to {
                continue;
            }
            if let Some(value) = from.get(&event.fields) {
                super::set_aside(&mut event.fields, to, arena);
                event.fields.push(Cow::Borrowed(to.name()), value);
            }
        }
    }
}
