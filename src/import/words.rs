//! Texts, sizes, times and conditions in Forebay's words.

use crate::units::ByteSize;

/// A TOML string: a literal one where that saves escapes.
pub(super) fn quote(text: &str) -> String {
    if text.contains('\\') && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    crate::config::quote(text)
}

/// A TOML array of texts.
pub(super) fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// A TOML key: bare where it can be.
pub(super) fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let has_parts = !name.split('.').any(str::is_empty);
    if has_parts && name.bytes().all(is_bare) && !name.contains('.') { name.to_owned() } else { quote(name) }
}

/// A TOML table on one line, of values in TOML; of several of one name the last one counts.
pub(super) fn inline(entries: &[(String, String)]) -> String {
    let is_last = |(at, (name, _)): &(usize, &(String, String))| {
        !entries.iter().skip(at + 1).any(|(later, _)| later == name)
    };
    let last = entries.iter().enumerate().filter(is_last);
    let last: Vec<String> = last.map(|(_, (name, value))| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", last.join(", "))
}

/// `64m`, `8g`, `512k`, `1t` or bytes, with units of `base`.
pub(super) fn size(text: &str, base: u64) -> Option<ByteSize> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let power = match unit.trim() {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(base.pow(power)).map(ByteSize)
}

/// `30s`, `5m`, `1h`, `1d` or seconds, a fraction of one included.
pub(super) fn time(text: &str) -> Option<String> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor = match unit.trim() {
        "" | "s" => 1_000.0,
        "ms" => 1.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let milliseconds = digits.parse::<f64>().ok()? * factor;
    // why: a time beyond a hundred years is none that a person meant.
    (milliseconds.is_finite() && (1.0..3.2e12).contains(&milliseconds)).then(|| spell(milliseconds))
}

fn spell(milliseconds: f64) -> String {
    // why: checked to be within bounds that a whole number holds exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = milliseconds.round() as u64;
    match whole {
        _ if whole.is_multiple_of(3_600_000) => format!("{}h", whole / 3_600_000),
        _ if whole.is_multiple_of(60_000) => format!("{}m", whole / 60_000),
        _ if whole.is_multiple_of(1_000) => format!("{}s", whole / 1_000),
        _ => format!("{whole}ms"),
    }
}

/// A field's name in a condition; none where it cannot stand in one.
pub(super) fn field(name: &str) -> Option<String> {
    const KEYWORDS: [&str; 7] = ["and", "or", "not", "in", "exists", "true", "false"];
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match name {
        "" => None,
        _ if begins && name.chars().all(is_plain) && !KEYWORDS.contains(&name) => Some(name.to_owned()),
        _ if name.contains('`') || name.chars().any(char::is_control) => None,
        _ => Some(format!("`{name}`")),
    }
}

/// A text in a condition.
pub(super) fn text(text: &str) -> String {
    if text.contains('\'') {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("'{text}'")
    }
}

/// `a.b` of a record accessor: `$.a.b`, `$['a']['b']`, `["a"]["b"]`, `a`.
pub(super) fn path(accessor: &str) -> Option<String> {
    let accessor = accessor.trim();
    let inside = accessor.strip_prefix("$.").or(accessor.strip_prefix('$')).unwrap_or(accessor);
    let mut path = String::new();
    for part in inside.split(['[', ']']).filter(|part| !part.is_empty()) {
        let bare = part.trim_matches(['\'', '"']);
        if bare.is_empty() || bare.contains(['\'', '"', '{', '}', '|', ' ']) {
            return None;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(bare.trim_start_matches('.'));
    }
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_come_in_forebays_units() {
        assert_eq!(size("64m", 1024).map(|size| size.to_string()), Some("64MiB".into()));
        assert_eq!(size("5M", 1000).map(|size| size.0), Some(5_000_000));
        assert_eq!(size("lots", 1024), None);
        let times = ["5", "0.5", "90s", "60m", "1d", "soon", "0"].map(time);
        let expected = [Some("5s"), Some("500ms"), Some("90s"), Some("1h"), Some("24h"), None, None];
        assert_eq!(times, expected.map(|time| time.map(str::to_owned)));
    }

    #[test]
    fn of_several_entries_of_one_name_the_last_one_counts() {
        let entries = [("a", "1"), ("b", "2"), ("a", "3")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(inline(&entries), "{ b = 2, a = 3 }");
    }

    #[test]
    fn accessors_become_paths() {
        for (accessor, expected) in [
            ("$.a.b", "a.b"),
            ("$['a']['b']", "a.b"),
            ("$kubernetes['labels']", "kubernetes.labels"),
            ("a", "a"),
        ] {
            assert_eq!(path(accessor).as_deref(), Some(expected), "{accessor}");
        }
        assert_eq!(path("$"), None);
    }
}
