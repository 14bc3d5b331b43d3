//! Filters that look addresses up: Fluentd's `geoip` and Fluent Bit's `geoip2`. Each becomes three steps: a look-up, the fields that the
//! filter names, and what else was found taken out.

use super::draft::{Draft, Effect};
use super::section::Section;
use super::words::{inline, list, path, quote};

/// The object that what is found goes into meanwhile, which no sender has.
const MEANWHILE: &str = "forebay.geoip";

/// What a database says, in the words of its own layout and in ours.
const PLACES: [(&str, &str); 12] = [
    ("continent.code", "geo.continent_code"),
    ("continent.names.en", "geo.continent_name"),
    ("country.iso_code", "geo.country_iso_code"),
    ("country.names.en", "geo.country_name"),
    ("subdivisions.0.names.en", "geo.region_name"),
    ("city.names.en", "geo.city_name"),
    ("postal.code", "geo.postal_code"),
    ("location.time_zone", "geo.timezone"),
    ("location.latitude", "geo.location.lat"),
    ("location.longitude", "geo.location.lon"),
    ("autonomous_system_number", "as.number"),
    ("autonomous_system_organization", "as.organization.name"),
];

/// A field that takes what is found of the address in another one: its name, that of the other, and what.
type Record = (String, String, String);

/// `Record KEY LOOKUP_KEY %{what}`
pub(super) fn fluent_bit(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let database = section.take(&["database"]).map(|entry| entry.value);
    let keys: Vec<String> = section.take_all("lookup_key").into_iter().map(|entry| entry.value).collect();
    let mut records = Vec::new();
    for entry in section.take_all("record") {
        let words: Vec<&str> = entry.value.split_whitespace().collect();
        let what = |text: &str| Some(text.strip_prefix("%{")?.strip_suffix('}')?.to_owned());
        match words.as_slice() {
            [name, key, text] if what(text).is_some() && keys.iter().any(|known| known == key) => {
                records.push(((*name).to_owned(), (*key).to_owned(), what(text).unwrap_or_default()));
            }
            _ => draft.leave(entry.from(), "it is not one thing of one address"),
        }
    }
    steps(database, &keys, &records, section, draft)
}

/// `name ${what["lookup_key"]}` in `<record>`
pub(super) fn fluentd(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let database = section.take(&["geoip2_database"]).map(|entry| entry.value);
    section.pass_over(&[
        "backend_library",
        "skip_adding_null_record",
        "geoip_lookup_keys",
        "geoip_lookup_key",
    ]);
    let mut records: Vec<Record> = Vec::new();
    for record in section.take_sections("record") {
        for entry in record.entries {
            match placeholder(entry.value.trim_matches(['"', '\''])) {
                Some((what, key)) => records.push((entry.key.clone(), key.to_owned(), what.to_owned())),
                None => draft.leave(entry.from(), "it is not one thing of one address"),
            }
        }
    }
    let mut keys: Vec<String> = records.iter().map(|(_, key, _)| key.clone()).collect();
    keys.dedup();
    steps(database, &keys, &records, section, draft)
}

/// What of which address `${city.names.en["host"]}` is.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (what, key) = text.strip_prefix("${")?.strip_suffix("]}")?.split_once('[')?;
    Some((what, key.trim_matches(['"', '\''])))
}

fn steps(
    database: Option<String>,
    keys: &[String],
    records: &[Record],
    section: &Section,
    draft: &mut Draft,
) -> Vec<Effect> {
    let Some(database) = database else {
        draft.leave(
            section.from(),
            "it names no database of MaxMind's present format; `geoip` takes one as `database`",
        );
        return Vec::new();
    };
    let mut effects = Vec::new();
    for lookup in keys {
        let of_key = records.iter().filter(|(_, key, _)| key == lookup);
        let mut set = Vec::new();
        for (name, _, what) in of_key {
            match PLACES.iter().find(|(theirs, _)| theirs == what) {
                Some((_, ours)) => set.push((name.clone(), quote(&format!("{{{MEANWHILE}.{ours}}}")))),
                None => draft
                    .leave(format!("{} {name}", section.from()), format!("`geoip` does not tell `{what}`")),
            }
        }
        let field = path(lookup).unwrap_or_else(|| lookup.clone());
        if !set.is_empty() {
            let keys = [("database", &*database), ("field", &field), ("target", MEANWHILE)];
            let keys = keys.map(|(key, value)| (key.to_owned(), quote(value)));
            effects.push(Effect::step("geoip", inline(&keys)));
            effects.push(Effect::step("set", inline(&set)));
            effects.push(Effect::step("remove", list(&[MEANWHILE])));
        }
    }
    effects
}
