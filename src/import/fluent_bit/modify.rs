//! `modify`: its rules in order, all under its conditions.

use crate::import::draft::{Draft, Effect};
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
        match rule(&entry.key, &entry.value) {
            Ok((own, key, value)) => {
                let all: Vec<String> = conditions.iter().cloned().chain(own).collect();
                let mut keys = Vec::new();
                if !all.is_empty() {
                    keys.push(("when", quote(&all.join(" and "))));
                }
                keys.push((key, value));
                effects.push(Effect::Step(keys));
            }
            Err(why) => draft.leave(entry.from(), why),
        }
    }
    effects
}

/// A condition of its own, the step's key and its value.
type Rule = (Option<String>, &'static str, String);

fn rule(kind: &str, value: &str) -> Result<Rule, String> {
    let pair = || {
        let (one, other) = value.split_once(char::is_whitespace).ok_or("it takes two names")?;
        Ok::<_, String>((one.to_owned(), other.trim().to_owned()))
    };
    let name = |name: &str| field(name).ok_or_else(|| format!("`{name}` is no name of a field"));
    let table = |one: String, other: &str| inline(&[(one, quote(other))]);
    Ok(match kind {
        "set" => {
            let (key, text) = pair()?;
            (None, "set", table(key, &self::value(&text)?))
        }
        "add" => {
            let (key, text) = pair()?;
            (Some(format!("not exists {}", name(&key)?)), "set", table(key, &self::value(&text)?))
        }
        "rename" | "hard_rename" | "copy" | "hard_copy" => {
            let (old, new) = pair()?;
            let own =
                if kind.starts_with("hard") { None } else { Some(format!("not exists {}", name(&new)?)) };
            let step = if kind.ends_with("copy") { "copy" } else { "rename" };
            (own, step, table(old, &new))
        }
        "remove" => (None, "remove", list(&[value])),
        "remove_wildcard" => (None, "remove", list(&[format!("{}*", value.trim_end_matches('*'))])),
        "remove_regex" => return Err("`remove` takes names, and names that begin so".into()),
        _ => return Err("Forebay has nothing like it".into()),
    })
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
    Ok(match kind.as_str() {
        "key_exists" => format!("exists {name}"),
        "key_does_not_exist" => format!("not exists {name}"),
        "key_value_equals" => format!("{name} = {}", text(value)),
        "key_value_does_not_equal" => format!("exists {name} and {name} != {}", text(value)),
        "key_value_matches" => format!("{name} ~ {}", text(&regex(value)?)),
        "key_value_does_not_match" => format!("exists {name} and {name} !~ {}", text(&regex(value)?)),
        _ => return Err("there is no such condition".into()),
    })
}
