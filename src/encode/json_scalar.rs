//! Texts and numbers of a line's JSON, copied as they stand unless no index could take them.
//!
//! A `\u` escape that is half of a pair of surrogates becomes U+FFFD: Elasticsearch cannot write such a text again, as
//! an ingest pipeline makes it do. A number beyond what 64 bits hold as a float becomes null, and one with more
//! characters than its parser reads is written as the float that it is.

use memchr::memchr;

use super::value::ValueWriter;
use crate::event::words;

/// Characters of a number that Elasticsearch's parser reads.
const MAX_NUMBER: usize = 1_000;

/// Up to so many digits without an exponent are no infinity.
const SURELY_FINITE: usize = 300;

/// The escape of U+FFFD.
const REPLACEMENT: &[u8] = b"\\ufffd";

/// Writes `json`, which is no object and no array.
#[inline]
pub(super) fn write(writer: &mut ValueWriter<'_>, json: &str) {
    match json.as_bytes() {
        text @ [b'"', ..] if words::any(text, |word| words::equal(word, b'\\')) => {
            writer.mended.invalid_utf8 += u32::from(write_text(writer.out, text));
        }
        other @ [b'"' | b't' | b'f' | b'n', ..] => writer.out.extend_from_slice(other),
        _ => write_number(writer, json),
    }
}

fn write_number(writer: &mut ValueWriter<'_>, json: &str) {
    let exponent = |word| words::equal(word, b'e') | words::equal(word, b'E');
    if json.len() <= SURELY_FINITE && !words::any(json.as_bytes(), exponent) {
        return writer.out.extend_from_slice(json.as_bytes());
    }
    // Known to be right JSON, of which Rust reads every number.
    let number = json.parse().unwrap_or(f64::NAN);
    if number.is_finite() && json.len() <= MAX_NUMBER {
        writer.out.extend_from_slice(json.as_bytes());
    } else {
        writer.float(&number, number.is_finite());
    }
}

/// Copies a text escape by escape; answers whether one had to be replaced.
fn write_text(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let mut mended = false;
    let mut rest = text;
    while let Some((clean, escape)) = memchr(b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(clean);
        let (length, is_half) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => (12, false),
            (Some(_), _) => (6, true),
            (None, _) => (2, false),
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, &[]));
        out.extend_from_slice(if is_half { REPLACEMENT } else { escape });
        mended |= is_half;
        rest = after;
    }
    out.extend_from_slice(rest);
    mended
}

enum Half {
    High,
    Low,
}

/// Which half of a pair the escape that begins `text` is, if any.
fn surrogate(text: &[u8]) -> Option<Half> {
    match text {
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'A' | b'b' | b'B', ..] => Some(Half::High),
        [b'\\', b'u', b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', ..] => Some(Half::Low),
        _ => None,
    }
}
