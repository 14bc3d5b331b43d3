//! The line of an event, `log` to Docker and to shippers: before any step it is `message` here.
//!
//! What the steps find is one of three. The `log` of a record without a `message` is `message`; beside a `message` it is
//! `log.original`; an object is no line and stays `log`. What names `log` is carried so that it finds the right one. Of a
//! record that came without a `log` nobody can tell any more: its `message` is taken for the line.

use super::draft::Effect;
use super::words::quote;

/// What the other program calls it.
const LINE: &str = "log";
/// What it is here without a `message`, and beside one.
pub(super) const ALONE: &str = "message";
const BESIDE: &str = "log.original";

/// A step, and the conditions under which it is taken.
#[derive(PartialEq, Eq)]
pub(super) struct Step {
    pub(super) when: Vec<String>,
    pub(super) key: &'static str,
    /// In TOML.
    pub(super) value: String,
}

impl Step {
    /// One for all events.
    pub(super) fn new(key: &'static str, value: String) -> Self {
        Self { when: Vec::new(), key, value }
    }

    fn effect(self) -> Effect {
        let when = (!self.when.is_empty()).then(|| ("when", quote(&self.when.join(" and "))));
        Effect::Step(when.into_iter().chain(Some((self.key, self.value))).collect())
    }
}

/// The step that `step` makes of what the line is called: two where it names the line, as each event takes one of them.
pub(super) fn steps(step: impl Fn(&str) -> Option<Step>) -> Vec<Effect> {
    let (alone, beside) = (step(ALONE), step(BESIDE));
    if alone == beside {
        return alone.into_iter().map(Step::effect).collect();
    }
    let under = |when: &str, step: Option<Step>| {
        let mut step = step?;
        step.when.insert(0, when.to_owned());
        Some(step.effect())
    };
    [under("not exists log", alone), under("exists log", beside)].into_iter().flatten().collect()
}

/// The name of a field, where the line is called `line`.
pub(super) fn named<'n>(name: &'n str, line: &'n str) -> &'n str {
    if name == LINE { line } else { name }
}

/// The names of a list, which may be beginnings with a `*` behind. A `log` in it is all that the record had of that name.
pub(super) fn listed(names: &[String], line: &str) -> Vec<String> {
    let is_meant = |name: &String| match name.strip_suffix('*') {
        Some(beginning) => LINE.starts_with(beginning) && !ALONE.starts_with(beginning),
        None => name == LINE,
    };
    let mut listed: Vec<String> =
        names.iter().filter(|name| line == BESIDE || *name != LINE).cloned().collect();
    if line == ALONE && names.iter().any(is_meant) && !listed.iter().any(|name| name == ALONE) {
        listed.push(ALONE.to_owned());
    }
    listed
}

/// The names of what alone stays: of a `log` all that it may be, as too much does less harm than too little.
pub(super) fn kept(names: &[String]) -> Vec<String> {
    let mut kept = listed(names, BESIDE);
    if kept.iter().any(|name| name == LINE) && !kept.iter().any(|name| name == ALONE) {
        kept.push(ALONE.to_owned());
    }
    kept
}

/// The condition that `holds` makes of a field's name; it has to be one that no event fulfils that lacks the field.
pub(super) fn condition(name: &str, holds: impl Fn(&str) -> String) -> String {
    match name {
        LINE => format!("({} or not exists {LINE} and {})", holds(BESIDE), holds(ALONE)),
        _ => holds(name),
    }
}

/// The condition that there is such a field.
pub(super) fn exists(name: &str) -> String {
    match name {
        LINE => format!("(exists {LINE} or exists {ALONE})"),
        _ => format!("exists {name}"),
    }
}

/// The condition that a field fits a regex, or does not.
pub(super) fn fits(name: &str, pattern: &str, inverted: bool) -> String {
    match (name, inverted) {
        (LINE, true) => format!("not {}", fits(name, pattern, false)),
        _ => condition(name, |name| format!("{name} {} {pattern}", if inverted { "!~" } else { "~" })),
    }
}

/// Whether a step names the line.
pub(super) fn is_named(effect: &Effect) -> bool {
    let Effect::Step(keys) = effect else { return false };
    keys.iter().any(|(key, value)| match *key {
        "when" => {
            ["exists log and ", "exists log or ", "exists log\""].iter().any(|named| value.contains(named))
        }
        "keep" => value.contains("\"log\""),
        _ => false,
    })
}

/// Where a filter came from, with what a reader of its steps has to know.
pub(super) fn noted(from: String, effects: &[Effect]) -> String {
    let is_named = effects.iter().any(is_named);
    if is_named { format!("{from}; the line, `log`, is `message` here") } else { from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_line_is_two_steps_and_what_does_not_is_one() {
        let remove = |name: &str| {
            let names = vec![name.to_owned(), "x".to_owned()];
            steps(|line| Some(Step::new("remove", listed(&names, line).join(","))))
        };
        assert_eq!(remove("a"), [Effect::Step(vec![("remove", "a,x".into())])]);
        let two = [("\"not exists log\"", "x,message"), ("\"exists log\"", "log,x")];
        let two =
            two.map(|(when, names)| Effect::Step(vec![("when", when.into()), ("remove", names.into())]));
        assert_eq!(remove("log"), two);
        assert!(two.iter().all(is_named) && !remove("a").iter().any(is_named));
    }

    #[test]
    fn a_beginning_that_the_line_has_means_the_line() {
        for (beginning, expected) in
            [("lo*", "lo*,message"), ("*", "*"), ("m*", "m*"), ("log_*", "log_*"), ("log", "message")]
        {
            assert_eq!(listed(&[beginning.to_owned()], ALONE).join(","), expected);
        }
        assert_eq!(kept(&["log".into(), "a".into()]), ["log", "a", "message"]);
    }

    #[test]
    fn conditions_look_at_the_line_where_it_is() {
        assert_eq!(fits("level", "'a'", true), "level !~ 'a'");
        assert_eq!(fits("log", "'a'", true), "not (log.original ~ 'a' or not exists log and message ~ 'a')");
    }
}
