//! The line of an event, `log` to Docker and to shippers: before any step it is `message` here.
//!
//! What the steps find is one of three. The `log` of a record without a `message` is `message`; beside a `message` it is
//! `log.original`; an object is no line and stays `log`. What names `log` is carried so that it finds the right one. Of a
//! record that came without a `log` nobody can tell any more: its `message` is taken for the line.

use super::draft::Effect;
use super::step::{Action, Condition, Of, Step};

/// What the other program calls it.
pub(super) const LINE: &str = "log";
/// What it is here without a `message`, and beside one.
pub(super) const ALONE: &str = "message";
pub(super) const BESIDE: &str = "log.original";

/// The step that `step` makes of what the line is called: two where it names the line, as each event takes one of them.
pub(super) fn steps(step: impl Fn(&str) -> Option<Step>) -> Vec<Effect> {
    let (alone, beside) = (step(ALONE), step(BESIDE));
    let sets_line = |step: &Step| matches!(&step.action, Action::Set(fields) if fields.iter().any(|(name, _)| name == LINE));
    if alone == beside && !alone.as_ref().is_some_and(sets_line) {
        return alone.into_iter().map(Effect::Step).collect();
    }
    let of = |of: Of, step: Option<Step>| step.map(|step| Effect::Step(Step { of, ..step }));
    [of(Of::Alone, alone), of(Of::Beside, beside)].into_iter().flatten().collect()
}

/// Why what reads a line of another name is left.
pub(super) const ELSEWHERE: &str = "a line is read from `log` or `message`; let the sender name it so";

/// Whether a line is read from what has this name.
pub(super) fn is_name(accessor: &str) -> bool {
    let name = accessor.strip_prefix("$.").or(accessor.strip_prefix('$')).unwrap_or(accessor);
    [LINE, ALONE].contains(&name)
}

/// The name of a field, where the line is called `line`.
pub(super) fn named<'n>(name: &'n str, line: &'n str) -> &'n str {
    if name == LINE { line } else { name }
}

/// Whether names, which may be beginnings with a `*` behind, mean a field.
pub(super) fn covers(names: &[String], field: &str) -> bool {
    names.iter().any(|name| match name.strip_suffix('*') {
        Some(beginning) => field.starts_with(beginning),
        None => name == field,
    })
}

/// The names of a list, which may be beginnings with a `*` behind. A `log` in it is all that the record had of that name.
pub(super) fn listed(names: &[String], line: &str) -> Vec<String> {
    let mut listed: Vec<String> =
        names.iter().filter(|name| line == BESIDE || *name != LINE).cloned().collect();
    if line == ALONE && covers(names, LINE) && !covers(&listed, ALONE) {
        listed.push(ALONE.to_owned());
    }
    listed
}

/// Takes fields away. A `message` that is the line goes with `log` alone.
pub(super) fn remove(names: &[String], line: &str) -> Option<Step> {
    let mut listed = listed(names, line);
    if line == ALONE && !covers(names, LINE) {
        listed.retain(|name| name != ALONE);
    }
    (!listed.is_empty()).then(|| Step::new(Action::Remove(listed)))
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
pub(super) fn condition(name: &str, holds: impl Fn(&str) -> String) -> Condition {
    match name {
        LINE => Condition {
            here: format!("({} or not exists {LINE} and {})", holds(BESIDE), holds(ALONE)),
            by_name: format!("({} or {})", holds(BESIDE), holds(LINE)),
        },
        _ => Condition::plain(holds(name)),
    }
}

/// The condition that there is such a field.
pub(super) fn exists(name: &str) -> Condition {
    match name {
        LINE => Condition {
            here: format!("(exists {LINE} or exists {ALONE})"),
            by_name: format!("exists {LINE}"),
        },
        _ => Condition::plain(format!("exists {name}")),
    }
}

/// The condition that a field fits a regex, or does not.
pub(super) fn fits(name: &str, pattern: &str, inverted: bool) -> Condition {
    match (name, inverted) {
        (LINE, true) => fits(name, pattern, false).map(|fits| format!("not {fits}")),
        _ => condition(name, |name| format!("{name} {} {pattern}", if inverted { "!~" } else { "~" })),
    }
}

/// Where a filter came from, with what a reader of its steps has to know.
pub(super) fn noted(from: String, effects: &[Effect]) -> String {
    let is_named = effects.iter().any(|effect| matches!(effect, Effect::Step(step) if step.names_line()));
    if is_named { format!("{from}; the line, `log`, is `message` here") } else { from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_line_is_two_steps_and_what_does_not_is_one() {
        let remove = |name: &str| {
            let names = vec![name.to_owned(), "x".to_owned()];
            let effects = steps(|line| super::remove(&names, line));
            let steps = effects.into_iter().filter_map(|effect| match effect {
                Effect::Step(step) => Some(step),
                _ => None,
            });
            steps.map(|step| (step.names_line(), step.keys())).collect::<Vec<_>>()
        };
        let keys = |when: &str, names: &str| {
            let when = (!when.is_empty()).then(|| ("when", format!("\"{when}\"")));
            when.into_iter().chain(Some(("remove", names.to_owned()))).collect::<Vec<_>>()
        };
        assert_eq!(remove("a"), [(false, keys("", "[\"a\", \"x\"]"))]);
        let two = [("not exists log", "[\"x\", \"message\"]"), ("exists log", "[\"log\", \"x\"]")];
        assert_eq!(remove("log"), two.map(|(when, names)| (true, keys(when, names))));
        let two = [("not exists log", "[\"x\"]"), ("exists log", "[\"message\", \"x\"]")];
        assert_eq!(remove("message"), two.map(|(when, names)| (true, keys(when, names))));
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
        assert_eq!(fits("level", "'a'", true).here, "level !~ 'a'");
        let fits = fits("log", "'a'", true);
        assert!(fits.names_line());
        assert_eq!(fits.here, "not (log.original ~ 'a' or not exists log and message ~ 'a')");
    }
}
