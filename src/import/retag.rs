//! Rules that give events another tag by a field, of Fluentd and of Fluent Bit: routes, each with its condition.

use super::draft::Effect;
use super::line;
use super::ruby::regex;
use super::step::{Action, Condition, Step};
use super::words::{field, quote, text};

/// A rule, as far as it can be carried: of those that fit an event the first one counts.
#[derive(Default)]
pub(super) struct Rule {
    /// Which events it takes; none where that is not known.
    pub(super) condition: Option<Condition>,
    /// The tag that they get, a template of Forebay's; none where they keep theirs.
    pub(super) tag: Option<String>,
    /// The index of the new tag, where it goes to another one.
    pub(super) index: Option<String>,
}

/// The condition that the field `key` fits `pattern`, or does not; or why there is none.
pub(super) fn condition(key: &str, pattern: &str, inverted: bool) -> Result<Condition, String> {
    let name = field(key).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    Ok(line::fits(&name, &text(&regex(pattern)?), inverted))
}

/// Whether it is known which events the rules take, and which they do not.
pub(super) fn are_known(rules: &[Rule]) -> bool {
    rules.iter().all(|rule| rule.condition.is_some())
}

/// The steps of the rules; `drops` ends events that none fits, where that is known.
///
/// Of routes the last one counts, so the first rule comes last. What a rule takes whose tag is not carried no later one may
/// have.
pub(super) fn steps(rules: &[Rule], drops: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    let (mut all, mut kept): (Vec<&Condition>, Vec<&Condition>) = (Vec::new(), Vec::new());
    for rule in rules {
        let Some(condition) = &rule.condition else { continue };
        all.push(condition);
        let Some(tag) = &rule.tag else {
            kept.push(condition);
            continue;
        };
        let when = match kept.as_slice() {
            [] => condition.clone(),
            kept => Condition::join(&[condition, &Condition::join(kept, " or ").not()], " and "),
        };
        let mut route = vec![format!("tag = {}", quote(tag))];
        route.extend(rule.index.as_ref().map(|index| format!("index = {}", quote(index))));
        let route = format!("{{ {} }}", route.join(", "));
        effects.insert(0, Effect::Step(Step::new(Action::Other("route", route)).when(when)));
    }
    if drops && !all.is_empty() && are_known(rules) {
        effects.insert(0, Effect::Step(Step::drop(Condition::join(&all, " or ").not())));
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(condition: Option<&str>, tag: Option<&str>) -> Rule {
        Rule { condition: condition.map(Condition::plain), tag: tag.map(str::to_owned), index: None }
    }

    #[test]
    fn what_a_rule_takes_that_is_not_carried_is_neither_dropped_nor_taken_by_a_later_one() {
        let rules = [rule(Some("a"), Some("x")), rule(Some("b"), None), rule(Some("c"), Some("y"))];
        let step = |when: &str, key, value: &str| {
            Effect::Step(Step::new(Action::Other(key, value.into())).when(Condition::plain(when)))
        };
        let expected = [
            step("not (a or b or c)", "drop", "true"),
            step("c and not (b)", "route", "{ tag = \"y\" }"),
            step("a", "route", "{ tag = \"x\" }"),
        ];
        assert_eq!(steps(&rules, true), expected);
        let [first, _, last] = rules;
        let known = steps(&[first, Rule::default(), last], true);
        assert_eq!(known.len(), 2, "which events are nobody's is not known: {known:?}");
    }
}
