//! What stands between a level and a message: where in the program the line comes from.

use super::Parts;

/// Fills in the logger, the place and the message from `text`, in which everything but the message may be missing.
pub(super) fn read<'a>(text: &'a str, parts: &mut Parts<'a>) {
    let _found = dashed(text, parts) || coloned(text, parts) || whole(text, parts);
}

fn whole<'a>(text: &'a str, parts: &mut Parts<'a>) -> bool {
    parts.message = text;
    true
}

/// `LOGGER - MESSAGE`, `LOGGER:LINE - MESSAGE`, with Log4j's contexts, `{a=b} [c]`, before the dash; the root logger's name
/// is empty in Log4j 2.
pub(super) fn dashed<'a>(text: &'a str, parts: &mut Parts<'a>) -> bool {
    let trimmed = text.trim_start_matches(' ');
    if let Some(message) = trimmed.strip_prefix("- ") {
        parts.message = message;
        return true;
    }
    let end = trimmed.find(' ').unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(end);
    if !is_name(name) {
        return false;
    }
    let Some((context, message)) = context_and_message(rest) else { return false };
    place(name, parts);
    (parts.context, parts.message) = (context, message);
    true
}

/// ` - MESSAGE`, or ` {CONTEXT} [CONTEXT] - MESSAGE`.
fn context_and_message(rest: &str) -> Option<(&str, &str)> {
    if let Some(message) = rest.strip_prefix(" - ") {
        return Some(("", message));
    }
    if !rest.starts_with(" {") {
        return None;
    }
    let (context, message) = rest.split_once("] - ")?;
    let empty = context == " {} [";
    let context = rest.get(1..context.len() + 1)?;
    Some((if empty { "" } else { context }, message))
}

/// `LOGGER: MESSAGE`, where the name has the shape of one: a prose's first words may end in a colon too.
pub(super) fn coloned<'a>(text: &'a str, parts: &mut Parts<'a>) -> bool {
    let trimmed = text.trim_start_matches(' ');
    let end = trimmed.find(' ').unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(end);
    let Some(name) = name.strip_suffix(':').filter(|name| is_qualified(name)) else { return false };
    place(name, parts);
    parts.message = rest.strip_prefix(' ').unwrap_or(rest);
    true
}

/// The parts of `logger:function:12`, `logger:12` or `file.py:12`.
pub(super) fn place<'a>(name: &'a str, parts: &mut Parts<'a>) {
    let (name, line) = match name.rsplit_once(':') {
        Some((name, line)) if is_digits(line) && !name.ends_with(':') => (name, line),
        _ => (name, ""),
    };
    parts.line = line;
    if is_file(name) { parts.file = name } else { parts.logger = name }
}

/// Whether `text` is one word that loggers are called by.
pub(super) fn is_name(text: &str) -> bool {
    let first = text.as_bytes().first();
    first.is_none_or(|first| first.is_ascii_alphanumeric() || matches!(first, b'_' | b'.' | b'<' | b':'))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$-/:@<>#*".contains(&byte))
}

/// A name of several parts, `com.example.Shop` or `shop::orders`, or one that means the root.
pub(super) fn is_qualified(name: &str) -> bool {
    if matches!(name, "root" | "ROOT" | "__main__") {
        return true;
    }
    let has_parts =
        |gap: &str| name.split_once(gap).is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$-:".contains(&byte))
        && (has_parts(".") || has_parts("::"))
}

fn is_file(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| {
        matches!(
            end,
            "py" | "java" | "scala" | "kt" | "go" | "js" | "ts" | "rs" | "rb" | "c" | "cc" | "cpp" | "cs"
        )
    })
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
