//! JSON web tokens, what an `Authorization` header has, private keys.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::bytes;

/// The shortest token that is taken for one behind `Bearer`.
const SHORTEST_BEARER: usize = 16;

/// Bytes between `-----BEGIN ` and the end of that line.
const LONGEST_LABEL: usize = 64;

/// How many bytes from `from` on are ASCII letters or digits, or taken by `more`.
pub(super) fn run(text: &[u8], from: usize, more: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(|byte| !bytes::is(*byte, bytes::WORD) && !more(*byte)).unwrap_or(rest.len())
}

fn is_url_safe(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

/// Three parts or more, of which the first is a JSON object in base64, and so begins with `eyJ` (RFC 7515, RFC 7516).
pub(super) fn jwt(text: &[u8], start: usize, _: usize) -> Option<(usize, usize)> {
    let before = start.checked_sub(1).and_then(|at| text.get(at)).copied();
    if before.is_some_and(|before| before.is_ascii_alphanumeric() || is_url_safe(before)) {
        return None;
    }
    let (mut end, mut parts) = (start + run(text, start, is_url_safe), 1);
    while text.get(end) == Some(&b'.') && parts < 5 {
        end += 1 + run(text, end + 1, is_url_safe);
        parts += 1;
    }
    // The dot of a sentence.
    let end = if parts > 3 && text.get(end - 1) == Some(&b'.') { end - 1 } else { end };
    (parts >= 3 && end - start >= 20).then_some((start, end))
}

/// The token behind `Bearer`: long, and with a digit, or it is the next word of a sentence (RFC 6750).
pub(super) fn bearer(text: &[u8], _: usize, from: usize) -> Option<(usize, usize)> {
    let length = run(text, from, |byte| b"._~+/=-".contains(&byte));
    let token = text.get(from..from + length)?;
    (length >= SHORTEST_BEARER && token.iter().any(u8::is_ascii_digit)).then_some((from, from + length))
}

/// User and password behind `Basic`: base64 with a colon in it (RFC 7617).
pub(super) fn basic(text: &[u8], _: usize, from: usize) -> Option<(usize, usize)> {
    /// Characters that are decoded to look for the colon.
    const FIRST: usize = 256;
    let length = run(text, from, |byte| b"+/=".contains(&byte));
    let token = text.get(from..from + length.min(FIRST))?;
    let mut decoded = [0; FIRST];
    let count = BASE64_STANDARD.decode_slice(token, &mut decoded).ok()?;
    decoded.get(..count)?.contains(&b':').then_some((from, from + length))
}

/// From the first line of a private key to its last, or to the end of the text where that is missing (RFC 7468).
pub(super) fn private_key(text: &[u8], start: usize, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let label = rest.get(..rest.len().min(LONGEST_LABEL))?;
    memchr::memmem::find(label, b"PRIVATE KEY")?;
    let Some(end) = memchr::memmem::find(rest, b"-----END ") else { return Some((start, text.len())) };
    let last = from + end + 9;
    let close = memchr::memmem::find(text.get(last..)?, b"-----");
    Some((start, close.map_or(text.len(), |close| last + close + 5)))
}
