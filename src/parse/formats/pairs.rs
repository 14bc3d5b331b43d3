//! `KEY=VALUE` behind a message, as loggers print fields for people: the pairs that a line ends with.
//!
//! Where the message ends is not marked, so that all pairs at the end are fields: a word among them begins the search anew.

use nom::Parser;

use crate::event::Value;
use crate::parse::sink::{MAX_MEMBERS, Sink, bare};
use crate::parse::token::{Brackets, Read, misfit, quoted, run, single_quoted};

/// Puts down the pairs that `text` ends with; answers what is before them.
pub(super) fn behind<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    let (message, mut pairs) = text.split_at_checked(begin(text)).unwrap_or((text, ""));
    let mut brackets = Brackets::default();
    while let Ok((rest, (key, value))) = pair(pairs, &mut brackets) {
        let value = match value {
            Text::Quoted(text) => Value::Text(sink.unescaped(text).as_bytes()),
            Text::Bare(word) => bare(word),
        };
        sink.named_beside(key, value);
        pairs = rest.trim_start_matches(' ');
    }
    message.trim_end_matches(' ')
}

enum Text<'a> {
    Quoted(&'a str),
    Bare(&'a str),
}

/// Where the last run of pairs begins; where there are too many, none are.
fn begin(text: &str) -> usize {
    let (mut rest, mut begin, mut brackets) = (text, text.len(), Brackets::default());
    let mut count = 0;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        rest = match pair(rest, &mut brackets) {
            Ok((after, _)) if after.is_empty() || after.starts_with(' ') => {
                begin = begin.min(at);
                count += 1;
                after
            }
            _ => {
                (begin, count) = (text.len(), 0);
                rest.trim_start_matches(|character| character != ' ')
            }
        }
        .trim_start_matches(' ');
    }
    if count < MAX_MEMBERS / 2 { begin } else { text.len() }
}

fn pair<'a>(text: &'a str, brackets: &mut Brackets) -> Read<'a, (&'a str, Text<'a>)> {
    let is_of_key = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'\'');
    let (rest, key) = run(is_of_key).parse_complete(text)?;
    let Some(rest) = rest.strip_prefix('=') else { return misfit() };
    if let Ok((rest, text)) = quoted(rest).or_else(|_| single_quoted(rest)) {
        return Ok((rest, (key, Text::Quoted(text))));
    }
    let (rest, word) = brackets.word(rest);
    Ok((rest, (key, Text::Bare(word))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pairs_at_the_end_are_found() {
        for (text, pairs) in [
            ("a message k=v n=1", "k=v n=1"),
            ("only words", ""),
            ("m k='a b' l=\"c\"", "k='a b' l=\"c\""),
            ("a=1 in the message b=\"c d\"", "b=\"c d\""),
            ("all=1 pairs=2", "all=1 pairs=2"),
            ("m   list=[1, 2] e=", "list=[1, 2] e="),
            ("m k=\"unclosed b", ""),
            ("", ""),
        ] {
            assert_eq!(text.get(begin(text)..), Some(pairs), "{text}");
        }
    }
}
