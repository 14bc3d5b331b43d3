//! Texts as JSON strings: one look for UTF-8, one for what must be escaped, and a copy.

use crate::event::words;

/// Bytes looked at together; the compiler turns the comparison of a block into a few vector instructions.
const BLOCK: usize = 32;

/// Texts up to this length are looked at once for all that could be wrong with them.
const SHORT: usize = 64;

/// Writes `text` in quotes. Bytes that are no UTF-8 become U+FFFD; answers whether there were any.
pub(super) fn write_bytes(out: &mut Vec<u8>, text: &[u8]) -> bool {
    if text.len() <= SHORT && !words::any(text, |word| words::ends_json_text(word) | words::not_ascii(word)) {
        write_clean(out, text);
        return false;
    }
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
    if words::any(name.as_bytes(), words::ends_json_text) {
        out.push(b',');
        write_str(out, name);
        return out.push(b':');
    }
    out.reserve(name.len() + 4);
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes a text that needs no escape.
fn write_clean(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Writes `text` in quotes.
pub(super) fn write_str(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_special(rest) {
        let (clean, special) = rest.split_at(at);
        out.extend_from_slice(clean);
        let Some((byte, after)) = special.split_first() else { break };
        write_escape(out, *byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether any byte of a block is special, without a branch for each.
fn any_special(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |any, byte| any | is_special(*byte))
}

fn first_special(bytes: &[u8]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !any_special(block)).count();
    if clean == blocks.len() && !words::any(rest, words::ends_json_text) {
        return None;
    }
    let from = clean * BLOCK;
    bytes.get(from..)?.iter().position(|byte| is_special(*byte)).map(|at| from + at)
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
