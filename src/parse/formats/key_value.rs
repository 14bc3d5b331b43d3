//! Lines with `KEY=VALUE` in them, less strict than `logfmt`: structlog's key-value lines, firewalls, the kernel's audit.
//!
//! Pairs are parted by blanks, commas, semicolons or bars. A value stands in double or single quotes, or goes on to the next blank that
//! is in no brackets. Words that are in no pair are not lost: the message is then the whole line. Too many lines have a pair in
//! them to take every such line for one of these, so that the format has to be named.

use nom::Parser;

use crate::event::Value;
use crate::parse::sink::{Sink, bare};
use crate::parse::token::{Brackets, Read, misfit, quoted, run, single_quoted};

/// A line with a pair in it.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (mut brackets, mut has_pairs, mut has_words) = (Brackets::default(), false, false);
    let mut rest = line.trim_start_matches(is_separator);
    while !rest.is_empty() {
        sink.has_room().then_some(())?;
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
    if let Ok((rest, text)) = quoted(rest).or_else(|_| single_quoted(rest)) {
        return Ok((rest, (key, Value::Text(sink.unescaped(text).as_bytes()))));
    }
    let (after, word) = brackets.word(rest);
    match next_pair(word).and_then(|at| rest.split_at_checked(at)) {
        Some((word, rest)) => Ok((rest, (key, bare(word)))),
        None => Ok((after, (key, bare(word.trim_end_matches(is_separator))))),
    }
}

/// Where a separator is in a bare word, outside of brackets, behind which the next pair follows at once.
fn next_pair(word: &str) -> Option<usize> {
    let at = word.bytes().position(|byte| matches!(byte, b',' | b';' | b'|' | b'(' | b'[' | b'{' | b'<'))?;
    let (rest, _) = run(is_of_key).parse_complete(word.get(at..)?.strip_prefix(is_separator)?).ok()?;
    rest.starts_with('=').then_some(at)
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/')
}
