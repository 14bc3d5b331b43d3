//! E-mail addresses, around each `@`: letters, digits and `._%+-` before it, and a domain with a dot after it. Letters beyond
//! ASCII count as letters (RFC 6531). More characters are allowed before the `@` (RFC 5321), but they are what logs put around
//! an address: `to='eva@example.org'`.

use super::bytes;

/// Bytes before and after the `@` that are looked at: the longest local part and the longest domain.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// Hands each address in `text` to `found`, by where it begins and ends.
pub(super) fn find(text: &[u8], mut found: impl FnMut(usize, usize)) {
    for at in memchr::memchr_iter(b'@', text) {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let local = bytes::count_back(before, bytes::LOCAL, LOCAL);
        let domain = domain(after);
        if local > 0 && domain > 0 {
            found(at - local, at + 1 + domain);
        }
    }
}

/// How many bytes of `text` are a domain of two labels or more, the last of them of letters.
fn domain(text: &[u8]) -> usize {
    let mut length = bytes::count(text.get(..DOMAIN).unwrap_or(text), bytes::DOMAIN);
    while let Some(b'.' | b'-') = length.checked_sub(1).and_then(|last| text.get(last)) {
        length -= 1;
    }
    let domain = text.get(..length).unwrap_or_default();
    let Some(dot) = memchr::memrchr(b'.', domain) else { return 0 };
    let (labels, last) = (domain.get(..dot).unwrap_or_default(), domain.get(dot + 1..).unwrap_or_default());
    let is_word = last.len() >= 2 && last.first().is_some_and(|first| !first.is_ascii_digit());
    let has_first = labels.first().is_some_and(|first| !matches!(first, b'.' | b'-'));
    if is_word && has_first { length } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text.as_bytes(), |start, end| found.push(text.get(start..end).expect("whole characters")));
        found
    }

    #[test]
    fn addresses_are_found_and_what_stands_around_is_left() {
        for (text, address) in [
            ("from <eva@example.org>, to", "eva@example.org"),
            ("mail eva.m+x@mail.example.co.uk.", "eva.m+x@mail.example.co.uk"),
            ("\"eva@example.org\"", "eva@example.org"),
            ("jörg@größe.de!", "jörg@größe.de"),
            ("a@xn--e1afmkfd.xn--p1ai", "a@xn--e1afmkfd.xn--p1ai"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
        assert_eq!(found("a@b.de,c@d.de"), ["a@b.de", "c@d.de"]);
    }

    #[test]
    fn what_is_no_address_is_left() {
        for text in ["", "@", "a@", "@b.de", "a@b", "git@1.2.3.4", "a@.de", "a @b.de", "@Override", "x@y.z"] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        assert_eq!(found(&"@".repeat(100_000)), [""; 0]);
    }
}
