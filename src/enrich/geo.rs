//! What a database of addresses in MaxMind's format says of one: the only door to `maxminddb`.
//!
//! A file is read whole and never mapped: a mapped one that somebody cuts short ends the process with a signal. Values have the
//! layout of MaxMind's own databases (GeoLite2, GeoIP2), which DB-IP's have too; each is read by itself, so that one of another kind
//! costs no more than itself. A database says what it says of private addresses, which in those that are sold is nothing.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use bumpalo::Bump;
use maxminddb::PathElement::{self, IndexFromEnd, Key};
use maxminddb::{LookupResult, Reader};
use serde::Deserialize;

use super::held::Held;
use super::watched;
use crate::event::Value;
use crate::units::ByteSize;

/// The largest file.
const MOST: ByteSize = ByteSize::mib(1_024);

/// Records that are remembered as they were told; many networks share one.
const MOST_TOLD: usize = 1 << 14;

/// How a value is made of a record.
pub(super) enum Made {
    /// The text at a path.
    Text(&'static [PathElement<'static>]),
    /// `COUNTRY-REGION`, as ISO 3166-2 has it.
    RegionCode,
    /// Latitude and longitude, as Elasticsearch's `geo_point` takes them.
    Location,
    /// The whole number at a path.
    Number(&'static [PathElement<'static>]),
}

/// What may be known of an address, by its names in the Elastic Common Schema.
pub(super) const KNOWN: [(&str, Made); 12] = [
    ("geo.continent_code", Made::Text(&[Key("continent"), Key("code")])),
    ("geo.continent_name", Made::Text(&[Key("continent"), Key("names"), Key("en")])),
    ("geo.country_iso_code", Made::Text(COUNTRY)),
    ("geo.country_name", Made::Text(&[Key("country"), Key("names"), Key("en")])),
    ("geo.region_iso_code", Made::RegionCode),
    ("geo.region_name", Made::Text(&[Key("subdivisions"), IndexFromEnd(0), Key("names"), Key("en")])),
    ("geo.city_name", Made::Text(&[Key("city"), Key("names"), Key("en")])),
    ("geo.postal_code", Made::Text(&[Key("postal"), Key("code")])),
    ("geo.timezone", Made::Text(&[Key("location"), Key("time_zone")])),
    ("geo.location", Made::Location),
    ("as.number", Made::Number(&[Key("autonomous_system_number")])),
    ("as.organization.name", Made::Text(&[Key("autonomous_system_organization")])),
];

const COUNTRY: &[PathElement<'static>] = &[Key("country"), Key("iso_code")];

/// The last of the regions is the smallest, as Elasticsearch's own processor takes it.
const REGION: &[PathElement<'static>] = &[Key("subdivisions"), IndexFromEnd(0), Key("iso_code")];

/// A file, read, and what was told of its records last.
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
    told: Held<Option<Arc<Told>>>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.reader.metadata().database_type).finish()
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Database, String> {
    Database::new(watched::bytes(path, MOST)?)
}

impl Database {
    fn new(bytes: Vec<u8>) -> Result<Self, String> {
        let reader = Reader::from_source(bytes).map_err(|error| error.to_string())?;
        Ok(Self { reader, told: Held::new(MOST_TOLD) })
    }

    /// Tells what is known of `address`: the place in [`KNOWN`] and the value, in `arena`, as the file may be replaced before the
    /// event is written.
    pub(super) fn look<'a>(&self, address: IpAddr, arena: &'a Bump, tell: impl FnMut(usize, Value<'a>)) {
        let Ok(found) = self.reader.lookup(address) else { return };
        let Some(record) = found.offset() else { return };
        let told = self.told.remembered(&record.to_le_bytes(), || Told::of(&Record(&found)));
        told.tell(arena, tell);
    }
}

/// What a record says, in one text, which an event takes with one copy: to read it anew costs ten times as much.
struct Told {
    text: String,
    values: Vec<Part>,
}

struct Part {
    place: usize,
    /// Else it is JSON.
    is_text: bool,
    /// Where in the text it ends.
    end: usize,
}

impl Told {
    fn of(record: &Record<'_>) -> Self {
        let mut told = Self { text: String::new(), values: Vec::new() };
        for (place, (_, made)) in KNOWN.iter().enumerate() {
            let (is_text, value) = match made {
                Made::Text(path) => (true, record.text(path).map(str::to_owned)),
                Made::RegionCode => (true, record.region_code()),
                Made::Location => (false, record.location()),
                Made::Number(path) => (false, record.read::<u32>(path).map(|number| number.to_string())),
            };
            if let Some(value) = value {
                told.text.push_str(&value);
                told.values.push(Part { place, is_text, end: told.text.len() });
            }
        }
        told
    }

    fn tell<'a>(&self, arena: &'a Bump, mut tell: impl FnMut(usize, Value<'a>)) {
        let (text, mut from) = (&*arena.alloc_str(&self.text), 0);
        for Part { place, is_text, end } in &self.values {
            let value = text.get(from..*end).unwrap_or_default();
            tell(*place, if *is_text { Value::Text(value.as_bytes()) } else { Value::Json(value) });
            from = *end;
        }
    }
}

/// What a database has of an address.
struct Record<'r>(&'r LookupResult<'r, Vec<u8>>);

impl<'r> Record<'r> {
    fn read<T: Deserialize<'r>>(&self, path: &[PathElement<'_>]) -> Option<T> {
        self.0.decode_path(path).ok().flatten()
    }

    fn text(&self, path: &[PathElement<'_>]) -> Option<&'r str> {
        self.read(path).filter(|text: &&str| !text.is_empty())
    }

    fn region_code(&self) -> Option<String> {
        Some(format!("{}-{}", self.text(COUNTRY)?, self.text(REGION)?))
    }

    /// An object, as `geo_point` is not made of two fields; none of what Elasticsearch would refuse the document for.
    fn location(&self) -> Option<String> {
        let part = |name, most: f64| {
            let number: f64 = self.read(&[Key("location"), Key(name)])?;
            (-most..=most).contains(&number).then_some(number)
        };
        let (lat, lon) = (part("latitude", 90.0)?, part("longitude", 180.0)?);
        Some(format!("{{\"lat\":{lat:?},\"lon\":{lon:?}}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CITIES: &[u8] = include_bytes!("../../fixtures/geoip/cities.mmdb");

    #[test]
    fn a_database_with_wrong_bytes_is_refused_or_says_other_things_and_never_ends_the_process() {
        let (mut arena, mut refused, mut told) = (Bump::new(), 0, 0);
        for at in 0..CITIES.len() {
            let mut bytes = CITIES.to_vec();
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= if at % 2 == 0 { 0xff } else { 0x20 });
            match Database::new(bytes) {
                Ok(database) => {
                    let address = "203.0.113.7".parse().expect("an address");
                    database.look(address, &arena, |place, _| told += usize::from(place < KNOWN.len()));
                }
                Err(_) => refused += 1,
            }
            arena.reset();
        }
        assert!(refused > 10 && told > CITIES.len(), "{refused} refused, {told} values told");
    }
}
