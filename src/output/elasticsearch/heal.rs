//! Healing: a document that is refused for a field is sent once more with that field as text under a name of its own.
//!
//! | the target's words are about          | what the next try has in its place                                         |
//! |---------------------------------------|----------------------------------------------------------------------------|
//! | one field                             | `FIELD_as_text`, at the root, dots as `_`; `forebay.healed` names the field |
//! | too many fields, or too deep          | `forebay.overflow`: all but the fields of the index template, as JSON text  |
//!
//! A target names one field at a time, so a document has a try for each of at most [`FIELDS`] fields, and one for having
//! too much, which is made of the document as it came; `forebay.healed` is a list where it names several.
//! Nothing is healed that every document has (`@timestamp`, `event.sequence`), nor where the new name is taken already.
//! The id stays, so a try that was taken before is recognised. The new name has no dot in it, because what stands
//! above the field may be what it collides with.

mod names;

use std::sync::LazyLock;

use serde_json::Value;

use self::names::Names;
use super::answer::Refusal;
use super::template;
use crate::output::dead_letters::destination;
use crate::output::document::{self, Document};

pub(super) use self::names::learn;

/// Fields of one document that are healed, at most: each costs a request.
const FIELDS: usize = 8;

/// What stands around a field's path in the words of Elasticsearch 7 to 9 and OpenSearch.
const FIELD: [(&str, &str); 8] = [
    ("failed to parse field [", "] of type ["),
    ("object mapping for [", "] tried to parse field"),
    ("can't merge a non object mapping [", "] with an object mapping"),
    ("mapper [", "] cannot be changed from type"),
    ("Could not dynamically add mapping for field [", "]. Existing mapping"),
    ("immense term in field=\"", "\" (whose"),
    ("makes object resolution ambiguous: [", "]"),
    ("field name cannot contain only whitespace: ['", "']"),
];

/// What is said of a document that has too much.
const EXCESS: [&str; 3] =
    ["Limit of total fields [", "Limit of mapping depth [", "The depth of the field has exceeded"];

/// What a document is refused for.
#[derive(Debug, PartialEq, Eq)]
enum Ailment<'a> {
    /// The value at this path.
    Field(&'a str),
    /// Too many fields, or too deep.
    Excess,
}

/// How a document was healed, as the metric `forebay_events_healed` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    Field,
    Overflow,
}

impl Remedy {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Overflow => "overflow",
        }
    }
}

/// A document on a further try.
#[derive(Debug)]
pub(super) struct Healed {
    /// Action and document line, with their ends.
    pub(super) lines: Vec<u8>,
    pub(super) remedy: Remedy,
    /// Why the first try was refused: what the letter says if the last is too.
    pub(super) refusal: Refusal,
    /// The paths of the fields that are text now.
    fields: Vec<String>,
}

/// What a further try has in place of the document that was refused.
struct Cure {
    document: Document,
    remedy: Remedy,
    fields: Vec<String>,
    /// The field that the index gets by it; `forebay.overflow` does not count.
    name: Option<String>,
}

/// Heals, within bounds.
pub(super) struct Healer {
    on: bool,
    names: Names,
}

impl Healer {
    pub(super) fn new(heal: bool, most: usize) -> Self {
        Self { on: heal && most > 0, names: Names::new(most) }
    }

    /// Whether there are further tries.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether what was refused for this may be healed, so that it matters which names its index has.
    pub(super) fn treats(&self, refusal: &Refusal) -> bool {
        self.on && refusal.reason == "mapping" && ailment(&refusal.error).is_some()
    }

    /// The next try of a document that was refused, as it came or as it was `before`; gives the refusal back where there
    /// is none to be made.
    pub(super) fn heal(
        &self,
        action: &[u8],
        document: &[u8],
        before: Option<&Healed>,
        refusal: Refusal,
    ) -> Result<Healed, Refusal> {
        let cure = self.treats(&refusal).then(|| cure(document, before, &refusal.error)).flatten();
        let Some(cure) = cure else { return Err(refusal) };
        if let Some(name) = &cure.name
            && !self.names.may_add(&destination(action).0, name)
        {
            return Err(refusal);
        }
        let lines = [action, b"\n", cure.document.write().as_bytes(), b"\n"].concat();
        let refusal = before.map_or(refusal, |before| before.refusal.clone());
        Ok(Healed { lines, remedy: cure.remedy, refusal, fields: cure.fields })
    }
}

/// What to try next in place of `document`, which came so, or of what it was `before`.
fn cure(document: &[u8], before: Option<&Healed>, error: &str) -> Option<Cure> {
    match ailment(error)? {
        Ailment::Field(path) => heal_field(document, before, path),
        Ailment::Excess if before.is_some_and(|before| before.remedy == Remedy::Overflow) => None,
        Ailment::Excess => heal_excess(Document::read(document)?),
    }
}

/// What comes first in the target's words counts: what follows may quote the document.
fn ailment(error: &str) -> Option<Ailment<'_>> {
    let field = FIELD.iter().filter_map(|(before, after)| {
        let at = error.find(before)?;
        let (path, _) = error.get(at + before.len()..)?.split_once(after)?;
        Some((at, Ailment::Field(path)))
    });
    let excess = EXCESS.iter().filter_map(|words| Some((error.find(words)?, Ailment::Excess)));
    field.chain(excess).min_by_key(|(at, _)| *at).map(|(_, ailment)| ailment)
}

fn heal_field(document: &[u8], before: Option<&Healed>, path: &str) -> Option<Cure> {
    let mut fields = before.map(|before| before.fields.clone()).unwrap_or_default();
    let mut document = Document::read(before.map_or(document, Healed::document))?;
    let name = name(path);
    let is_ours = fields.iter().any(|healed| self::name(healed) == path);
    let is_of_all = path.is_empty() || matches!(path, "@timestamp" | "event.sequence" | "event");
    if is_ours || is_of_all || fields.len() >= FIELDS || document.has(&name) {
        return None;
    }
    let value = document.take(path).or_else(|| document.take_below_name(path))?;
    document.set_text(&name, &document::text(&value));
    fields.push(path.into());
    match fields.as_slice() {
        [one] => document.set_text("forebay.healed", one),
        several => document.set("forebay.healed", serde_json::value::to_raw_value(several).ok()?),
    }
    let remedy = before.map_or(Remedy::Field, |before| before.remedy);
    Some(Cure { document, remedy, fields, name: Some(name) })
}

/// What a field is called as text.
fn name(path: &str) -> String {
    format!("{}{}", path.replace('.', "_"), names::END)
}

fn heal_excess(document: Document) -> Option<Cure> {
    let (mut kept, rest) = document.split(|name| CORE.iter().any(|core| core == name));
    if rest.is_empty() {
        return None;
    }
    kept.set_text("forebay.overflow", &rest.write());
    Some(Cure { document: kept, remedy: Remedy::Overflow, fields: Vec::new(), name: None })
}

impl Healed {
    /// The document line alone.
    fn document(&self) -> &[u8] {
        self.lines.split(|byte| *byte == b'\n').nth(1).unwrap_or_default()
    }
}

/// The fields that the index template names, and that every document has.
static CORE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let template: Value = serde_json::from_str(template::TEMPLATE).unwrap_or_default();
    let properties = template.pointer("/template/mappings/properties").and_then(Value::as_object);
    let names = properties.into_iter().flat_map(|properties| properties.keys().cloned());
    names.chain(["event.sequence".to_owned()]).collect()
});

#[cfg(test)]
mod tests;
