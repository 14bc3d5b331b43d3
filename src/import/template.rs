//! Texts with places for fields, tags and variables: those of Fluentd and Fluent Bit to Forebay's.

use super::{line, words};

/// The template of a text with `${…}` and `#{…}`, where the line is called `line`; or why there is none.
pub(super) fn template(text: &str, line: &str) -> Result<String, String> {
    rewrite(text, line, |text| text.replace('{', "{{").replace('}', "}}"))
}

/// The same for the name of an index, where a brace cannot stand for itself.
pub(super) fn index(text: &str) -> Result<String, String> {
    let mut unnamed = false;
    let index = rewrite(text, line::ALONE, |plain| {
        unnamed |= plain.contains(['{', '}']);
        plain.to_owned()
    })?;
    if unnamed || index.contains("{env:") || index.contains("{host}") {
        return Err(format!(
            "an index has places for the tag, fields and the time, and `{text}` has another"
        ));
    }
    index.parse::<crate::encode::IndexTemplate>().map_err(|fault| fault.to_string())?;
    Ok(index)
}

fn rewrite(text: &str, line: &str, mut plain: impl FnMut(&str) -> String) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${").into_iter().chain(rest.find("#{")).min() {
        let (before, after) = rest.split_at(at);
        out.push_str(&plain(before));
        let (inside, after) = after
            .split_once('{')
            .and_then(|(_, inside)| inside.split_once('}'))
            .ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
        out.push_str(
            &place(inside.trim(), line)
                .ok_or_else(|| format!("`{inside}` is Ruby, which is not run here"))?,
        );
        rest = after;
    }
    out.push_str(&plain(rest));
    Ok(out)
}

/// What `inside` of the braces becomes; none where it is more than a name.
fn place(inside: &str, line: &str) -> Option<String> {
    match inside {
        "tag" => return Some("{tag}".into()),
        "hostname" | "Socket.gethostname" | "HOSTNAME" => return Some("{host}".into()),
        // Not fields, but what Fluentd knows of the event.
        "time" | "record" => return None,
        _ => {}
    }
    if let Some(variable) = variable(inside) {
        return Some(variable);
    }
    let field = match inside.strip_prefix("record") {
        Some(rest) if rest.starts_with(".dig(") => {
            let names = rest.strip_prefix(".dig(")?.strip_suffix(')')?;
            let names: Vec<&str> =
                names.split(',').map(|name| name.trim().trim_matches(['"', '\''])).collect();
            names.join(".")
        }
        Some(rest) if rest.starts_with('[') && rest.ends_with(']') => words::path(rest)?,
        _ => match inside.strip_prefix("$.") {
            Some(path) => path.to_owned(),
            // A dot is a call of Ruby's.
            None if is_name(inside) && !inside.contains('.') => inside.to_owned(),
            None => return None,
        },
    };
    let field = line::named(&field, line);
    let is_field = !field.is_empty() && field.split('.').all(is_name);
    is_field.then(|| if field == "host" { "{field:host}".into() } else { format!("{{{field}}}") })
}

/// `ENV['NAME']`, `ENV.fetch('NAME', 'or')`, `ENV['NAME'] || 'or'`.
fn variable(inside: &str) -> Option<String> {
    let rest = inside.strip_prefix("ENV")?;
    let quoted: Vec<&str> = rest.split(['"', '\'']).skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [name] if is_name(name) => Some(format!("{{env:{name}|}}")),
        [name, or] if is_name(name) && !or.contains(['{', '}', '|']) => Some(format!("{{env:{name}|{or}}}")),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '.' | '/');
    !name.is_empty() && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_forebays() {
        for (text, expected) in [
            ("${record[\"a\"][\"b\"]} at ${hostname}", "{a.b} at {host}"),
            ("#{Socket.gethostname}", "{host}"),
            ("#{ENV['STAGE']}", "{env:STAGE|}"),
            ("#{ENV.fetch('STAGE', 'dev')}", "{env:STAGE|dev}"),
            ("${record.dig('a', 'b')}{", "{a.b}{{"),
            ("${tag}", "{tag}"),
            ("${log} ${record['log']} ${record['log']['a']}", "{message} {message} {log.a}"),
        ] {
            assert_eq!(template(text, line::ALONE).as_deref(), Ok(expected), "{text}");
        }
        for ruby in ["${record['a'].upcase}", "${Time.now.to_i}", "${tag_parts[1]}", "${open"] {
            assert!(template(ruby, line::ALONE).is_err(), "{ruby}");
        }
    }

    #[test]
    fn an_index_has_no_variables() {
        assert_eq!(index("app-${tag}-%Y.%m").as_deref(), Ok("app-{tag}-%Y.%m"));
        assert!(index("app-${hostname}").is_err());
        assert!(index("{app}").is_err());
    }
}
