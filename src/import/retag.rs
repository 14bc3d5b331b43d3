//! Rules that give events another tag by a field, of Fluentd and of Fluent Bit: routes, each with its condition.

use super::draft::Effect;
use super::words::{field, quote, regex, text};

/// A rule: events whose `key` fits `pattern` get the tag `tag`, a template of Forebay's.
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) pattern: String,
    pub(super) inverted: bool,
    pub(super) tag: String,
    /// The index of the new tag, where it goes to another one.
    pub(super) index: Option<String>,
}

impl Rule {
    /// The condition, or why there is none.
    pub(super) fn condition(&self) -> Result<String, String> {
        let name = field(&self.key).ok_or_else(|| format!("`{}` is no name of a field", self.key))?;
        let sign = if self.inverted { "!~" } else { "~" };
        Ok(format!("{name} {sign} {}", text(&regex(&self.pattern)?)))
    }
}

/// The steps of rules of which the first that fits counts; `drops` ends events that none fits.
///
/// Of routes the last one counts, so the first rule comes last.
pub(super) fn steps(rules: &[Rule], drops: bool) -> Result<Vec<Effect>, String> {
    let mut effects = Vec::new();
    let mut conditions = Vec::new();
    for rule in rules {
        let condition = rule.condition()?;
        let mut route = vec![format!("tag = {}", quote(&rule.tag))];
        route.extend(rule.index.as_ref().map(|index| format!("index = {}", quote(index))));
        let route = format!("{{ {} }}", route.join(", "));
        effects.insert(0, Effect::Step(vec![("when", quote(&condition)), ("route", route)]));
        conditions.push(condition);
    }
    if drops && !conditions.is_empty() {
        let when = format!("not ({})", conditions.join(" or "));
        effects.insert(0, Effect::Step(vec![("when", quote(&when)), ("drop", "true".into())]));
    }
    Ok(effects)
}
