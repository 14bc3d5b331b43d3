//! Healing: a document that is refused for one field is sent once more with that field as text under a name of its own.
//!
//! | the target's words are about          | what the second try has in its place                                       |
//! |---------------------------------------|----------------------------------------------------------------------------|
//! | one field                             | `FIELD_as_text`, at the root, dots as `_`; `forebay.healed` names the field |
//! | too many fields, or too deep          | `forebay.overflow`: all but the fields of the index template, as JSON text  |
//!
//! Nothing is healed that every document has (`@timestamp`, `event.sequence`), nor where the new name is taken already.
//! The id stays, so a second try that was taken before is recognised. The new name has no dot in it, because what stands
//! above the field may be what it collides with.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::answer::Refusal;
use super::template;
use crate::output::dead_letters::destination;
use crate::output::document::{self, Document};

/// Indices whose new names are remembered; beyond, counting begins anew: dated indices come and go without end.
const INDICES: usize = 1024;

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

/// A document on its second try.
#[derive(Debug)]
pub(super) struct Healed {
    /// Action and document line, with their ends.
    pub(super) lines: Vec<u8>,
    pub(super) remedy: Remedy,
    /// Why the first try was refused: what the letter says if the second is too.
    pub(super) refusal: Refusal,
}

/// Heals, within bounds.
pub(super) struct Healer {
    /// New names for each index; 0 heals nothing.
    most: usize,
    names: Mutex<HashMap<Box<str>, HashSet<u64>>>,
}

impl Healer {
    pub(super) fn new(heal: bool, most: usize) -> Self {
        Self { most: if heal { most } else { 0 }, names: Mutex::default() }
    }

    /// Whether there are second tries.
    pub(super) fn is_on(&self) -> bool {
        self.most > 0
    }

    /// The second try of a document that was refused; gives the refusal back where there is none to be made.
    pub(super) fn heal(&self, action: &[u8], document: &[u8], refusal: Refusal) -> Result<Healed, Refusal> {
        let healed = (self.is_on() && refusal.reason == "mapping").then(|| remedy(document, &refusal.error));
        let Some((name, document, remedy)) = healed.flatten() else { return Err(refusal) };
        if !self.may_add(&destination(action).0, &name) {
            return Err(refusal);
        }
        let lines = [action, b"\n", document.write().as_bytes(), b"\n"].concat();
        Ok(Healed { lines, remedy, refusal })
    }

    /// Notes that `index` gets a field of this name; false beyond the bound.
    fn may_add(&self, index: &str, name: &str) -> bool {
        let mut indices = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if indices.len() >= INDICES && !indices.contains_key(index) {
            indices.clear();
        }
        let names = indices.entry(index.into()).or_default();
        let name = xxh3_64(name.as_bytes());
        names.contains(&name) || (names.len() < self.most && names.insert(name))
    }
}

/// The new name, the document with it, and what was done.
fn remedy(document: &[u8], error: &str) -> Option<(String, Document, Remedy)> {
    let document = Document::read(document)?;
    match ailment(error)? {
        Ailment::Field(path) => heal_field(document, path),
        Ailment::Excess => heal_excess(document),
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

fn heal_field(mut document: Document, path: &str) -> Option<(String, Document, Remedy)> {
    let name = format!("{}_as_text", path.replace('.', "_"));
    if path.is_empty() || matches!(path, "@timestamp" | "event.sequence" | "event") || document.has(&name) {
        return None;
    }
    let value = document.take(path).or_else(|| document.take_below_name(path))?;
    document.set_text(&name, &document::text(&value));
    document.set_text("forebay.healed", path);
    Some((name, document, Remedy::Field))
}

fn heal_excess(document: Document) -> Option<(String, Document, Remedy)> {
    const NAME: &str = "forebay.overflow";
    let (mut kept, rest) = document.split(|name| CORE.iter().any(|core| core == name));
    if rest.is_empty() {
        return None;
    }
    kept.set_text(NAME, &rest.write());
    Some((NAME.into(), kept, Remedy::Overflow))
}

/// The fields that the index template names, and that every document has.
static CORE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let template: Value = serde_json::from_str(template::TEMPLATE).unwrap_or_default();
    let properties = template.pointer("/template/mappings/properties").and_then(Value::as_object);
    let names = properties.into_iter().flat_map(|properties| properties.keys().cloned());
    names.chain(["event.sequence".to_owned()]).collect()
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACTION: &[u8] = br#"{"create":{"_index":"logs-a-default","_id":"7"}}"#;

    fn refusal(error: &str) -> Refusal {
        let (kind, error) = ("document_parsing_exception".into(), error.into());
        Refusal { reason: "mapping", kind, status: 400, error }
    }

    fn healed(document: &str, error: &str) -> Option<String> {
        let healed = Healer::new(true, 10).heal(ACTION, document.as_bytes(), refusal(error)).ok()?;
        let text = String::from_utf8(healed.lines).expect("text");
        let (action, document) = text.split_once('\n').expect("two lines");
        assert_eq!(action.as_bytes(), ACTION, "the id stays");
        document.strip_suffix('\n').map(str::to_owned)
    }

    /// As Elasticsearch 7.17.28, 8.11.0 and 8.19.0 and OpenSearch 2.19.0 said them.
    #[test]
    fn the_field_is_told_from_what_each_target_says() {
        for (error, path) in [
            (
                "object mapping for [obj] tried to parse field [obj] as object, but found a concrete value",
                "obj",
            ),
            (
                "[1:26] object mapping for [deep.inner.o] tried to parse field [o] as object, but found a concrete value",
                "deep.inner.o",
            ),
            (
                "failed to parse field [num] of type [long] in document with id 'long_text'. Preview of field's value: 'hello': For input string: \"hello\"",
                "num",
            ),
            (
                "[1:15] failed to parse field [kw] of type [keyword] in document with id 'x'. Preview of field's value: '{a=1}': Expected text at 1:8 but found START_OBJECT",
                "kw",
            ),
            (
                "failed to parse field [kw] of type [keyword] in document with id 'x'. Preview of field's value: 'mapper [y] cannot be changed from type [z]'",
                "kw",
            ),
            ("can't merge a non object mapping [new1] with an object mapping", "new1"),
            ("mapper [new2] cannot be changed from type [text] to [ObjectMapper]", "new2"),
            (
                "Could not dynamically add mapping for field [kw.sub]. Existing mapping for [kw] must be of type object but found [keyword].",
                "kw.sub",
            ),
            (
                "Document contains at least one immense term in field=\"kw\" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped.",
                "kw",
            ),
            (
                "failed to parse: object field starting or ending with a [.] makes object resolution ambiguous: [.a]",
                ".a",
            ),
            ("[1:2] failed to parse: field name cannot contain only whitespace: ['a..b']", "a..b"),
        ] {
            assert_eq!(ailment(error), Some(Ailment::Field(path)), "{error}");
        }
        for error in [
            "failed to parse: Limit of total fields [5] has been exceeded while adding new fields [4]",
            "[1:35] failed to parse: Limit of total fields [5] has been exceeded while adding new fields [4]",
            "Limit of total fields [5] has been exceeded",
            "Limit of mapping depth [20] has been exceeded due to object field [d.d.d]",
            "failed to parse: The depth of the field has exceeded the allowed limit of [20]. This limit can be set",
        ] {
            assert_eq!(ailment(error), Some(Ailment::Excess), "{error}");
        }
        for error in ["", "only write ops with an op_type of create are allowed in data streams", "mapper [x"]
        {
            assert_eq!(ailment(error), None, "{error}");
        }
    }

    #[test]
    fn the_field_is_text_under_a_name_of_its_own() {
        let error = |path: &str| format!("[1:9] failed to parse field [{path}] of type [long] in document");
        for (document, path, after) in [
            (
                r#"{"n":{"a": 1},"b":1.50}"#,
                "n",
                r#"{"b":1.50,"n_as_text":"{\"a\": 1}","forebay.healed":"n"}"#,
            ),
            (
                r#"{"d":{"n":"x\ny","m":1}}"#,
                "d.n",
                r#"{"d":{"m":1},"d_n_as_text":"x\ny","forebay.healed":"d.n"}"#,
            ),
            (
                r#"{"kw.a":1,"kw.b":"x"}"#,
                "kw",
                r#"{"kw_as_text":"{\"a\":1,\"b\":\"x\"}","forebay.healed":"kw"}"#,
            ),
        ] {
            assert_eq!(healed(document, &error(path)).as_deref(), Some(after), "{document}");
        }
        for (document, path) in [
            (r#"{"n":1,"n_as_text":"x"}"#, "n"),
            (r#"{"@timestamp":"x"}"#, "@timestamp"),
            (r#"{"event.sequence":1}"#, "event.sequence"),
            (r#"{"a":1}"#, "n"),
            ("no JSON", "n"),
        ] {
            assert_eq!(healed(document, &error(path)), None, "{document}");
        }
    }

    #[test]
    fn what_is_too_much_becomes_one_text() {
        let document = r#"{"@timestamp":"t","event.sequence":1,"message":"m","a":{"b": 2},"tag":"x","c":3}"#;
        let after = r#"{"@timestamp":"t","event.sequence":1,"message":"m","tag":"x","forebay.overflow":"{\"a\":{\"b\": 2},\"c\":3}"}"#;
        assert_eq!(healed(document, "Limit of total fields [5] has been exceeded").as_deref(), Some(after));
        assert_eq!(healed(r#"{"message":"m"}"#, "Limit of total fields [5]"), None);
    }

    #[test]
    fn an_index_gets_no_more_new_names_than_it_may() {
        let healer = Healer::new(true, 2);
        let heal = |index: &str, field: &str| {
            let action = format!(r#"{{"create":{{"_index":"{index}","_id":"7"}}}}"#);
            let error = refusal(&format!("failed to parse field [{field}] of type [long]"));
            healer.heal(action.as_bytes(), format!(r#"{{"{field}":"x"}}"#).as_bytes(), error).is_ok()
        };
        assert!(heal("a", "x") && heal("a", "y") && heal("a", "x"));
        assert!(!heal("a", "z"));
        assert!(heal("b", "z"));
        assert!(
            Healer::new(false, 2)
                .heal(ACTION, br#"{"n":1}"#, refusal("mapper [n] cannot be changed from type"))
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn no_words_of_a_target_and_no_document_do_harm(document: Vec<u8>, before in 0..8usize, path: String, rest: String) {
            let (open, close) = FIELD[before];
            if let Some((_, document, _)) = remedy(&document, &format!("{open}{path}{close}{rest}")) {
                prop_assert!(Document::read(document.write().as_bytes()).is_some());
            }
        }
    }
}
