//! Colours and other orders to a terminal, taken out of lines that were never meant to be seen on one.
//!
//! Escape sequences as ECMA-48 has them: `ESC [ … final` (colours, cursor), `ESC ] … BEL` or `ESC ] … ESC \` (titles, links), and
//! `ESC` with one more byte. <https://ecma-international.org/publications-and-standards/standards/ecma-48/>

use std::sync::LazyLock;

use bumpalo::Bump;
use memchr::memmem::Finder;

const ESCAPE: u8 = 0x1b;

/// The beginning of what JSON makes of an escape.
const ESCAPED: &str = "\\u001";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ESCAPED));

/// Whether there is no escape sequence in the text, and no second line, unless it is JSON, which may go over several.
#[inline]
pub(crate) fn is_one_plain_line(text: &str) -> bool {
    let found = match text.as_bytes() {
        json @ [b'{', ..] => memchr::memchr(ESCAPE, json),
        text => memchr::memchr2(ESCAPE, b'\n', text),
    };
    found.is_none()
}

/// The line without escape sequences; the same slice where there are none.
pub(crate) fn without_colours<'a>(line: &'a str, arena: &'a Bump) -> &'a str {
    let Some(first) = memchr::memchr(ESCAPE, line.as_bytes()) else { return line };
    let mut clean = bumpalo::collections::String::with_capacity_in(line.len(), arena);
    let (mut plain, mut rest) = line.split_at(first);
    loop {
        clean.push_str(plain);
        if rest.is_empty() {
            return clean.into_bump_str();
        }
        rest = after_sequence(rest);
        (plain, rest) = rest.split_at(memchr::memchr(ESCAPE, rest.as_bytes()).unwrap_or(rest.len()));
    }
}

/// A line in JSON without the colours in its texts, where an escape is `\u001b`; none where there are surely none.
///
/// Nothing but `ESC [ numbers letter` goes, which has no sign in it that means something to JSON.
pub(in crate::parse) fn without_escaped_colours<'a>(line: &'a str, arena: &'a Bump) -> Option<&'a str> {
    FINDER.find(line.as_bytes())?;
    let mut clean = bumpalo::collections::String::with_capacity_in(line.len(), arena);
    let mut rest = line;
    while let Some((before, found)) = FINDER.find(rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        clean.push_str(before);
        // An escape behind an odd backslash is the text of one.
        let is_text = before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let after = if is_text { None } else { after_escaped(found) };
        if after.is_none() {
            clean.push_str(ESCAPED);
        }
        rest = after.or_else(|| found.get(ESCAPED.len()..)).unwrap_or_default();
    }
    clean.push_str(rest);
    Some(clean.into_bump_str())
}

/// What follows the colour that `text` begins with.
fn after_escaped(text: &str) -> Option<&str> {
    let sequence = text.strip_prefix(ESCAPED)?.strip_prefix(['b', 'B'])?.strip_prefix('[')?;
    let end = sequence.find(|sign: char| !(sign.is_ascii_digit() || matches!(sign, ';' | ':' | '?')))?;
    sequence.get(end..)?.strip_prefix(|sign: char| sign.is_ascii_alphabetic())
}

/// What follows the sequence that `text` begins with.
fn after_sequence(text: &str) -> &str {
    let bytes = text.as_bytes();
    let end = match bytes.get(1) {
        Some(b'[') => bytes.iter().skip(2).position(|byte| matches!(byte, 0x40..=0x7e)).map(|at| at + 3),
        Some(b']') => bytes.iter().skip(2).position(|byte| matches!(*byte, 0x07 | ESCAPE)).map(|at| {
            let ends_with_two = bytes.get(at + 2) == Some(&ESCAPE);
            at + 3 + usize::from(ends_with_two)
        }),
        Some(byte) if byte.is_ascii() => Some(2),
        _ => Some(1),
    };
    // A sequence that does not end is what is left of one; the rest of the line is kept.
    end.and_then(|end| text.get(end..)).or_else(|| text.get(1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_go_and_the_text_stays() {
        let arena = Bump::new();
        for (line, clean) in [
            ("plain", "plain"),
            ("\x1b[32mINFO\x1b[0m größe", "INFO größe"),
            ("\x1b[38;5;12mx\x1b[K", "x"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("a\x1b", "a"),
            ("a\x1b[", "a["),
            ("\x1bMx", "x"),
            ("\x1bäx", "äx"),
        ] {
            assert_eq!(without_colours(line, &arena), clean, "{line:?}");
        }
    }

    #[test]
    fn colours_that_json_has_escaped_go_and_all_else_stays() {
        let arena = Bump::new();
        for (line, clean) in [
            (r#"{"level":"\u001b[32minfo\u001b[39m"}"#, r#"{"level":"info"}"#),
            (r#"{"a":"\u001B[1;31mx\u001b[0m y"}"#, r#"{"a":"x y"}"#),
            (r#"{"a":"\\u001b[31m"}"#, r#"{"a":"\\u001b[31m"}"#),
            (r#"{"a":"\\\u001b[31mx"}"#, r#"{"a":"\\x"}"#),
            (r#"{"a":"\u001b["}"#, r#"{"a":"\u001b["}"#),
            (r#"{"a":"\u001b[3"}"#, r#"{"a":"\u001b[3"}"#),
            (r#"{"a":"\u001f[31m"}"#, r#"{"a":"\u001f[31m"}"#),
            (r#"{"a":"\u001"#, r#"{"a":"\u001"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(without_escaped_colours(line, &arena).unwrap_or(line), clean, "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_invented_and_no_escape_stays(line in "[\x1b\\[\\]m0-9ä\x07\\\\a]{0,30}") {
            let arena = Bump::new();
            let clean = without_colours(&line, &arena);
            prop_assert!(!clean.contains('\x1b'));
            let mut left = line.chars();
            prop_assert!(clean.chars().all(|one| left.any(|other| other == one)));
        }
    }
}
