//! Go's `log`: `YYYY/MM/DD HH:MM:SS[.microseconds] [FILE:LINE: ]MESSAGE`.
//!
//! A level stands at the message's beginning where `slog` prints through it, `INFO`, `ERROR+2`, or in brackets and
//! capitals, as is the custom of HashiCorp's programs; or before the time as the logger's prefix, `ERROR: `, `ERROR` and a tab. Flags that print no
//! date, or another prefix before it, leave nothing to recognise a line by. <https://pkg.go.dev/log#pkg-constants>, <https://pkg.go.dev/log/slog#hdr-Levels>

use crate::parse::known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (prefix, line) =
        if line.starts_with(|first: char| first.is_ascii_digit()) { ("", line) } else { prefix(line)? };
    if line.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    // A zone is not printed, so what looks like one is the message's.
    let (_, said) = forms::iso(line).ok()?;
    let end = line.get(19..)?.bytes().take_while(|byte| *byte == b'.' || byte.is_ascii_digit()).count();
    let message = line.get(19 + end..)?.strip_prefix(' ')?;
    if is_nginx(message) {
        return None;
    }
    sink.said(forms::Said { offset: None, ..said })?;
    let message = place(message, sink);
    let message = leveled(message, sink);
    if !prefix.is_empty() {
        sink.level(prefix);
    }
    sink.message(message);
    Some(())
}

/// `ERROR: `, or the word with a tab or a blank behind it, and what follows it.
fn prefix(line: &str) -> Option<(&str, &str)> {
    let end = line.bytes().take(9).position(|byte| !byte.is_ascii_uppercase())?;
    let (word, rest) = line.split_at_checked(end)?;
    let rest = [": ", "\t", " "].iter().find_map(|gap| rest.strip_prefix(gap))?;
    Level::of_word(word).map(|_| (word, rest))
}

/// Whether it begins as in nginx' error log, which has the same time: `[LEVEL] `, in small letters.
fn is_nginx(message: &str) -> bool {
    let level = message.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map(|(level, _)| level);
    level.is_some_and(|level| level.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// `FILE.go:LINE: `.
fn place<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    let Some((place, message)) = text.split_once(": ") else { return text };
    let Some((file, line)) = place.rsplit_once(':') else { return text };
    if !file.ends_with(".go")
        || file.contains(' ')
        || line.is_empty()
        || !line.bytes().all(|byte| byte.is_ascii_digit())
    {
        return text;
    }
    sink.text(known::FILE, file);
    sink.number(known::LINE, line);
    message
}

/// `INFO `, `INFO+2 ` or `[INFO] `.
fn leveled<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    if let Some((word, message)) = text.strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && let Some(level) = Level::of_word(word)
    {
        sink.leveled(Some(level), word);
        return message;
    }
    let Some((word, message)) = text.split_once(' ') else { return text };
    let name = word.split_once(['+', '-']).map_or(word, |(name, _)| name);
    if !matches!(name, "DEBUG" | "INFO" | "WARN" | "ERROR") {
        return text;
    }
    sink.leveled(Level::of_word(name), word);
    message
}
