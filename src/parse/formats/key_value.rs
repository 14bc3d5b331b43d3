//! Lines with `KEY=VALUE` in them, less strict than `logfmt`: structlog's key-value lines, firewalls, the kernel's audit.
//!
//! Pairs are parted by blanks, commas, semicolons or bars. A value stands in double or single quotes, or goes on to the next blank that
//! is in no brackets. Words that are in no pair are not lost: the message is then the whole line. Too many lines have a pair in
//! them to take every such line for one of these, so that the format has to be named.

use nom::Parser;

use crate::event::Value;
use crate::parse::sink::{Sink, bare};
use crate::parse::token::{Brackets, Read, misfit, quoted, run};

/// A line with a pair in it.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut brackets, mut has_pairs, mut has_words) = (Brackets::default(), false, false);
    let mut rest = line.trim_start_matches(is_separator);
    while !rest.is_empty() {
        let after = match pair(rest, &mut brackets, sink) {
            Ok((after, (key, value))) => {
                sink.named(key, value);
                has_pairs = true;
                after
            }
            Err(_) => {
                has_words = true;
                rest.trim_start_matches(|character| !is_separator(character))
            }
        };
        rest = after.trim_start_matches(is_separator);
    }
    sink.adopts();
    if has_words {
        sink.message(line);
    }
    has_pairs.then_some(())
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | ',' | ';' | '|')
}

fn pair<'a>(text: &'a str, brackets: &mut Brackets, sink: &Sink<'_, 'a>) -> Read<'a, (&'a str, Value<'a>)> {
    let is_of_key =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/');
    let (rest, key) = run(is_of_key).parse_complete(text)?;
    let Some(rest) = rest.strip_prefix('=') else { return misfit() };
    if let Ok((rest, text)) = quoted(rest) {
        return Ok((rest, (key, Value::Text(sink.unescaped(text).as_bytes()))));
    }
    if let Some((text, rest)) = single_quoted(rest) {
        return Ok((rest, (key, Value::Text(sink.unescaped(text).as_bytes()))));
    }
    let (rest, word) = brackets.word(rest);
    Ok((rest, (key, bare(word.trim_end_matches(is_separator)))))
}

/// What stands in single quotes, and what follows them.
fn single_quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('\'')?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'\'', b'\\', inside.as_bytes().get(from..)?)?;
        if inside.as_bytes().get(at) == Some(&b'\'') {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        from = at + 2;
    }
}
