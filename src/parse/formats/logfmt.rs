//! Lines of pairs, `level=info msg="a text"`: logrus, slog, go-kit, Docker, Prometheus, Grafana, Heroku.
//!
//! `KEY=VALUE`, parted by blanks. A value, or a key, with blanks in it stands in double quotes, in which a backslash has its meaning; a
//! bare one that is a number, a truth or null is one. There is no specification; what all printers have in common is described at
//! <https://pkg.go.dev/github.com/kr/logfmt>. The whole line has to be pairs. Since other lines may be too, it also needs a level or a time
//! under a name that such loggers have, unless the format is named.

use crate::event::Value;
use crate::event::blocks::{Search, pair_ends};
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::time::forms;
use crate::parse::token::quoted;

/// A whole line.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut at, mut is_sure) = (0, sink.is_format_named());
    let mut ends = Search::new(line.as_bytes(), pair_ends);
    while at < line.len() {
        let (after, key) = key(line, at, &mut ends, sink).filter(|_| sink.has_room())?;
        let (after, value) = value(line, after, &mut ends, sink)?;
        is_sure = is_sure || tells(key, &value);
        sink.named(key, value);
        at = next(line, after)?;
    }
    sink.adopts();
    is_sure.then_some(())
}

/// The key at `at`, and where what is behind its `=` begins.
fn key<'a>(line: &'a str, at: usize, ends: &mut Search<'a>, sink: &Sink<'_, 'a>) -> Option<(usize, &'a str)> {
    if byte(line, at) == Some(b'"') {
        let (rest, key) = quoted(line.get(at..)?).ok()?;
        let rest = rest.strip_prefix('=')?;
        return Some((line.len() - rest.len(), sink.unescaped(key)));
    }
    let end = ends.next(at)?;
    let is_key = end > at && byte(line, end) == Some(b'=');
    Some((end + 1, line.get(at..end).filter(|_| is_key)?))
}

/// The value at `at`, which may be empty, and where it ends.
fn value<'a>(
    line: &'a str,
    at: usize,
    ends: &mut Search<'a>,
    sink: &Sink<'_, 'a>,
) -> Option<(usize, Value<'a>)> {
    if byte(line, at) == Some(b'"') {
        let (rest, text) = quoted(line.get(at..)?).ok()?;
        return Some((line.len() - rest.len(), Value::Text(sink.unescaped(text).as_bytes())));
    }
    let mut end = ends.next(at).unwrap_or(line.len());
    // In a bare value all but a blank means nothing.
    while byte(line, end).is_some_and(|byte| byte != b' ') {
        end = ends.next(end + 1).unwrap_or(line.len());
    }
    Some((end, bare(line.get(at..end)?)))
}

/// Where the next pair begins, a blank or more behind the last; none where something else follows it.
fn next(line: &str, mut at: usize) -> Option<usize> {
    let is_parted = matches!(byte(line, at), Some(b' ') | None);
    while byte(line, at) == Some(b' ') {
        at += 1;
    }
    is_parted.then_some(at)
}

fn byte(line: &str, at: usize) -> Option<u8> {
    line.as_bytes().get(at).copied()
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
    fn keys_end_at_their_sign_and_values_at_a_blank() {
        for line in ["level=info a.b-c=1 d=", "level=info  \"a b\"=1 ", "level=info a=b=\"c\\ d=x\ty"] {
            assert!(fits(read, line), "{line}");
        }
        for bad in ["=1", "a", "a b=1", "\"a\"1", "\"a=1", "a\"b=1", "a\tb=1", "a=\"b\"c"] {
            assert!(!fits(read, &format!("level=info {bad}")), "{bad}");
        }
    }
}
