//! The pieces that grammars are made of: nom parsers over the text of a line.
//!
//! Each gives a slice of the line and what follows it. Those that look for a byte do it by words, not by characters, and
//! only for ASCII bytes, so that every slice ends where a character does.

use nom::{IResult, Parser};

/// What a grammar's piece answers: the rest and what was read, or that the line is of another format. Why it is not is of
/// no use, since a line is tried in many formats, so nothing is collected.
pub(crate) type Read<'a, T = &'a str> = IResult<&'a str, T, ()>;

/// No, it is of another format.
pub(crate) fn misfit<T>() -> Result<T, nom::Err<()>> {
    Err(nom::Err::Error(()))
}

/// Up to the first ASCII byte `end`, which is taken and not given; it may be empty.
pub(crate) fn until<'a>(end: u8) -> impl Parser<&'a str, Output = &'a str, Error = ()> {
    move |line: &'a str| {
        let at = memchr::memchr(end, line.as_bytes()).filter(|_| end.is_ascii());
        split(line, at, 1)
    }
}

/// The same up to `end`, a text.
pub(crate) fn until_text<'a>(end: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = ()> {
    move |line: &'a str| split(line, line.find(end), end.len())
}

/// The first `at` bytes, where there are so many, and what follows them and `gap` more.
pub(crate) fn split(line: &str, at: Option<usize>, gap: usize) -> Read<'_> {
    let piece = at.and_then(|at| Some((line.get(at + gap..)?, line.get(..at)?)));
    piece.map_or_else(misfit, Ok)
}

/// As long as bytes are ASCII and `takes` says yes; at least one.
pub(crate) fn run<'a>(takes: impl Fn(u8) -> bool) -> impl Parser<&'a str, Output = &'a str, Error = ()> {
    move |line: &'a str| {
        let end = line.bytes().position(|byte| !byte.is_ascii() || !takes(byte)).unwrap_or(line.len());
        if end == 0 { misfit() } else { split(line, Some(end), 0) }
    }
}

/// Digits, at least one.
pub(crate) fn digits(line: &str) -> Read<'_> {
    run(|byte| byte.is_ascii_digit()).parse_complete(line)
}

/// The inside of a text in double quotes, in which a backslash keeps the next byte from ending it; given as it stands.
pub(crate) fn quoted(line: &str) -> Read<'_> {
    let (rest, (inside, _has_backslash)) = quoted_text(line)?;
    Ok((rest, inside))
}

/// The same, and whether it has a backslash, so that nobody looks for one again.
pub(crate) fn quoted_text(line: &str) -> Read<'_, (&str, bool)> {
    let Some(inside) = line.strip_prefix('"') else { return misfit() };
    let bytes = inside.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        let at = from + at;
        if bytes.get(at) == Some(&b'"') {
            let (rest, inside) = split(inside, Some(at), 1)?;
            return Ok((rest, (inside, from > 0)));
        }
        from = at + 2;
    }
    misfit()
}

/// The same in single quotes, as Python prints texts.
pub(crate) fn single_quoted(line: &str) -> Read<'_> {
    let Some(inside) = line.strip_prefix('\'') else { return misfit() };
    let bytes = inside.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memchr2(b'\'', b'\\', rest)) {
        let at = from + at;
        if bytes.get(at) == Some(&b'\'') {
            return split(inside, Some(at), 1);
        }
        from = at + 2;
    }
    misfit()
}

/// Words that may have blanks in brackets and quotes, as programs print values: `[1, 'a b']`, `Error(2, "x")`.
///
/// Brackets that a line does not close are none; having gone to its end for that once is enough.
#[derive(Default)]
pub(crate) struct Brackets {
    are_open: bool,
}

impl Brackets {
    /// Up to the first blank outside of brackets; the blank stays.
    pub(crate) fn word<'a>(&mut self, line: &'a str) -> (&'a str, &'a str) {
        let end = if self.are_open { None } else { closed(line.as_bytes()) };
        let end = end.unwrap_or_else(|| {
            let end = memchr::memchr(b' ', line.as_bytes()).unwrap_or(line.len());
            self.are_open |= end < line.len();
            end
        });
        let (word, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        (rest, word)
    }
}

/// Where the first blank outside of brackets is, or the end; none where a bracket or a quote in it stays open.
fn closed(line: &[u8]) -> Option<usize> {
    let (mut at, mut depth, mut quote) = (0, 0_u32, None);
    while let Some(byte) = line.get(at) {
        match (byte, quote) {
            // Arrows.
            (b'=' | b'-', None) if line.get(at + 1) == Some(&b'>') => at += 1,
            (b'\\', Some(_)) => at += 1,
            (byte, Some(open)) if *byte == open => quote = None,
            (_, Some(_)) => (),
            (b'(' | b'[' | b'{' | b'<', None) => depth += 1,
            (b')' | b']' | b'}' | b'>', None) => depth = depth.saturating_sub(1),
            (b'"' | b'\'', None) if depth > 0 => quote = Some(*byte),
            (b' ', None) if depth == 0 => return Some(at),
            _ => (),
        }
        at += 1;
    }
    (depth == 0 && quote.is_none()).then_some(line.len())
}

/// What is before the last `byte` of a text, an ASCII one, and what follows it.
pub(crate) fn cut_last(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr::memrchr(byte, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Exactly the bytes of `text`.
pub(crate) fn exact<'a>(text: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = ()> {
    move |line: &'a str| match line.strip_prefix(text) {
        Some(rest) => Ok((rest, text)),
        None => misfit(),
    }
}

/// One byte.
pub(crate) fn byte<'a>(expected: u8) -> impl Parser<&'a str, Output = (), Error = ()> {
    move |line: &'a str| match line.as_bytes().first() {
        Some(first) if *first == expected && expected.is_ascii() => {
            split(line, Some(1), 0).map(|(rest, _)| (rest, ()))
        }
        _ => misfit(),
    }
}

/// Blanks, at least one.
pub(crate) fn blanks(line: &str) -> Read<'_> {
    run(|byte| byte == b' ' || byte == b'\t').parse_complete(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_are_slices_and_the_rest_follows() {
        assert_eq!(until(b' ').parse_complete("ab c"), Ok(("c", "ab")));
        assert_eq!(until_text(" - ").parse_complete("ä - c"), Ok(("c", "ä")));
        assert_eq!(quoted(r#""a \"b\" \\" c"#), Ok((" c", r#"a \"b\" \\"#)));
        assert_eq!(quoted_text(r#""a\\" "b""#), Ok((" \"b\"", (r"a\\", true))));
        assert_eq!(quoted_text(r#""a" "b\\""#), Ok((r#" "b\\""#, ("a", false))));
        assert_eq!(byte(b'[').parse_complete("[x"), Ok(("x", ())));
        assert_eq!(cut_last("ä b c", b' '), Some(("ä b", "c")));
        assert_eq!((cut_last("ab", b' '), cut_last("", b' ')), (None, None));
    }

    #[test]
    fn a_word_may_have_blanks_in_brackets_that_are_closed() {
        let mut brackets = Brackets::default();
        for (line, rest, word) in [
            ("a b", " b", "a"),
            ("[1, 'a ] b'] c", " c", "[1, 'a ] b']"),
            ("Error(2, \"x) y\") z", " z", "Error(2, \"x) y\")"),
            ("it's me", " me", "it's"),
            ("{\"a\"=>\"b c\", d->e} f", " f", "{\"a\"=>\"b c\", d->e}"),
            ("", "", ""),
            ("[1 2", " 2", "[1"),
            ("[1 2] 3", " 2] 3", "[1"),
        ] {
            assert_eq!(brackets.word(line), (rest, word), "{line}");
        }
    }

    #[test]
    fn what_is_not_there_is_a_misfit() {
        for line in ["", "\"", "\"a", "\"a\\", "\"a\\\"", "a\"b\""] {
            assert!(quoted(line).is_err(), "{line}");
        }
        assert!(digits("a1").is_err() && until(b'=').parse_complete("abc").is_err());
    }

    proptest! {
        #[test]
        fn no_line_panics_and_nothing_is_invented(line in r#"[ "\\ä=0-9.a]{0,20}"#) {
            for read in [until(b'=').parse_complete(&line), quoted(&line), digits(&line), blanks(&line)] {
                let Ok((rest, piece)) = read else { continue };
                prop_assert!(line.ends_with(rest) && line.contains(piece) && rest.len() + piece.len() <= line.len());
            }
        }
    }
}
