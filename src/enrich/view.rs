//! A value as a text, a number or an address, whatever form it came in.
//!
//! Texts are slices of what was read; only one with JSON escapes in it is written again, into the event's arena, as are
//! numbers that are asked for as text. A half of a surrogate pair becomes U+FFFD, as where documents are written.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};

use bumpalo::Bump;
use bumpalo::collections::Vec;

use crate::event::{Value, words};
use crate::parse::unicode_escape;

/// A number; whole ones are held exactly.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// Of any integer type.
    Whole(i128),
    /// With a fraction, or an exponent.
    Broken(f64),
}

impl Number {
    /// As a float, which for a large whole number is near it.
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Broken(number) => number,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }
}

/// The text of a value that is one.
pub(crate) fn text<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    match *value {
        Value::Text(text) => Some(text),
        Value::Binary(bytes) => str::from_utf8(bytes).ok().map(str::as_bytes),
        Value::Json(json) | Value::Scalar(json) => {
            let text = json.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            let escaped = words::any(text, |word| words::equal(word, b'\\'));
            Some(if escaped { unescaped(text, arena) } else { text })
        }
        _ => None,
    }
}

/// What stands in the document for a text, a number or a truth; none for null, arrays and objects.
pub(crate) fn shown<'a>(value: &Value<'a>, arena: &'a Bump) -> Option<&'a [u8]> {
    match *value {
        Value::Bool(true) => Some(b"true"),
        Value::Bool(false) => Some(b"false"),
        Value::Unsigned(number) => Some(digits(number, arena)),
        Value::Signed(number) => Some(digits(number, arena)),
        Value::Single(number) => Some(float(&number, arena)),
        Value::Double(number) => Some(float(&number, arena)),
        Value::Json(json) | Value::Scalar(json) => match json.as_bytes().first()? {
            b'{' | b'[' | b'n' => None,
            b'"' => text(value, arena),
            _ => Some(json.as_bytes()),
        },
        _ => text(value, arena),
    }
}

fn digits(number: impl itoa::Integer, arena: &Bump) -> &[u8] {
    arena.alloc_str(itoa::Buffer::new().format(number)).as_bytes()
}

fn float<'a>(number: &impl serde::Serialize, arena: &'a Bump) -> &'a [u8] {
    let mut buffer = [0; 32];
    let mut rest = &mut buffer[..];
    // The longest float has fewer characters.
    if serde_json::to_writer(&mut rest, number).is_err() {
        return b"null";
    }
    let left = rest.len();
    arena.alloc_slice_copy(buffer.get(..buffer.len() - left).unwrap_or_default())
}

/// The number that a value is, or that its text says.
pub(crate) fn number(value: &Value<'_>) -> Option<Number> {
    match *value {
        Value::Unsigned(number) => Some(Number::Whole(number.into())),
        Value::Signed(number) => Some(Number::Whole(number.into())),
        Value::Single(number) => Some(Number::Broken(number.into())),
        Value::Double(number) => Some(Number::Broken(number)),
        Value::Text(text) => number_in(text),
        Value::Json(json) | Value::Scalar(json) => number_in(unquoted(json)),
        _ => None,
    }
}

/// The text between quotes as it stands, where there are any: no number has an escape in it.
fn unquoted(json: &str) -> &[u8] {
    let json = json.as_bytes();
    json.strip_prefix(b"\"").and_then(|json| json.strip_suffix(b"\"")).unwrap_or(json)
}

/// The number that a text says, and nothing else but blanks.
pub(crate) fn number_in(text: &[u8]) -> Option<Number> {
    let text = text.trim_ascii();
    let is_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if !matches!(text, [b'0'..=b'9' | b'+' | b'-' | b'.', ..]) || !text.iter().all(is_number) {
        return None;
    }
    let text = str::from_utf8(text).ok()?;
    match text.parse() {
        Ok(whole) => Some(Number::Whole(whole)),
        Err(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Broken),
    }
}

/// An address, or the one of `address:port`. One of IPv4 that is written in IPv6 is the one of IPv4.
pub(crate) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// A JSON text without its quotes and escapes. It is right JSON, or was read wrongly: then nothing worse than an odd text.
fn unescaped<'a>(text: &[u8], arena: &'a Bump) -> &'a [u8] {
    let mut out = Vec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (clean, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice_copy(clean);
        let (character, length) = self::escape(escape).unwrap_or(('\\', 1));
        out.extend_from_slice_copy(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice_copy(rest);
    out.into_bump_slice()
}

/// The character that the JSON escape at the beginning of `text` is, and the bytes that it takes; none where it is no escape.
pub(super) fn escape(text: &[u8]) -> Option<(char, usize)> {
    let [b'\\', escaped, ..] = text else { return None };
    Some(match escaped {
        b'n' => ('\n', 2),
        b't' => ('\t', 2),
        b'r' => ('\r', 2),
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'u' => {
            let (character, length) = unicode_escape(text)?;
            (character.unwrap_or(char::REPLACEMENT_CHARACTER), length)
        }
        b'"' | b'\\' | b'/' => (char::from(*escaped), 2),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_the_same_in_every_form() {
        let arena = Bump::new();
        for (value, expected) in [
            (Value::Text(b"a\"b"), Some(&b"a\"b"[..])),
            (Value::Scalar("\"plain\""), Some(b"plain")),
            (Value::Json(r#""a\"\\\/\n\u00e4\ud83d\ude42""#), Some("a\"\\/\nä🙂".as_bytes())),
            (Value::Json(r#""\ud83d.\ude42""#), Some("\u{fffd}.\u{fffd}".as_bytes())),
            (Value::Json(r#""\ud83d\u0041""#), Some("\u{fffd}A".as_bytes())),
            (Value::Binary(b"bytes"), Some(b"bytes")),
            (Value::Binary(b"\xff"), None),
            (Value::Json("12"), None),
            (Value::Null, None),
        ] {
            assert_eq!(text(&value, &arena), expected, "{value:?}");
        }
    }

    #[test]
    fn numbers_and_truths_are_shown_as_they_are_written() {
        let arena = Bump::new();
        for (value, expected) in [
            (Value::Unsigned(u64::MAX), Some(&b"18446744073709551615"[..])),
            (Value::Signed(-1), Some(b"-1")),
            (Value::Single(0.1), Some(b"0.1")),
            (Value::Double(-2.225_073_858_507_201_4e-308), Some(b"-2.2250738585072014e-308")),
            (Value::Double(f64::NAN), Some(b"null")),
            (Value::Bool(true), Some(b"true")),
            (Value::Scalar("1.50"), Some(b"1.50")),
            (Value::Scalar("null"), None),
            (Value::Json("[1]"), None),
            (Value::Packed(&[0x91, 1]), None),
        ] {
            assert_eq!(shown(&value, &arena), expected, "{value:?}");
        }
    }

    #[test]
    fn a_text_that_says_a_number_is_one_and_no_other() {
        for (text, expected) in [
            ("12", Some(Number::Whole(12))),
            (" -7 ", Some(Number::Whole(-7))),
            ("+7", Some(Number::Whole(7))),
            ("1.5e3", Some(Number::Broken(1500.0))),
            (".5", Some(Number::Broken(0.5))),
            ("18446744073709551616", Some(Number::Whole(1 << 64))),
        ] {
            assert_eq!(number(&Value::Text(text.as_bytes())), expected, "{text}");
            assert_eq!(number(&Value::Json(&format!("\"{text}\""))), expected, "{text}");
        }
        for text in ["", "inf", "nan", "1e999", "0x10", "1 2", "12ms", "-", "e5", "\u{661}"] {
            assert!(number(&Value::Text(text.as_bytes())).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_is_escaped_as_json_reads_as_itself(plain: String) {
            let arena = Bump::new();
            let json = serde_json::to_string(&plain).expect("in memory");
            prop_assert_eq!(text(&Value::Json(&json), &arena), Some(plain.as_bytes()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in "[\"\\\\ud8-f0-9a]{0,20}") {
            let (arena, quoted) = (Bump::new(), format!("\"{bytes}\""));
            prop_assert!(text(&Value::Json(&quoted), &arena).is_some_and(|text| str::from_utf8(text).is_ok()));
            number(&Value::Json(&quoted));
        }
    }
}
