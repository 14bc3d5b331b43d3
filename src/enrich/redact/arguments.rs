//! Secrets behind a name without a sign: options of a command, `--db-password x`, and elements, `<password>x</password>`.

use super::bytes;

/// Bytes of a name that are looked at.
const LONGEST_NAME: usize = 64;

/// The argument behind an option whose name ends before `from`.
pub(super) fn option(text: &[u8], _start: usize, from: usize) -> Option<(usize, usize)> {
    let before = text.get(..from.checked_sub(1)?)?;
    let name = before.get(before.len() - bytes::count_back(before, bytes::NAME, LONGEST_NAME)..)?;
    if !name.starts_with(b"--") {
        return None;
    }
    let rest = text.get(from..)?;
    if let Some(quote @ (b'"' | b'\'')) = rest.first() {
        let quoted = rest.get(1..)?;
        let length = memchr::memchr(*quote, quoted).unwrap_or(quoted.len());
        return Some((from + 1, from + 1 + length));
    }
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b',' | b';' | b'\\');
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    // Behind an option without an argument comes the next one.
    (length > 0 && !rest.starts_with(b"-")).then_some((from, from + length))
}

/// What an element holds whose first tag ends before `from`, where it holds a text alone.
pub(super) fn element(text: &[u8], _start: usize, from: usize) -> Option<(usize, usize)> {
    let before = text.get(..from.checked_sub(1)?)?;
    let is_name = |byte: &u8| bytes::is(*byte, bytes::NAME) || *byte == b':';
    let nearest = before.get(before.len().saturating_sub(LONGEST_NAME)..)?;
    // why: first, or a text of closing brackets alone would be looked through anew from each of them.
    nearest.iter().rev().find(|byte| !is_name(byte)).filter(|byte| **byte == b'<')?;
    let rest = text.get(from..)?;
    let length = memchr::memchr(b'<', rest)?;
    (length > 0 && rest.get(length..)?.starts_with(b"</")).then_some((from, from + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_an_option_is_its_argument() {
        for (text, name, secret) in [
            ("psql --password hunter2 -h db", "-password ", Some("hunter2")),
            ("run --db-password 'a b' x", "-password ", Some("a b")),
            ("--token abc", "-token ", Some("abc")),
            ("--password --verbose", "-password ", None),
            ("--password ", "-password ", None),
            ("your one-token offer", "-token ", None),
        ] {
            let start = text.find(name).expect("there");
            let found = option(text.as_bytes(), start, start + name.len());
            assert_eq!(found.and_then(|(start, end)| text.get(start..end)), secret, "{text}");
        }
    }

    #[test]
    fn an_element_of_such_a_name_holds_a_secret() {
        for (text, secret) in [
            ("<password>x</password>", Some("x")),
            ("<wsse:Password>a b</wsse:Password>", Some("a b")),
            ("<a><userPassword>x</userPassword></a>", Some("x")),
            ("<password></password>", None),
            ("Vec<Password> of <b>", None),
            ("password>x</b>", None),
            ("<password>", None),
        ] {
            let from = text.find("assword>").expect("there") + "assword>".len();
            let found = element(text.as_bytes(), 0, from);
            assert_eq!(found.and_then(|(start, end)| text.get(start..end)), secret, "{text}");
        }
        assert_eq!(element(b"x</password>y</z>", 0, 12), None);
    }
}
