//! `modify`: its rules in order, all under its conditions.

use crate::import::draft::{Draft, Effect};
use crate::import::line::{self, Step};
use crate::import::section::Section;
use crate::import::words::{field, inline, list, quote, regex, text};

/// A step for each rule, in the order of the file.
pub(super) fn modify(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let mut conditions = Vec::new();
    for entry in section.take_all("condition") {
        match condition(&entry.value) {
            Ok(condition) => conditions.push(condition),
            Err(why) => {
                draft.leave(entry.from(), why);
                section.entries.clear();
                return Vec::new();
            }
        }
    }
    let mut effects = Vec::new();
    for entry in std::mem::take(&mut section.entries) {
        if let Err(why) = rule(&entry.key, &entry.value, line::ALONE) {
            draft.leave(entry.from(), why);
            continue;
        }
        effects.extend(line::steps(|line| {
            let mut step = rule(&entry.key, &entry.value, line).ok()??;
            step.when.splice(..0, conditions.iter().cloned());
            Some(step)
        }));
    }
    effects
}

/// The step of a rule, where the line is called `line`; none where there is nothing to do.
fn rule(kind: &str, value: &str, line: &str) -> Result<Option<Step>, String> {
    let pair = || {
        let (one, other) = value.split_once(char::is_whitespace).ok_or("it takes two names")?;
        Ok::<_, String>((line::named(one, line), other.trim()))
    };
    let misses = |name: &str| {
        let name = field(name).ok_or_else(|| format!("`{name}` is no name of a field"))?;
        Ok::<_, String>(vec![format!("not exists {name}")])
    };
    let table = |one: &str, other: &str| inline(&[(one.to_owned(), quote(other))]);
    let remove = |name: &str| Step::new("remove", list(&line::listed(&[name.to_owned()], line)));
    Ok(Some(match kind {
        "set" | "add" => {
            let (key, text) = pair()?;
            let when = if kind == "add" { misses(key)? } else { Vec::new() };
            Step { when, ..Step::new("set", table(key, &self::value(text)?)) }
        }
        "rename" | "hard_rename" | "copy" | "hard_copy" => {
            let (old, new) = pair().map(|(old, new)| (old, line::named(new, line)))?;
            if old == new {
                return Ok(None);
            }
            let when = if kind.starts_with("hard") { Vec::new() } else { misses(new)? };
            let key = if kind.ends_with("copy") { "copy" } else { "rename" };
            Step { when, ..Step::new(key, table(old, new)) }
        }
        "remove" => remove(value),
        "remove_wildcard" => remove(&format!("{}*", value.trim_end_matches('*'))),
        "remove_regex" => return Err("`remove` takes names, and names that begin so".into()),
        _ => return Err("Forebay has nothing like it".into()),
    }))
}

/// A text with variables of the environment as a template.
pub(super) fn value(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(&braces(before));
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
        match name {
            "HOSTNAME" => out.push_str("{host}"),
            _ if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                out.push_str(&format!("{{env:{name}|}}"));
            }
            _ => return Err(format!("`{name}` is no name of a variable")),
        }
        rest = after;
    }
    out.push_str(&braces(rest));
    Ok(out)
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

fn condition(rule: &str) -> Result<String, String> {
    let mut parts = rule.splitn(3, char::is_whitespace).map(str::trim);
    let (kind, key) =
        (parts.next().unwrap_or_default().to_ascii_lowercase(), parts.next().unwrap_or_default());
    let value = parts.next().unwrap_or_default();
    let name = field(key).ok_or_else(|| format!("`{key}` is no name of a field"))?;
    let equals = |name: &str| format!("{name} = {}", text(value));
    Ok(match kind.as_str() {
        "key_exists" => line::exists(&name),
        "key_does_not_exist" => format!("not {}", line::exists(&name)),
        "key_value_equals" => line::condition(&name, equals),
        "key_value_does_not_equal" => {
            line::condition(&name, |name| format!("exists {name} and {name} != {}", text(value)))
        }
        "key_value_matches" => line::fits(&name, &text(&regex(value)?), false),
        "key_value_does_not_match" => {
            let pattern = text(&regex(value)?);
            line::condition(&name, |name| format!("exists {name} and {name} !~ {pattern}"))
        }
        _ => return Err("there is no such condition".into()),
    })
}
