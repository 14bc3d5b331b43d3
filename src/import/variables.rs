//! Values that are known only where the other program runs. A variable of the environment with a value for its absence has that
//! one here; a truth that stays unknown is none.

use super::draft::Draft;
use super::section::{Entry, Section};
use super::{settings, target};

/// Keys that turn something on or off.
const TRUTHS: [&str; 10] = [
    "ssl_verify",
    "tls",
    "tls.verify",
    "logstash_format",
    "include_timestamp",
    "include_tag_key",
    "utc_index",
    "replace_dots",
    "current_time_index",
    "renew_record",
];

/// Keys whose value for the absence of a variable is a stand-in for a secret, and must not become one.
const SECRETS: [&str; 7] =
    ["shared_key", "password", "username", "user", "http_user", "http_passwd", "api_key"];

/// Inputs and filters of which nothing is carried that a variable could give.
const ELSEWHERE: [&str; 9] =
    ["systemd", "syslog", "http", "tcp", "udp", "exec", "kubernetes_metadata", "windows_eventlog", "dummy"];

/// Goes through all sections but those of records, where a template can have a variable.
pub(super) fn settle(section: &mut Section, draft: &mut Draft) {
    if section.name == "record" || section.value("@type").is_some_and(|kind| ELSEWHERE.contains(&kind)) {
        return;
    }
    let is_secret = |entry: &Entry| SECRETS.contains(&entry.key.as_str());
    section.entries.retain_mut(|entry| is_secret(entry) || settled(entry, draft));
    section.sections.iter_mut().for_each(|below| settle(below, draft));
}

/// Whether the entry stays, with its variable's value in it.
fn settled(entry: &mut Entry, draft: &mut Draft) -> bool {
    if let Some((name, value)) = absent(entry.value.trim()) {
        let told = match value {
            Some(value) => format!("it is taken as `{value}`, as where the variable {name} is not set"),
            None => format!("it is taken as not said, as where the variable {name} is not set"),
        };
        let key = entry.key.as_str();
        if !target::NEEDLESS.contains(&key) && !settings::NEEDLESS.contains(&key) {
            draft.leave(entry.from(), told);
        }
        let Some(value) = value else { return false };
        entry.value = value.to_owned();
        return true;
    }
    let is_unknown = entry.value.contains("#{") || entry.value.contains("${");
    if is_unknown && TRUTHS.contains(&entry.key.as_str()) {
        draft.leave(entry.from(), "whether it holds is known where it runs: it is taken as not said");
        return false;
    }
    true
}

/// The variable of `#{ENV['NAME'] || 'value'}` or `#{ENV.fetch('NAME', 'value')}`, and the value, if it is one.
fn absent(text: &str) -> Option<(&str, Option<&str>)> {
    let inside = text.strip_prefix("#{")?.strip_suffix('}')?.trim();
    let (variable, value) = match inside.strip_prefix("ENV.fetch(") {
        Some(rest) => rest.strip_suffix(')')?.split_once(',')?,
        None => {
            let (variable, value) = inside.strip_prefix("ENV[")?.split_once("||")?;
            (variable.trim().strip_suffix(']')?, value)
        }
    };
    let name = bare(variable)?;
    match value.trim() {
        "use_nil" | "use_default" | "nil" => Some((name, None)),
        value => bare(value).map(|value| (name, Some(value))),
    }
}

/// A text without its quotes, or a number or a word that needs none.
fn bare(text: &str) -> Option<&str> {
    let text = text.trim();
    let quoted = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    let inner = quoted.unwrap_or(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_text = !inner.contains(['\'', '"', '#', '$', '{', '}']);
    (if quoted.is_some() { is_text } else { !inner.is_empty() && inner.chars().all(is_plain) })
        .then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_the_value_for_its_absence() {
        for (text, expected) in [
            ("#{ENV['A'] || 'b c'}", Some(("A", Some("b c")))),
            ("#{ENV[\"A\"] || 9200}", Some(("A", Some("9200")))),
            ("#{ENV.fetch('A', 'true')}", Some(("A", Some("true")))),
            ("#{ENV['A'] || use_nil}", Some(("A", None))),
            ("#{ENV['A']}", None),
            ("#{ENV['A'] || ENV['B'] || 'c'}", None),
            ("#{ENV['A'] || 'a#{b}'}", None),
            ("a", None),
        ] {
            assert_eq!(absent(text), expected, "{text}");
        }
    }
}
