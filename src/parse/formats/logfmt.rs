//! Lines of pairs, `level=info msg="a text"`: logrus, slog, go-kit, Docker, Prometheus, Grafana, Heroku.
//!
//! `KEY=VALUE`, parted by blanks. A value, or a key, with blanks in it stands in double quotes, in which a backslash has its meaning; a
//! bare one that is a number, a truth or null is one. There is no specification; what all printers have in common is described at
//! <https://pkg.go.dev/github.com/kr/logfmt>. The whole line has to be pairs. Since other lines may be too, it also needs a level or a time
//! under a name that such loggers have, unless the format is named.

use nom::Parser;

use crate::event::{Value, words};
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::time::forms;
use crate::parse::token::{Read, byte, misfit, quoted};

/// A whole line.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut rest, mut is_sure) = (line, sink.is_format_named());
    while !rest.is_empty() {
        let (after, name) = key(rest).ok().filter(|_| sink.has_room())?;
        let key = if rest.starts_with('"') { sink.unescaped(name) } else { name };
        let (after, value) = value(after, sink).ok()?;
        is_sure = is_sure || tells(key, &value);
        sink.named(key, value);
        rest = after.strip_prefix(' ').or_else(|| after.is_empty().then_some(after))?.trim_start_matches(' ');
    }
    sink.adopts();
    is_sure.then_some(())
}

/// A key and its `=`.
fn key(text: &str) -> Read<'_> {
    if text.starts_with('"') {
        let (rest, key) = quoted(text)?;
        let (rest, ()) = byte(b'=').parse_complete(rest)?;
        return Ok((rest, key));
    }
    let ends = |word| words::equal(word, b'=') | words::below(word, b'!') | words::equal(word, b'"');
    match words::find(text.as_bytes(), ends) {
        Some(end) if end > 0 && text.as_bytes().get(end) == Some(&b'=') => {
            match (text.get(end + 1..), text.get(..end)) {
                (Some(rest), Some(key)) => Ok((rest, key)),
                _ => misfit(),
            }
        }
        _ => misfit(),
    }
}

/// A value, which may be empty.
fn value<'a>(text: &'a str, sink: &Sink<'_, 'a>) -> Read<'a, Value<'a>> {
    if text.starts_with('"') {
        let (rest, text) = quoted(text)?;
        return Ok((rest, Value::Text(sink.unescaped(text).as_bytes())));
    }
    let end = words::find(text.as_bytes(), |word| words::equal(word, b' ')).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    Ok((rest, bare(word)))
}

/// Whether the pair is one that only a logger prints.
fn tells(key: &str, value: &Value<'_>) -> bool {
    // Heroku's metrics have no time and no level, but names that nothing else has.
    if key.split_once('#').is_some_and(|(kind, _)| matches!(kind, "sample" | "measure" | "count")) {
        return true;
    }
    let Value::Text(text) = value else { return false };
    let Ok(text) = str::from_utf8(text) else { return false };
    match key {
        "level" | "lvl" | "severity" | "at" | "loglevel" | "log_level" => {
            let word = text.split_once(['+', '-']).map_or(text, |(word, _)| word);
            Level::of_word(word).is_some()
        }
        "time" | "ts" | "timestamp" | "t" | "@timestamp" => forms::iso(text).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn pairs_alone_are_not_enough_and_too_many_are_too_many() {
        assert!(fits(read, "level=info a=1") && fits(read, "ts=2024-01-15T10:30:45Z a=\"b c\""));
        assert!(fits(read, "source=web.1 sample#memory_total=21.00MB") && !fits(read, "source=web.1 a#b=1"));
        for line in ["a=1 b=2", "level=3 a=1", "time=noon a=1", "level=info and words", "level=info a=\"b\"c"]
        {
            assert!(!fits(read, line), "{line}");
        }
        assert!(!fits(read, &format!("level=info {}", "a=1 ".repeat(10_000))));
    }

    #[test]
    fn keys_end_at_their_sign() {
        assert_eq!(key("a.b-c=1 d"), Ok(("1 d", "a.b-c")));
        assert_eq!(key("\"a b\"=1"), Ok(("1", "a b")));
        for text in ["", "=1", "a", "a b=1", "\"a\"1", "\"a=1", "a\"b=1", "a\tb=1"] {
            assert!(key(text).is_err(), "{text}");
        }
    }
}
