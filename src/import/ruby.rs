//! Regexes of Ruby's, which Fluentd and Fluent Bit take, as Rust's are.

use regex::Regex;

/// A regex with or without slashes; or why it is none.
///
/// What both write alike and mean otherwise is written out: `\<` is a sign to Ruby, and the begin of a word to Rust.
pub(super) fn regex(text: &str) -> Result<String, String> {
    let slashed = text.strip_prefix('/').and_then(|inner| inner.rsplit_once('/'));
    let (pattern, flags) = slashed.unwrap_or((text, ""));
    let pattern = written_out(pattern);
    // Ruby's `m` lets the dot take line breaks, which is `s` elsewhere.
    let flags: String = flags
        .chars()
        .filter_map(|flag| match flag {
            'i' => Some('i'),
            'm' => Some('s'),
            'x' => Some('x'),
            _ => None,
        })
        .collect();
    let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
    match Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(_) => Err("its regex has what Forebay's do not, such as lookaround or backreferences".into()),
    }
}

fn written_out(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars();
    let mut is_class = false;
    while let Some(sign) = rest.next() {
        match sign {
            '\\' => escaped(rest.next(), &mut out),
            '{' if !is_class && !is_bounds(rest.as_str()) && !is_property(&out) => out.push_str("\\{"),
            _ => {
                is_class = if is_class { sign != ']' } else { sign == '[' };
                out.push(sign);
            }
        }
    }
    out
}

/// What stands behind a backslash.
fn escaped(sign: Option<char>, out: &mut String) {
    match sign {
        Some(plain @ ('/' | '<' | '>')) => out.push(plain),
        Some('h') => out.push_str("[0-9A-Fa-f]"),
        Some('H') => out.push_str("[^0-9A-Fa-f]"),
        Some('Z') => out.push_str("\\z"),
        Some('e') => out.push_str("\\x1b"),
        other => out.extend(['\\'].into_iter().chain(other)),
    }
}

/// Whether what is behind a brace says how often; if not, the brace is a sign.
fn is_bounds(rest: &str) -> bool {
    let Some((bounds, _)) = rest.split_once('}') else { return false };
    !bounds.is_empty() && bounds != "," && bounds.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// Whether a brace is that of `\\p{…}` and the like.
fn is_property(before: &str) -> bool {
    ["\\p", "\\P", "\\x", "\\u"].iter().any(|escape| before.ends_with(escape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regexes_lose_their_slashes_and_keep_their_meaning() {
        for (ruby, rust) in [
            ("/^a\\/b/i", "(?i)^a/b"),
            ("^\\h+", "^[0-9A-Fa-f]+"),
            ("^\\<(?<pri>[0-9]{1,3})\\>", "^<(?<pri>[0-9]{1,3})>"),
            ("\\\\<", "\\\\<"),
            ("^{.*}$", "^\\{.*}$"),
            ("[{\\]]{2}\\p{Alpha}", "[{\\]]{2}\\p{Alpha}"),
            ("a\\Z", "a\\z"),
        ] {
            assert_eq!(regex(ruby).as_deref(), Ok(rust), "{ruby}");
        }
        let syslog = Regex::new(&regex("^\\<(?<pri>[0-9]+)\\>").expect("a regex")).expect("a regex");
        assert!(syslog.is_match("<34>Oct 11"));
        let braces = Regex::new(&regex("^{.*}$").expect("a regex")).expect("a regex");
        assert!(braces.is_match("{\"a\":1}"));
        assert!(regex("/(?!a)/").is_err());
    }
}
