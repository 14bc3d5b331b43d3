//! `geoip`: where an address is and whose network it belongs to, by databases in files, as fields of the Elastic Common Schema
//! beside the address: `source.geo.…` and `source.as.…` of `source.address`, `geo.…` and `as.…` of `client`.
//!
//! What is no address, and an address that no database knows, adds nothing. A field that the event has already is left as it is, and
//! the new one is kept as `forebay.NAME`.

use std::net::IpAddr;
use std::path::Path as FilePath;

use bumpalo::Bump;

use super::options::GeoIpOptions;
use crate::enrich::geo::{self, Database, KNOWN};
use crate::enrich::path::Path;
use crate::enrich::view;
use crate::enrich::watched::Watched;
use crate::event::{Event, Name};

/// Where formats put a client's address, in both schemas.
const USUAL: [&str; 3] = ["source.address", "client.address", "client"];

/// See the module.
#[derive(Debug)]
pub(super) struct GeoIp {
    /// Where the address is looked for, in this order.
    from: Vec<From>,
    databases: Vec<Watched<Database>>,
}

/// A field, and the names of what is known of its address.
#[derive(Debug)]
struct From {
    path: Path,
    names: [Path; KNOWN.len()],
}

impl GeoIp {
    pub(super) fn new(options: &GeoIpOptions) -> Result<Self, String> {
        if options.database.is_empty() {
            return Err("database: names no file".into());
        }
        let from = match options.field.as_deref() {
            Some(name) => vec![From::new(name, options.target.as_deref())?],
            None => USUAL
                .iter()
                .map(|name| From::new(name, options.target.as_deref()))
                .collect::<Result<_, _>>()?,
        };
        let open = |file: &String| {
            Watched::open(FilePath::new(file), geo::read).map_err(|fault| format!("database: {fault}"))
        };
        Ok(Self { from, databases: options.database.iter().map(open).collect::<Result<_, _>>()? })
    }

    #[inline(never)]
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        let Some((address, names)) = self.from.iter().find_map(|from| from.address(event, arena)) else {
            return;
        };
        for database in &self.databases {
            database.current().look(address, arena, |place, value| {
                let name = names.get(place).map(Path::name).unwrap_or_default();
                event.fields.add_beside("forebay", Name::from(name), value);
            });
        }
    }

    /// Takes the files anew that have changed.
    pub(super) fn refresh(&self) {
        self.databases.iter().for_each(Watched::refresh);
    }
}

impl From {
    fn new(field: &str, target: Option<&str>) -> Result<Self, String> {
        let path = super::field(field).map_err(|fault| format!("field: {fault}"))?;
        let target = match target {
            Some(target) => Some(super::field(target).map_err(|fault| format!("target: {fault}"))?),
            None => path.name().rsplit_once('.').map(|(object, _)| Path::new(object)),
        };
        if let Some(target) = target.as_ref().filter(|target| path.covers(target.name())) {
            let (target, path) = (target.name(), path.name());
            return Err(format!("target: `{target}` cannot hold fields where `{path}` is the address"));
        }
        let name = |name: &str| match &target {
            Some(target) => Path::new(&format!("{}.{name}", target.name())),
            None => Path::new(name),
        };
        Ok(Self { names: KNOWN.map(|(known, _)| name(known)), path })
    }

    /// The address in its field, and the names of what is known of it.
    fn address<'a>(&'a self, event: &Event<'a>, arena: &'a Bump) -> Option<(IpAddr, &'a [Path])> {
        let text = view::text(&self.path.get(&event.fields)?, arena)?;
        Some((view::address(text)?, &self.names))
    }
}
