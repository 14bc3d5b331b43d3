//! JSON that steps write, into the event's arena.

use std::borrow::Cow;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use crate::event::Value;

/// Writes a text with its quotes; bytes that are no UTF-8 become U+FFFD.
pub(super) fn text(out: &mut Vec<'_, u8>, bytes: &[u8]) {
    let text = match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    };
    out.push(b'"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        out.extend_from_slice_copy(text.as_bytes().get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice_copy(&[b'\\', byte]),
            _ => {
                let digit =
                    |nibble: u8| char::from_digit(nibble.into(), 16).map_or(b'0', |digit| digit as u8);
                out.extend_from_slice_copy(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    out.extend_from_slice_copy(text.as_bytes().get(clean..).unwrap_or_default());
    out.push(b'"');
}

/// What was written, as a value.
pub(super) fn value<'a>(out: Vec<'a, u8>) -> Value<'a> {
    // What is written is text alone.
    str::from_utf8(out.into_bump_slice()).map_or(Value::Null, Value::Json)
}

/// An empty text to write to.
pub(super) fn start(arena: &Bump) -> Vec<'_, u8> {
    Vec::with_capacity_in(128, arena)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_reads_back_as_itself(plain: String) {
            let arena = Bump::new();
            let mut out = start(&arena);
            text(&mut out, plain.as_bytes());
            prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("JSON"), plain);
        }

        #[test]
        fn any_bytes_become_a_text(bytes: std::vec::Vec<u8>) {
            let arena = Bump::new();
            let mut out = start(&arena);
            text(&mut out, &bytes);
            let read = serde_json::from_slice::<String>(&out).expect("JSON");
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
