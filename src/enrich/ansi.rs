//! Colours and other orders to a terminal, taken out of lines that were never meant to be seen on one.
//!
//! Escape sequences as ECMA-48 has them: `ESC [ … final` (colours, cursor), `ESC ] … BEL` or `ESC ] … ESC \` (titles, links), and
//! `ESC` with one more byte. <https://ecma-international.org/publications-and-standards/standards/ecma-48/>

use bumpalo::Bump;

const ESCAPE: u8 = 0x1b;

/// The line without escape sequences; the same slice where there are none.
pub(super) fn without_colours<'a>(line: &'a str, arena: &'a Bump) -> &'a str {
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
