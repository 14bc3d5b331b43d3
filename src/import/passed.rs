//! What has become of the line on its way through a pipeline: a step on `log` is carried as if `message` were the line, which
//! holds until a step or a format makes something else of it.
//!
//! What is removed, renamed or nested as `log` is never the `message` that another step gave, or that a format left.

use super::draft::{Draft, Effect, Filter};

/// The line of a record that came with a `log` alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It is `message`.
    Whole,
    /// `message` is, or may be, something else: a copy, what a step gave, or what a format left.
    Written,
    /// There is none, and `message` is a field like others.
    Gone,
}

/// The keys of a step, in TOML.
type Keys = Vec<(&'static str, String)>;

/// How the conditions begin of steps for a `log` that is `message`, and for one that is beside it.
const ALONE: &str = "\"not exists log";
const BESIDE: &str = "\"exists log";

/// Makes the steps behind a change of the line fit what is there then, and tells what they no longer do.
pub(super) fn settle(filters: &mut [Filter], is_read: bool, draft: &mut Draft) {
    let mut line = if is_read { Line::Written } else { Line::Whole };
    for filter in filters {
        let from = &filter.from;
        filter.effects.retain_mut(|effect| {
            let Effect::Step(keys) = effect else { return true };
            let before = line;
            line = before.after(keys);
            if before == Line::Whole {
                return true;
            }
            if before == Line::Written && takes_alone(keys) {
                let why =
                    "a step or a format before it has changed `message`, which is no longer `log`: it stays";
                draft.leave(from.clone(), why);
            }
            by_its_name(before, keys);
            !takes_alone(keys)
        });
    }
}

impl Line {
    /// What a step makes of it. One that only some events take leaves it open.
    fn after(self, keys: &Keys) -> Self {
        let when = value(keys, "when");
        // why: a rename is not done where there is such a field already, which is rare.
        let is_rename = when.starts_with("\"not exists log and not exists ") && has(keys, "rename");
        if takes_alone(keys) && when.matches(" and ").count() == usize::from(is_rename) {
            return Self::Gone;
        }
        if self == Self::Whole && (takes_alone(keys) || gives_message(keys)) { Self::Written } else { self }
    }
}

fn value<'k>(keys: &'k Keys, name: &str) -> &'k str {
    keys.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

fn has(keys: &Keys, name: &str) -> bool {
    keys.iter().any(|(key, _)| *key == name)
}

/// Whether a step takes `message` away because it is the line.
fn takes_alone(keys: &Keys) -> bool {
    let takes = has(keys, "remove") || has(keys, "nest") || value(keys, "rename").starts_with("{ message = ");
    takes && others(value(keys, "when"), ALONE).is_some()
}

/// What a condition asks beside `first`, which it begins with.
fn others<'w>(when: &'w str, first: &str) -> Option<&'w str> {
    let rest = when.strip_prefix(first)?;
    if rest == "\"" { Some("") } else { rest.strip_prefix(" and ") }
}

fn gives_message(keys: &Keys) -> bool {
    let set = value(keys, "set");
    let is_set = set.contains("{ message = ") || set.contains(", message = ");
    is_set || ["copy", "rename"].iter().any(|key| value(keys, key).contains("= \"message\""))
}

/// Makes a step remove `log` by that name alone, and look for it so when there is no line.
fn by_its_name(line: Line, keys: &mut Keys) {
    let is_remove = has(keys, "remove");
    let Some(at) = keys.iter().position(|(key, _)| *key == "when") else { return };
    let Some((_, when)) = keys.get_mut(at) else { return };
    if line == Line::Gone {
        for (there, gone) in [
            ("not exists log and exists message and message ", "exists log and log "),
            ("not exists log and message ", "log "),
            ("(exists log or exists message)", "exists log"),
        ] {
            *when = when.replace(there, gone);
        }
    }
    match others(when, BESIDE).filter(|_| is_remove) {
        Some("") => drop(keys.remove(at)),
        Some(others) => *when = format!("\"{others}"),
        None => {}
    }
}
