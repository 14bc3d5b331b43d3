//! Names of secrets within a text, with their values: `password=x`, `?access_token=x&…`, `"api_key": "x"`, `Cookie: a=b; c=d`,
//! `password = x`, `"password"=>"x"`, `[password] => x`.
//!
//! A value in quotes ends with them, any other where such values do: at a blank, a comma and the like. Behind a colon and a
//! blank, as in prose, a `token` is none, nor is an unexpected one before any sign, of which parsers complain.

use super::bytes;
use super::names::{Names, is_number};

/// Bytes of a name that are looked at.
const LONGEST_NAME: usize = 64;

/// What stands before the secret itself in `Authorization`.
const SCHEMES: [&[u8]; 12] = [
    b"bearer",
    b"basic",
    b"digest",
    b"token",
    b"apikey",
    b"negotiate",
    b"ntlm",
    b"hmac",
    b"oauth",
    b"hawk",
    b"sharedkey",
    b"aws4-hmac-sha256",
];

/// A name of a secret before its sign.
struct Name<'t> {
    text: &'t [u8],
    /// Whether it stands in quotes.
    is_quoted: bool,
    /// Whether a parser complains of it: `Unexpected token = …`.
    is_unexpected: bool,
    /// Whether it is a secret's in a sentence too.
    is_strict: bool,
    /// Whether it is none's with a number.
    may_be_a_count: bool,
}

/// Hands each secret in `text` to `found`, by where it begins and ends.
pub(super) fn find(text: &[u8], names: &Names, mut found: impl FnMut(usize, usize)) {
    let mut done = 0;
    for at in memchr::memchr2_iter(b'=', b':', text) {
        if at < done {
            continue;
        }
        let secret = name(text, at, names).and_then(|name| value(text, at, &name));
        if let Some((start, end)) = secret.filter(|(start, end)| start < end) {
            found(start, end);
            done = end;
        }
    }
}

/// The name that ends at `at`, or before the blanks there, where secrets have it.
fn name<'t>(text: &'t [u8], at: usize, names: &Names) -> Option<Name<'t>> {
    let mut before = text.get(..at)?;
    while let [rest @ .., b' ' | b'\t'] = before {
        before = rest;
    }
    let is_apart = before.len() < at;
    before = before.strip_suffix(b"]").unwrap_or(before);
    let is_quoted = matches!(before.last(), Some(b'"' | b'\''));
    while let [rest @ .., b'"' | b'\'' | b'\\'] = before
        && is_quoted
    {
        before = rest;
    }
    if before.ends_with(b" ") || !names.may_cover(before) {
        return None;
    }
    let length = bytes::count_back(before, bytes::NAME, LONGEST_NAME);
    let (before, text) = before.split_at_checked(before.len() - length)?;
    let is_unexpected = is_apart && before.ends_with(b"expected ");
    names.cover(text).then(|| Name {
        text,
        is_quoted,
        is_unexpected,
        is_strict: names.is_strict(),
        may_be_a_count: names.may_be_a_count(text),
    })
}

/// Where the value behind the sign at `at` begins and ends.
fn value(text: &[u8], at: usize, name: &Name<'_>) -> Option<(usize, usize)> {
    let is_arrow = text.get(at..)?.starts_with(b"=>");
    let sign = at + if is_arrow { 2 } else { 1 };
    let blanks = blanks(text, sign);
    let mut start = sign + blanks;
    let slashes = text.get(start..)?.iter().take_while(|byte| **byte == b'\\').count();
    if let Some(quote @ (b'"' | b'\'')) = text.get(start + slashes) {
        start += slashes + 1;
        return Some((start, quoted_end(text, start, *quote, slashes)));
    }
    // `a == b`, `A::b`, `a://b`.
    let goes_on = matches!(text.get(start..), Some([b'=' | b':' | b'>', ..] | [b'/', b'/', ..]));
    let is_colon = text.get(at) == Some(&b':');
    if goes_on || (!name.is_quoted && !name.is_strict && is_prose(name, is_colon && blanks > 0)) {
        return None;
    }
    let is_cookie = ends_with(name.text, b"cookie") || ends_with(name.text, b"cookies");
    let end = start + word(text, start, is_cookie);
    let first = text.get(start..end)?;
    if says_nothing(first) || (name.may_be_a_count && is_number(first)) {
        return None;
    }
    let is_scheme = SCHEMES.iter().any(|scheme| first.eq_ignore_ascii_case(scheme));
    let next = end + self::blanks(text, end);
    Some((start, if is_scheme { credentials(text, next) } else { end }))
}

/// Where that ends which a scheme is followed by: a word, or parameters with commas between, `username="u", response="x"`.
fn credentials(text: &[u8], from: usize) -> usize {
    let Some(mut end) = parameter(text, from) else { return from + word(text, from, false) };
    while text.get(end) == Some(&b',')
        && let Some(next) = parameter(text, end + 1 + blanks(text, end + 1))
    {
        end = next;
    }
    end
}

/// Where the parameter that begins at `start` ends; none where there is none.
fn parameter(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    let value = start + name + 1;
    match text.get(start + name..)? {
        // A backslash stands before the quotes of a text in JSON.
        [b'=', b'\\', b'"', ..] if name > 0 => Some(quoted_end(text, value + 2, b'"', 1) + 2),
        [b'=', b'"', ..] if name > 0 => Some(quoted_end(text, value + 1, b'"', 0) + 1),
        // The padding of base64 has nothing but more of it behind it.
        [b'=', first, ..] if name > 0 && !b"= ,\t".contains(first) => {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b",\"'\\<>".contains(byte);
            let rest = text.get(value..)?;
            Some(value + rest.iter().position(ends).unwrap_or(rest.len()))
        }
        _ => None,
    }
    .map(|end| end.min(text.len()))
}

/// Whether a name without quotes is a word of a sentence: a lone one before a `colon` with a blank behind it, which `x-auth-token`
/// is not, or where a parser complains.
fn is_prose(name: &Name<'_>, colon: bool) -> bool {
    let is_word = |word: &&[u8]| name.text.eq_ignore_ascii_case(word);
    let is_token = ends_with(name.text, b"token") || ends_with(name.text, b"tokens");
    (colon && [&b"token"[..], b"tokens", b"pass"].iter().any(is_word)) || (is_token && name.is_unexpected)
}

fn says_nothing(value: &[u8]) -> bool {
    [&b"null"[..], b"nil", b"none", b"true", b"false"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn blanks(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().take_while(|byte| matches!(**byte, b' ' | b'\t')).count()
}

fn ends_with(name: &[u8], end: &[u8]) -> bool {
    name.len()
        .checked_sub(end.len())
        .and_then(|at| name.get(at..))
        .is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// How long a value without quotes is; a cookie goes to the end of its line.
fn word(text: &[u8], from: usize, is_cookie: bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let ends = |byte: &u8| match byte {
        b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'<' | b'>' => true,
        b' ' | b'\t' | b'&' | b',' | b';' | b')' | b']' | b'}' => !is_cookie,
        _ => false,
    };
    rest.iter().position(ends).unwrap_or(rest.len())
}

/// Where the value in quotes that begins at `start` ends; its quotes have so many backslashes before them.
fn quoted_end(text: &[u8], start: usize, quote: u8, slashes: usize) -> usize {
    let mut at = start;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
        at += found;
        let escapes = text.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b'\\').count();
        match text.get(at + escapes) {
            Some(byte) if *byte == quote && escapes == slashes => return at,
            Some(byte) if *byte == quote && slashes == 0 && escapes.is_multiple_of(2) => return at + escapes,
            _ => at += escapes + 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let names = Names::new(true, &[]).expect("names");
        let mut found = Vec::new();
        find(text.as_bytes(), &names, |start, end| {
            found.push(text.get(start..end).expect("whole characters"))
        });
        found
    }

    #[test]
    fn values_behind_names_of_secrets_are_found() {
        for (text, secret) in [
            ("login user=eva password=hunter2, ok", "hunter2"),
            ("GET /a?b=c&access_token=x-y_z&d=e", "x-y_z"),
            (r#"{"user":"eva","api_key": 12}"#, "12"),
            (r#"{"user":"eva","apiKey": "a \"b\" c","d":1}"#, r#"a \"b\" c"#),
            (r#"sent {\"password\":\"hunter2\",\"d\":1}"#, "hunter2"),
            ("db.password='a b' x", "a b"),
            ("Cookie: a=b; c=d\nHost: x", "a=b; c=d"),
            ("Authorization: Bearer short, x", "Bearer short"),
            ("Authorization: Negotiate YIIab== x", "Negotiate YIIab=="),
            ("Proxy-Authorization: NTLM abc, user=eva", "NTLM abc"),
            (
                "Authorization: Digest username=\"a, b\", response=\"x\", x",
                "Digest username=\"a, b\", response=\"x\"",
            ),
            (
                "authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x, Signature=5d",
                "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x, Signature=5d",
            ),
            ("x-amz-security-token: FwoG", "FwoG"),
            ("X-Auth-Token: abc, x", "abc"),
            ("access_token: abc", "abc"),
            ("password: hunter2", "hunter2"),
            ("token:abc", "abc"),
            ("secret=\"no end", "no end"),
            ("CLIENT_SECRET=größe;x", "größe"),
            ("PGPASSWORD=abc psql", "abc"),
            ("db.password = hunter2", "hunter2"),
            ("password = \"q r\" x", "q r"),
            ("password : q", "q"),
            ("Password\t: q", "q"),
            ("password:\thunter2", "hunter2"),
            (r#"{"password"=>"x"}"#, "x"),
            (r#"{"user" : "u", "password" : "x"}"#, "x"),
            ("[password] => z", "z"),
            ("user[password]=z&a=b", "z"),
            ("access_token = abc", "abc"),
            ("token = 'abc'", "abc"),
            ("session token = abc", "abc"),
            ("password: must be set", "must"),
            ("db_pass=12345", "12345"),
        ] {
            assert_eq!(found(text), [secret], "{text}");
        }
    }

    #[test]
    fn what_is_no_value_or_no_name_of_a_secret_is_left() {
        for text in [
            "",
            "=",
            "password",
            "password=",
            "password = ",
            "token == x",
            "Token::new",
            "secret://x",
            "unexpected token: }",
            "Unexpected token: x",
            "token=null",
            "token_count=5",
            "10:30:45",
            "keys=a",
            "password=\"\"",
            "the password is wrong",
            "password => ",
            "password == x",
            "password != x",
            "password >= 8",
            "Unexpected token = in JSON",
            "Unexpected token => x",
            "Unexpected token : x",
            "max_tokens=4096 tokens: 5, prompt_tokens = 812",
            "\"total_tokens\": 852",
            "pass: 12, fail: 3",
            "pass=12 fail=3",
            "    =    =",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
