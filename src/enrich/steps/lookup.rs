//! `lookup`: what a table in a file says of a key, as fields `INTO.COLUMN`.
//!
//! A field that the event has already is left as it is, and the table's is kept as `forebay.NAME`. A key that the table does not
//! have adds nothing.

use std::path::Path as FilePath;

use bumpalo::Bump;

use super::options::LookupOptions;
use crate::enrich::path::{self, Path};
use crate::enrich::table::{self, Table};
use crate::enrich::template::Template;
use crate::enrich::watched::Watched;
use crate::event::Event;

/// See the module.
#[derive(Debug)]
pub(super) struct Lookup {
    key: Template,
    into: Path,
    file: Watched<Table>,
}

impl Lookup {
    pub(super) fn new(options: &LookupOptions, host: &str) -> Result<Self, String> {
        let key = Template::key(&options.key, host).map_err(|fault| format!("key: {fault}"))?;
        let file = Watched::open(FilePath::new(&options.table), table::read)
            .map_err(|fault| format!("table: {fault}"))?;
        Ok(Self { key, into: super::field(&options.into)?, file })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let Some(key) = self.key.text(event, arena) else { return };
        let table = self.file.current();
        for (column, cell) in table.row(key) {
            let name = path::legal_in(arena, path::joined(arena, self.into.name(), ".", column));
            event.fields.add_beside("forebay", name, cell.value(arena));
        }
    }

    /// Takes the table anew if it has changed.
    pub(super) fn refresh(&self) {
        self.file.refresh();
    }
}
