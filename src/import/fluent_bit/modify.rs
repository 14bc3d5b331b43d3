//! `modify`: its rules in order, all under its conditions.

use crate::import::draft::{Draft, Effect};
use crate::import::line;
use crate::import::ruby::regex;
use crate::import::section::{Entry, Section};
use crate::import::step::{Action, Condition, Step};
use crate::import::words::{field, path, text};

/// The field that events have meanwhile whose record was as the conditions say before the first rule; no sender has it.
const MEANWHILE: &str = "forebay.modify";

/// A step for each rule, in the order of the file.
pub(super) fn modify(section: &mut Section, draft: &mut Draft) -> Vec<Effect> {
    let (mut conditions, mut read) = (Vec::new(), Vec::new());
    for entry in section.take_all("condition") {
        match condition(&entry.value) {
            Ok((condition, name)) => {
                conditions.push(condition);
                read.push(name);
            }
            Err(why) => {
                draft.leave(entry.from(), why);
                section.entries.clear();
                return Vec::new();
            }
        }
    }
    let rules = std::mem::take(&mut section.entries);
    let all_but_last = rules.split_last().map_or(&[][..], |(_, before)| before);
    let is_changed = all_but_last.iter().any(|rule| read.iter().any(|name| changes(rule, name)));
    if !is_changed {
        return steps(rules, &conditions, draft);
    }
    let marked = Step { when: conditions, ..Step::new(Action::Set(vec![(MEANWHILE.into(), "1".into())])) };
    let has_mark = Condition::plain(format!("exists {MEANWHILE}"));
    let rules = steps(rules, &[has_mark], draft);
    let unmarked = Step::new(Action::Remove(vec![MEANWHILE.to_owned()]));
    Some(Effect::Step(marked)).into_iter().chain(rules).chain(Some(Effect::Step(unmarked))).collect()
}

fn steps(rules: Vec<Entry>, conditions: &[Condition], draft: &mut Draft) -> Vec<Effect> {
    let mut effects = Vec::new();
    for entry in rules {
        if let Err(why) = rule(&entry.key, &entry.value, line::ALONE) {
            draft.leave(entry.from(), why);
            continue;
        }
        effects.extend(line::steps(|line| {
            let mut step = rule(&entry.key, &entry.value, line).ok()??;
            step.when = conditions.to_vec();
            Some(step)
        }));
    }
    effects
}

/// Whether a rule may change a field that a condition reads; one on the line may change `message`, too.
fn changes(rule: &Entry, read: &str) -> bool {
    let is_copy = rule.key.ends_with("copy");
    let mut named = words(&rule.value, 2).into_iter().skip(usize::from(is_copy));
    let begins = |name: &str| read.split('.').next() == name.split('.').next();
    let is_line = |name: &str| [line::LINE, line::ALONE].contains(&name);
    match rule.key.as_str() {
        "remove_wildcard" => named.any(|name| read.starts_with(name.trim_end_matches('*'))),
        "set" | "add" | "add_if_not_present" => {
            named.next().is_some_and(|name| begins(&name) || (is_line(&name) && is_line(read)))
        }
        _ => named.any(|name| begins(&name) || (is_line(&name) && is_line(read))),
    }
}

/// The words of a value, of which quotes keep one together; the last one of `most` has what is left.
pub(super) fn words(text: &str, most: usize) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first));
        let quoted = quote.and_then(|quote| rest.get(1..)?.split_once(quote));
        let is_last = words.len() + 1 == most;
        let (word, after) = match quoted.filter(|(_, after)| {
            after.trim().is_empty() || (!is_last && after.starts_with(char::is_whitespace))
        }) {
            Some(quoted) => quoted,
            None if is_last => (rest, ""),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// The step of a rule, where the line is called `line`; none where there is nothing to do.
fn rule(kind: &str, value: &str, line: &str) -> Result<Option<Step>, String> {
    let words = words(value, 2);
    let pair = || match words.as_slice() {
        [one, other] => Ok((one.as_str(), other.as_str())),
        _ => Err("it takes two names".to_owned()),
    };
    let misses = |name: &str| {
        let name = field(name).ok_or_else(|| format!("`{name}` is no name of a field"))?;
        Ok::<_, String>(Some(name))
    };
    let remove = |name: &str| line::remove(&[name.to_owned()], line);
    Ok(Some(match kind {
        "set" | "add" | "add_if_not_present" => {
            let (key, text) = pair()?;
            let unless = if kind == "set" { None } else { misses(line::named(key, line))? };
            Step { unless, ..Step::new(Action::Set(vec![(key.to_owned(), self::value(text)?)])) }
        }
        "rename" | "hard_rename" | "copy" | "hard_copy" => {
            let (old, new) = pair().map(|(old, new)| (line::named(old, line), line::named(new, line)))?;
            if old == new {
                return Ok(None);
            }
            let unless = if kind.starts_with("hard") { None } else { misses(new)? };
            let action = if kind.ends_with("copy") { Action::Copy } else { Action::Rename };
            Step { unless, ..Step::new(action(old.to_owned(), new.to_owned())) }
        }
        "remove" => return Ok(remove(value)),
        "remove_wildcard" => return Ok(remove(&format!("{}*", value.trim_end_matches('*')))),
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

/// A condition, and the field that it reads.
fn condition(rule: &str) -> Result<(Condition, String), String> {
    let mut parts = words(rule, 3).into_iter();
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let (key, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // why: only what begins so is looked for below the record's own names.
    let key = if key.starts_with('$') { path(&key) } else { Some(key.clone()) };
    let name = key.ok_or_else(|| format!("`{rule}` names no field"))?;
    let read = name.clone();
    let name = field(&name).ok_or_else(|| format!("`{name}` is no name of a field"))?;
    let equals = |name: &str| format!("{name} = {}", text(&value));
    let condition = match kind.as_str() {
        "key_exists" => line::exists(&name),
        "key_does_not_exist" => line::exists(&name).map(|exists| format!("not {exists}")),
        "key_value_equals" => line::condition(&name, equals),
        "key_value_does_not_equal" => {
            line::condition(&name, |name| format!("exists {name} and {name} != {}", text(&value)))
        }
        "key_value_matches" => line::fits(&name, &text(&regex(&value)?), false),
        "key_value_does_not_match" => {
            let pattern = text(&regex(&value)?);
            line::condition(&name, |name| format!("exists {name} and {name} !~ {pattern}"))
        }
        _ => return Err("there is no such condition".into()),
    };
    Ok((condition, read))
}
