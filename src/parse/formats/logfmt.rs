//! Lines of pairs, `level=info msg="a text"`: logrus, slog, go-kit, Docker, Prometheus, Grafana, Heroku.
//!
//! `KEY=VALUE`, parted by blanks. A value, or a key, with blanks in it stands in double quotes, in which a backslash has its meaning; a
//! bare one that is a number, a truth or null is one. There is no specification; what all printers have in common is described at
//! <https://pkg.go.dev/github.com/kr/logfmt>. The whole line has to be pairs. Since other lines may be too, it also needs a level or a time
//! under a name that such loggers have, unless the format is named.

use crate::event::blocks::pair_ends;
use crate::event::{Name, Value};
use crate::parse::level::Level;
use crate::parse::sink::{Sink, bare};
use crate::parse::stops::{Kind, Stops};
use crate::parse::time::forms;

/// What a line is looked through for.
struct Ends;

impl Kind for Ends {
    #[inline]
    fn bits(text: &[u8]) -> u64 {
        pair_ends(text)
    }
}

/// A whole line.
// Inlined, it would share its registers with all other formats.
#[inline(never)]
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut at, mut is_sure) = (0, sink.is_format_named());
    let mut stops = Stops::new(line);
    while at < line.len() {
        let (after, key) = key(at, &mut stops, sink).filter(|_| sink.has_room())?;
        let (after, text, is_quoted) = value(line, after, &mut stops, sink)?;
        is_sure = is_sure || tells(key.text, text);
        let place = if key.is_plain { sink.legal(Name::known_plain(key.text)) } else { sink.place(key.text) };
        *place = if is_quoted { Value::Text(text.as_bytes()) } else { bare(text) };
        at = next(after, &stops)?;
    }
    sink.adopts();
    is_sure.then_some(())
}

struct Key<'a> {
    text: &'a str,
    /// Whether it surely is a plain name, as nearly all are.
    is_plain: bool,
}

/// The key at `at`, and where what is behind its `=` begins.
#[inline]
fn key<'a>(at: usize, stops: &mut Stops<'a, Ends>, sink: &Sink<'_, 'a>) -> Option<(usize, Key<'a>)> {
    let end = match stops.next(at)? {
        (end, b'=') if end > at => {
            // All else that makes a name less plain is a stop.
            let text = stops.piece(at, end)?;
            return Some((end + 1, Key { text, is_plain: Name::begins_plain(text) }));
        }
        first => first,
    };
    unusual_key(at, end, stops, sink)
}

/// The same, where the first stop is another.
#[inline(never)]
fn unusual_key<'a>(
    at: usize,
    mut end: (usize, u8),
    stops: &mut Stops<'a, Ends>,
    sink: &Sink<'_, 'a>,
) -> Option<(usize, Key<'a>)> {
    if end == (at, b'"') {
        let (after, text) = quoted(at, stops, sink)?;
        return (stops.byte(after) == Some(b'=')).then_some((after + 1, Key { text, is_plain: false }));
    }
    while matches!(end.1, b'.' | b'\\' | 0x80..) {
        end = stops.next(end.0 + 1)?;
    }
    let is_key = end.0 > at && end.1 == b'=';
    Some((end.0 + 1, Key { text: stops.piece(at, end.0).filter(|_| is_key)?, is_plain: false }))
}

/// The value at `at`, which may be empty, and where it ends; and whether it stands in quotes.
#[inline]
fn value<'a>(
    line: &'a str,
    at: usize,
    stops: &mut Stops<'a, Ends>,
    sink: &Sink<'_, 'a>,
) -> Option<(usize, &'a str, bool)> {
    if stops.byte(at) == Some(b'"') {
        return quoted(at, stops, sink).map(|(after, text)| (after, text, true));
    }
    // In a bare value all but a blank means nothing.
    let end = stops.to(b' ', at).unwrap_or(line.len());
    Some((end, stops.piece(at, end)?, false))
}

/// What the text in quotes at `at` means, and where what follows it begins.
#[inline]
fn quoted<'a>(at: usize, stops: &mut Stops<'a, Ends>, sink: &Sink<'_, 'a>) -> Option<(usize, &'a str)> {
    let (after, text, has_backslash) = stops.quoted(at)?;
    Some((after, if has_backslash { sink.unescaped(text) } else { text }))
}

/// Where the next pair begins, a blank or more behind the last; none where something else follows it.
#[inline]
fn next(mut at: usize, stops: &Stops<'_, Ends>) -> Option<usize> {
    let is_parted = matches!(stops.byte(at), Some(b' ') | None);
    while stops.byte(at) == Some(b' ') {
        at += 1;
    }
    is_parted.then_some(at)
}

/// Whether the pair is one that only a logger prints.
fn tells(key: &str, value: &str) -> bool {
    match key {
        "level" | "lvl" | "severity" | "at" | "loglevel" | "log_level" => {
            let word = value.split_once(['+', '-']).map_or(value, |(word, _)| word);
            Level::of_word(word).is_some()
        }
        "time" | "ts" | "timestamp" | "t" | "@timestamp" => forms::iso(value).is_ok(),
        // Heroku's metrics have no time and no level, but names that nothing else has.
        _ => ["sample#", "measure#", "count#"].iter().any(|kind| key.starts_with(kind)),
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
