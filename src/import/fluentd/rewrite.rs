//! `rewrite_tag_filter`: its rules.

use crate::import::draft::Draft;
use crate::import::line;
use crate::import::retag::{self, Rule};
use crate::import::section::Section;
use crate::import::{template, words};

/// The rules in order, each as far as Forebay can have it.
pub(super) fn rules(mut rewriter: Section, draft: &mut Draft) -> Vec<Rule> {
    let mut rules = Vec::new();
    for mut rule in rewriter.take_sections("rule") {
        let from = rule.from();
        let (rule, why) = match self::rule(&mut rule) {
            Ok((rule, why)) => (rule, why),
            Err(why) => (Rule::default(), Some(why)),
        };
        rules.push(rule);
        why.into_iter().for_each(|why| draft.leave(&from, why));
    }
    for old in rewriter.entries.extract_if(.., |entry| entry.key.starts_with("rewriterule")) {
        draft.leave(old.from(), "write it as a <rule>, which it has been called since Fluentd 1");
        rules.push(Rule::default());
    }
    rewriter.pass_over(&["@label", "emit_mode", "capitalize_regex_backreference", "hostname_command"]);
    draft.leave_rest(&rewriter);
    if !retag::are_known(&rules) {
        draft.leave(
            rewriter.from(),
            "events that no rule fits are kept: what one of its rules takes is not known",
        );
    }
    rules
}

/// A rule, and why its tag is not carried, if it is not.
fn rule(section: &mut Section) -> Result<(Rule, Option<String>), String> {
    let mut needed = |name: &str| section.take(&[name]).ok_or_else(|| format!("it has no `{name}`"));
    let (key, pattern, tag) = (needed("key")?.value, needed("pattern")?.value, needed("tag")?.value);
    let inverted = section.take_truth(&["invert"]).unwrap_or(false);
    let key = words::path(&key).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    let condition = Some(retag::condition(&key, &pattern, inverted)?);
    Ok(match self::tag(&tag) {
        Ok(tag) => (Rule { condition, tag: Some(tag), index: None }, None),
        Err(why) => {
            (Rule { condition, ..Rule::default() }, Some(format!("{why}; its events keep their tag")))
        }
    })
}

fn tag(tag: &str) -> Result<String, String> {
    if tag.replace("${tag}", "").contains('$') {
        return Err(format!("its tag, `{tag}`, has parts of the field or of the old tag"));
    }
    template::template(tag, line::ALONE)
}
