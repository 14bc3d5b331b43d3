//! Texts as JSON strings: one look for UTF-8, one for what must be escaped, and a copy.

use crate::event::blocks::{self, BLOCK};

/// Texts up to this length are looked at once for all that could be wrong with them.
pub(super) const SHORT: usize = 128;

/// Writes `text` in quotes. Bytes that are no UTF-8 become U+FFFD; answers whether there were any.
#[inline]
pub(super) fn write_bytes(out: &mut Vec<u8>, text: &[u8]) -> bool {
    if text.len() <= SHORT && blocks::is_clean(text) {
        write_clean(out, text);
        return false;
    }
    write_any(out, text)
}

fn write_any(out: &mut Vec<u8>, text: &[u8]) -> bool {
    match simdutf8::basic::from_utf8(text) {
        Ok(text) => {
            write_str(out, text);
            false
        }
        Err(_) => {
            write_str(out, &String::from_utf8_lossy(text));
            true
        }
    }
}

/// Writes a field's name, with the comma before and the colon after it.
pub(super) fn write_next_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    if blocks::is_clean(name.as_bytes()) {
        write_clean(out, name.as_bytes());
    } else {
        write_str(out, name);
    }
    out.push(b':');
}

/// Writes a text that needs no escape.
#[inline]
fn write_clean(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Writes `text` in quotes.
pub(super) fn write_str(out: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut clean = 0;
    for (index, block) in text.chunks(BLOCK).enumerate() {
        let mut ends = blocks::json_text_ends(block);
        while ends != 0 {
            let at = BLOCK * index + ends.trailing_zeros() as usize;
            out.extend_from_slice(text.get(clean..at).unwrap_or_default());
            write_escape(out, text.get(at).copied().unwrap_or_default());
            (clean, ends) = (at + 1, ends & (ends - 1));
        }
    }
    out.extend_from_slice(text.get(clean..).unwrap_or_default());
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\r' => out.extend_from_slice(b"\\r"),
        _ => {
            let digit = |nibble: u8| HEX[usize::from(nibble & 0xf)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &[u8]) -> (String, bool) {
        let mut out = Vec::new();
        let mended = write_bytes(&mut out, text);
        (String::from_utf8(out).expect("JSON is UTF-8"), mended)
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_itself(text in "\\PC*|[\\x00-\\x7f]{0,100}") {
            let (json, mended) = written(text.as_bytes());
            prop_assert!(!mended);
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
        }

        #[test]
        fn any_bytes_read_back_as_their_lossy_text(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (json, _) = written(&bytes);
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn invalid_utf8_is_replaced_and_said() {
        assert_eq!(written(b"a\xffb"), ("\"a\u{fffd}b\"".to_owned(), true));
    }
}
