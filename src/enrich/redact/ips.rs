//! IP addresses of both versions. Four numbers of a version look the same, and are found too.

use std::net::Ipv6Addr;

use super::bytes;

/// Bytes of the shortest address of version 6, `::1`, and of the longest.
const SHORTEST: usize = 3;
const LONGEST: usize = 45;

/// Hands each IPv4 address in `text` to `found`, by where it begins and ends.
pub(super) fn find_v4(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut end = 0;
    for dot in memchr::memchr_iter(b'.', text) {
        if dot < end {
            continue;
        }
        let before = text.get(end..dot).unwrap_or_default();
        let start = dot - before.iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
        if start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(is_inside) {
            continue;
        }
        if let Some(length) = v4(text.get(start..).unwrap_or_default()) {
            end = start + length;
            found(start, end);
        }
    }
}

/// How long the address is that begins `text`.
fn v4(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            (text.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let digits = text.get(at..)?.iter().take(4).take_while(|byte| byte.is_ascii_digit());
        let (count, number) =
            digits.fold((0, 0), |(count, number), digit| (count + 1, number * 10 + u32::from(digit - b'0')));
        (1..=3).contains(&count).then_some(())?;
        (number < 256).then_some(())?;
        at += count;
    }
    let goes_on = match text.get(at) {
        Some(b'.') => text.get(at + 1).is_some_and(u8::is_ascii_digit),
        Some(next) => next.is_ascii_alphanumeric(),
        None => false,
    };
    (!goes_on).then_some(at)
}

/// Hands each IPv6 address in `text` to `found`, by where it begins and ends.
pub(super) fn find_v6(text: &[u8], mut found: impl FnMut(usize, usize)) {
    let mut after = 0;
    for colon in memchr::memchr_iter(b':', text) {
        if colon < after {
            continue;
        }
        let before = text.get(after..colon).unwrap_or_default();
        let start = colon - bytes::count_back(before, bytes::IP, 5);
        let run = bytes::count(text.get(start..).unwrap_or_default(), bytes::IP);
        after = start + run;
        if run >= SHORTEST
            && let Some(length) = v6(text, start, run)
        {
            found(start, start + length);
        }
    }
}

/// How long the address is that begins at `start`, where `run` bytes could be of one.
fn v6(text: &[u8], start: usize, run: usize) -> Option<usize> {
    let is_word = |at: Option<usize>| {
        at.and_then(|at| text.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    if is_word(start.checked_sub(1)) || is_word(Some(start + run)) {
        return None;
    }
    let whole = str::from_utf8(text.get(start..start + run)?).ok()?;
    let address = whole.trim_end_matches('.');
    // A colon behind an address belongs to the sentence, but two end one.
    let address = match address.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => address,
    };
    // `a::b` is a path in some languages.
    let is_plain = !address.bytes().any(|byte| byte.is_ascii_digit())
        && memchr::memchr_iter(b':', address.as_bytes()).count() < 3;
    let is_one = !is_plain && address.len() <= LONGEST && address.parse::<Ipv6Addr>().is_ok();
    is_one.then_some(address.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find_v4(text.as_bytes(), |start, end| found.push(text.get(start..end).expect("ASCII")));
        find_v6(text.as_bytes(), |start, end| found.push(text.get(start..end).expect("ASCII")));
        found
    }

    #[test]
    fn addresses_are_found_and_what_stands_around_is_left() {
        for (text, address) in [
            ("from 10.0.0.1:80", "10.0.0.1"),
            ("to 255.255.255.255.", "255.255.255.255"),
            ("(::1)", "::1"),
            ("[2001:db8::8a2e:370:7334]:443", "2001:db8::8a2e:370:7334"),
            ("peer fe80::1%eth0: gone", "fe80::1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("at 2001:db8::1: no", "2001:db8::1"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_left() {
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "v1.2.3.4",
            "10:30:45",
            "std::vec",
            "a::b",
            "::",
            "12:34:56:78:9a:bc",
            "1.2.3.4a",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        for part in ["1.", "1:", "::", "."] {
            assert_eq!(found(&part.repeat(100_000)), [""; 0]);
        }
    }
}
