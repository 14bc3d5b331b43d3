//! `[OUTPUT]`: where events go.

use super::matched;
use crate::import::draft::{Draft, End, Leg};
use crate::import::section::Section;
use crate::import::target::{self, Defaults};
use crate::import::{settings, template};

/// What Fluent Bit takes where a key is missing.
const DEFAULTS: Defaults = Defaults { port: 9200, index: "fluent-bit", template: index };

/// An index, in which only the time has a place.
fn index(text: &str) -> Result<String, String> {
    if text.contains("${") {
        return Err("the index is known where it runs; set `index`".into());
    }
    template::index(text)
}

/// Carries an output over; none where Forebay has nothing like it.
pub(super) fn read(mut section: Section, draft: &mut Draft) -> Option<Leg> {
    let kind = section.take(&["name"]).map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    section.title = format!("[OUTPUT] {kind}");
    let from = section.from();
    let end = match kind.as_str() {
        "es" | "elasticsearch" | "opensearch" => target::elasticsearch(&mut section, &DEFAULTS, draft),
        "file" => {
            settings::file(&mut section, draft);
            End::default()
        }
        "null" => End { drops: true, ..End::default() },
        _ => {
            draft.leave(from, "Forebay has no such output");
            return None;
        }
    };
    let pattern = matched(&mut section, draft);
    settings::buffer(&mut section, 1_000, draft);
    section.pass_over(&["alias", "log_level", "workers", "retry_limit"]);
    draft.leave_rest(&section);
    let leg = |pattern| Leg { pattern, filters: Vec::new(), end, from };
    pattern.map(leg)
}
