//! `[OUTPUT]`: where events go.

use super::matched;
use crate::import::draft::{Draft, End, Leg};
use crate::import::section::Section;
use crate::import::target::{self, Defaults};
use crate::import::words::path;
use crate::import::{settings, template};

/// What Fluent Bit takes where a key is missing.
const DEFAULTS: Defaults = Defaults { port: 9200, index: "fluent-bit", tag_key: "flb-key", template: index };

/// An index, in which the time, fields and the tag have places: `$TAG`, `$kubernetes['namespace_name']`.
fn index(text: &str) -> Result<String, String> {
    if text.contains("${") {
        return Err("the index is known where it runs; set `index`".into());
    }
    let (plain, places) = text.split_once('$').map_or((text, None), |(plain, places)| (plain, Some(places)));
    let mut index = plain.to_owned();
    for place in places.into_iter().flat_map(|places| places.split('$')) {
        let (accessor, rest) = accessor(place);
        match path(accessor).filter(|_| !accessor.starts_with("TAG[")) {
            Some(path) if path == "TAG" => index.push_str("${tag}"),
            Some(path) => index.push_str(&format!("${{$.{path}}}")),
            None => return Err(format!("`${accessor}` is no field and not the whole tag")),
        }
        index.push_str(rest);
    }
    template::index(&index)
}

/// The name of a field with what is in brackets behind it, and what follows.
fn accessor(text: &str) -> (&str, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (name, rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
    let brackets = if rest.starts_with('[') { rest.rfind(']').map_or(0, |end| end + 1) } else { 0 };
    text.split_at(name.len() + brackets)
}

const OTHER: &str =
    "Forebay has no such output; the events go to Elasticsearch, or to files, with the others";

/// What an output is to the events that several match: those of the first of these kinds have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Index,
    File,
    /// One that Forebay does not have: what filters do to its events is carried all the same.
    Other,
    Null,
}

/// Carries an output over; none where no tag is its own.
pub(super) fn read(mut section: Section, draft: &mut Draft) -> Option<(Kind, Leg)> {
    let kind = section.take(&["name"]).map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    section.title = format!("[OUTPUT] {kind}");
    let from = section.from();
    let pattern = matched(&mut section, draft);
    let (kind, end) = match kind.as_str() {
        "es" | "elasticsearch" | "opensearch" => {
            (Kind::Index, target::elasticsearch(&mut section, &DEFAULTS, draft))
        }
        "file" => {
            settings::file(&mut section, draft);
            (Kind::File, End::default())
        }
        "null" => (Kind::Null, End { drops: true, ..End::default() }),
        _ => {
            draft.leave(from.clone(), OTHER);
            section.entries.clear();
            section.sections.clear();
            (Kind::Other, End::default())
        }
    };
    settings::buffer(&mut section, 1_000, draft);
    section.pass_over(&["alias", "log_level", "workers", "retry_limit"]);
    draft.leave_rest(&section);
    pattern.map(|pattern| (kind, Leg { pattern, filters: Vec::new(), end, from }))
}
