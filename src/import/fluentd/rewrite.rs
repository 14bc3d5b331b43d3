//! `rewrite_tag_filter`: its rules.

use crate::import::draft::Draft;
use crate::import::retag::Rule;
use crate::import::section::Section;
use crate::import::{template, words};

/// The rules that Forebay can have, in order.
pub(super) fn rules(mut rewriter: Section, draft: &mut Draft) -> Vec<Rule> {
    let mut rules = Vec::new();
    for mut rule in rewriter.take_sections("rule") {
        let from = rule.from();
        match self::rule(&mut rule) {
            Ok(rule) => rules.push(rule),
            Err(why) => draft.leave(from, why),
        }
    }
    for old in rewriter.entries.extract_if(.., |entry| entry.key.starts_with("rewriterule")) {
        draft.leave(old.from(), "write it as a <rule>, which it has been called since Fluentd 1");
    }
    rewriter.pass_over(&["@label", "emit_mode", "capitalize_regex_backreference", "hostname_command"]);
    draft.leave_rest(&rewriter);
    rules
}

fn rule(section: &mut Section) -> Result<Rule, String> {
    let mut needed = |name: &str| section.take(&[name]).ok_or_else(|| format!("it has no `{name}`"));
    let (key, pattern, tag) = (needed("key")?.value, needed("pattern")?.value, needed("tag")?.value);
    let inverted = section.take_truth(&["invert"]).unwrap_or(false);
    let key = words::path(&key).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    if tag.contains('$') && tag.replace("${tag}", "").contains('$') {
        return Err(format!("its tag, `{tag}`, has parts of the field or of the old tag"));
    }
    let rule = Rule { key, pattern, inverted, tag: template::template(&tag)?, index: None };
    rule.condition().map(|_| rule)
}
