//! Texts in quotes as programs print them: what their backslashes mean.
//!
//! Known are `\"`, `\'`, `\\`, `\/`, `\n`, `\r`, `\t`, `\b`, `\f`, `\uXXXX` (in pairs beyond the first plane) and `\xHH` below 128. Whatever
//! else follows a backslash is kept with it: half of a character, or a byte that is none, can not be a text.

use bumpalo::Bump;
use bumpalo::collections::String;

/// The text that `quoted` means; the same slice where it has no backslash.
pub(super) fn unescaped<'a>(quoted: &'a str, arena: &'a Bump) -> &'a str {
    let Some(first) = memchr::memchr(b'\\', quoted.as_bytes()) else { return quoted };
    let mut text = String::with_capacity_in(quoted.len(), arena);
    let (mut plain, mut rest) = quoted.split_at(first);
    loop {
        text.push_str(plain);
        if rest.is_empty() {
            return text.into_bump_str();
        }
        rest = one(rest, &mut text);
        (plain, rest) = rest.split_at(memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len()));
    }
}

/// Writes what the sequence at the beginning of `escaped` means; answers what follows it.
fn one<'q>(escaped: &'q str, text: &mut String<'_>) -> &'q str {
    let (meant, taken) = match escaped.as_bytes().get(1) {
        Some(byte @ (b'"' | b'\'' | b'\\' | b'/')) => (Some(char::from(*byte)), 2),
        Some(b'n') => (Some('\n'), 2),
        Some(b'r') => (Some('\r'), 2),
        Some(b't') => (Some('\t'), 2),
        Some(b'b') => (Some('\u{8}'), 2),
        Some(b'f') => (Some('\u{c}'), 2),
        Some(b'x') => {
            let byte = escaped.as_bytes().get(2..4).and_then(hexadecimal);
            (byte.filter(|byte| *byte < 128).and_then(char::from_u32), 4)
        }
        Some(b'u') => unicode(escaped.as_bytes()).unwrap_or((None, 1)),
        _ => (None, 1),
    };
    match meant {
        Some(meant) => {
            text.push(meant);
            escaped.get(taken..).unwrap_or_default()
        }
        None => {
            text.push('\\');
            escaped.get(1..).unwrap_or_default()
        }
    }
}

/// What the beginning of `escaped` means where it is `\u` and four digits, or two of those that are the halves of a pair:
/// the character, which a half alone is none, and the bytes they take.
pub(crate) fn unicode(escaped: &[u8]) -> Option<(Option<char>, usize)> {
    let unit = |escaped: &[u8]| hexadecimal(escaped.strip_prefix(b"\\u")?.get(..4)?);
    let first = unit(escaped)?;
    match escaped.get(6..).and_then(unit) {
        Some(low @ 0xdc00..=0xdfff) if (0xd800..=0xdbff).contains(&first) => {
            Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)), 12))
        }
        _ => Some((char::from_u32(first), 6)),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_backslash_means_is_put_in_its_place() {
        let arena = Bump::new();
        for (quoted, text) in [
            ("plain", "plain"),
            (r#"a \"b\" \\ \n"#, "a \"b\" \\ \n"),
            (r"\u00e4\x41\/", "äA/"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d x", r"\ud83d x"),
            (r"\xff\q\", r"\xff\q\"),
            (r"\u12", r"\u12"),
            (r"\xä", r"\xä"),
        ] {
            assert_eq!(unescaped(quoted, &arena), text, "{quoted}");
        }
    }

    proptest! {
        #[test]
        fn what_json_means_is_meant_here_too(text in r#"["\\/\n\t\u{8}ä😀a]{0,20}"#) {
            let quoted = serde_json::to_string(&text).expect("a text");
            let inside = quoted.get(1..quoted.len() - 1).expect("quotes");
            let arena = Bump::new();
            prop_assert_eq!(unescaped(inside, &arena), text.as_str());
        }

        #[test]
        fn no_text_panics(text in r#"[\\uxd8-9nqäf]{0,20}"#) {
            let arena = Bump::new();
            prop_assert!(unescaped(&text, &arena).len() <= text.len());
        }
    }
}
