//! `rewrite_tag`: events that get another tag by a field. Those that no rule fits stay as they are.

use crate::import::draft::{Draft, Effect};
use crate::import::retag::{self, Rule};
use crate::import::section::Section;
use crate::import::words::path;

/// The steps of all rules.
pub(super) fn rewrite(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    section.pass_over(&["emitter_name", "emitter_storage.type", "emitter_mem_buf_limit"]);
    let mut rules = Vec::new();
    for entry in section.take_all("rule") {
        match rule(&entry.value) {
            Ok((rule, keeps)) => {
                if keeps {
                    draft.leave(entry.from(), "the event gets the new tag, and no copy keeps the old one");
                }
                let why = "filters and outputs for the new tag are not applied: steps have no way back to the start";
                draft.leave(entry.from(), why);
                rules.push(rule);
            }
            Err((rule, why)) => {
                draft.leave(entry.from(), why);
                rules.push(rule);
            }
        }
    }
    retag::steps(&rules, false)
}

/// `$KEY REGEX NEW_TAG KEEP`: the rule, and whether the old tag is kept; or as much of it as can be carried, and why not all.
fn rule(text: &str) -> Result<(Rule, bool), (Rule, String)> {
    let unknown = |why: String| (Rule::default(), why);
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [key, pattern, tag, keep] = parts.as_slice() else {
        return Err(unknown("a rule has a key, a regex, a tag and whether the old one is kept".into()));
    };
    let key = path(key).ok_or_else(|| unknown(format!("`{key}` is no name of a field")))?;
    let condition = Some(retag::condition(&key, pattern, false).map_err(unknown)?);
    let tag = tag.replace("$TAG", "{tag}");
    if tag.contains(['$', '[']) {
        let why =
            format!("its tag, `{tag}`, has parts of the field or of the old tag; its events keep their tag");
        return Err((Rule { condition, ..Rule::default() }, why));
    }
    Ok((Rule { condition, tag: Some(tag), index: None }, keep.eq_ignore_ascii_case("true")))
}
