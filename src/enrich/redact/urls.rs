//! User and password in a URL, `scheme://user:password@host`. Of `http` and `https` a user alone is taken too: services have
//! tokens in that place.

/// Bytes of user and password together.
const LONGEST: usize = 256;

/// What stands between `://` and `@`.
pub(super) fn user(text: &[u8], start: usize, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let rest = rest.get(..rest.len().min(LONGEST))?;
    let authority = rest.iter().position(|byte| ends(*byte) || b"/?#".contains(byte)).unwrap_or(rest.len());
    let at = memchr::memrchr(b'@', rest.get(..authority)?).or_else(|| beyond(rest, authority))?;
    let user = rest.get(..at)?;
    let before = text.get(..start)?;
    let is_web = before.ends_with(b"http") || before.ends_with(b"https");
    let is_taken = at > 0 && (is_web || memchr::memchr(b':', user).is_some());
    is_taken.then_some((from, from + at))
}

/// The `@` of a password in which a slash or the like was not escaped: what stands behind the colon is no port then.
fn beyond(rest: &[u8], authority: usize) -> Option<usize> {
    let colon = memchr::memchr(b':', rest.get(..authority)?)?;
    let port = rest.get(colon + 1..authority)?;
    if port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
    memchr::memrchr(b'@', rest.get(..end)?)
}

/// What no URL has in it.
fn ends(byte: u8) -> bool {
    byte <= b' ' || b"\"'<>\\`".contains(&byte)
}
