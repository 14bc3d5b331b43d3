//! The index templates that the endpoint in this process keeps.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http::Answer;
use super::pattern::is_like;

type Templates = BTreeMap<String, Value>;

/// What would become of the index that `path` names.
pub(super) fn simulate(path: &str, templates: &Templates) -> Answer {
    let index = path.trim_start_matches("_simulate_index/");
    let applies = |template: &&Value| {
        let patterns = template["index_patterns"].as_array().into_iter().flatten();
        patterns.filter_map(Value::as_str).any(|pattern| is_like(pattern, index))
    };
    let found = templates.values().find(applies);
    Answer::json(200, &found.map_or(json!({}), |one| json!({"template": one["template"], "overlapping": []})))
}

/// All of them.
pub(super) fn list(templates: &Templates) -> Answer {
    let named = |(name, template)| json!({"name": name, "index_template": template});
    Answer::json(200, &json!({"index_templates": templates.iter().map(named).collect::<Vec<_>>()}))
}

/// Takes one, unless it has a word that is not known.
pub(super) fn put(name: &str, body: &[u8], unknown: &[&str], templates: &mut Templates) -> Answer {
    let text = String::from_utf8_lossy(body);
    if let Some(word) = unknown.iter().find(|word| text.contains(**word)) {
        return Answer::error(
            400,
            "illegal_argument_exception",
            &format!("unknown setting or type [{word}]"),
        );
    }
    let template = serde_json::from_str(&text).expect("a template is JSON");
    templates.insert(name.into(), template);
    Answer::json(200, &json!({"acknowledged": true}))
}
