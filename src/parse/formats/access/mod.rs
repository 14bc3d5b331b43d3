//! Access lines of web servers: nginx, Apache, gunicorn, Traefik, the ingress controller of Kubernetes, and whoever else keeps
//! to the common log format.
//!
//! `CLIENT IDENTITY USER [TIME] "REQUEST" STATUS BYTES`, which is `common`; mostly followed by `"REFERRER" "USER AGENT"`, which is
//! `combined`; perhaps with `VIRTUAL HOST:PORT` in front, and with timings and more behind, see [`tail`].
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format>,
//! <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#examples>
//!
//! A line is told by its time in brackets, the request in quotes and the status. What a server adds in a layout of its own
//! is kept as it was printed. Unsure is only what a backslash means: Apache and nginx write one before what could end the
//! text, gunicorn and Traefik print those of the peer as they are. A text with a sequence that the former never print, or
//! of bytes that are no text, is left as it stands.

mod tail;

use memchr::memchr;
use nom::Parser;

use super::http;
use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::time::forms::{self, Said};
use crate::parse::token::{Read, byte, cut, misfit, quoted_text, split};

const IDENTITY: Known = Known::new("identity", "apache.access.identity");

/// Reads a line of any of these layouts.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, (before, said)) = until_time(line).ok()?;
    let (rest, request) = quoted_text(rest).ok()?;
    let (rest, (status, bytes)) = status_and_bytes(rest).ok()?;
    sink.said(said)?;
    who(before, sink)?;
    match status {
        // nginx where it had no time to answer.
        "-" | "000" => (),
        status => sink.value(known::STATUS, Value::Scalar(status)),
    }
    match bytes.as_bytes() {
        // No number of JSON begins so.
        [b'-'] | [b'0', _, ..] => (),
        _ => sink.value(known::BYTES, Value::Scalar(bytes)),
    }
    match as_sent(request, sink) {
        // why: nothing was requested, so that the line itself tells more.
        "" | "-" => sink.message(line),
        request => http::request(request, sink),
    }
    after(rest, sink)
}

/// What stands before the time, and the time, with its brackets and the blank behind them.
///
/// A user may be called `[x`, so that it is not the first bracket which tells, but the first with a time and a request behind it.
pub(super) fn until_time(line: &str) -> Read<'_, (&str, Said)> {
    let mut from = 0;
    while let Some(at) = line.as_bytes().get(from..).and_then(|rest| memchr(b'[', rest)) {
        let at = from + at;
        let (rest, before) = split(line, Some(at), 1)?;
        if let (Some(before), Some(read)) = (before.strip_suffix(' '), time(rest)) {
            return Ok((read.0, (before, read.1)));
        }
        from = at + 1;
    }
    misfit()
}

/// The time behind its bracket, with the request behind it. One without an offset is none of these servers'.
fn time(text: &str) -> Option<(&str, Said)> {
    let (rest, said) = forms::clf(text).ok()?;
    let rest = rest.strip_prefix("] ")?;
    (said.offset.is_some() && rest.starts_with('"')).then_some((rest, said))
}

/// ` STATUS BYTES`; the former three digits, each `-` where there is none.
pub(super) fn status_and_bytes(text: &str) -> Read<'_, (&str, &str)> {
    let (rest, ()) = byte(b' ').parse_complete(text)?;
    let status = match rest.as_bytes() {
        [b'-', b' ', ..] => 1,
        [a, b, c, b' ', ..] if [a, b, c].into_iter().all(u8::is_ascii_digit) => 3,
        _ => return misfit(),
    };
    let (rest, status) = split(rest, Some(status), 1)?;
    let end = rest.bytes().position(|byte| byte == b' ').unwrap_or(rest.len());
    let (rest, bytes) = split(rest, Some(end), 0)?;
    match bytes {
        "-" => Ok((rest, (status, bytes))),
        _ if !bytes.is_empty() && bytes.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((rest, (status, bytes)))
        }
        _ => misfit(),
    }
}

/// `CLIENT IDENTITY USER`, perhaps with a virtual host in front of it.
///
/// The user's name may have blanks in it. Not so where there is an identity, which hardly anybody has: more words are of
/// a time or a program that another wrote before the line.
fn who<'a>(before: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (first, rest) = cut(before, b' ')?;
    let (second, rest) = cut(rest, b' ')?;
    let (client, identity, user) = match rest.strip_prefix("- ") {
        Some(user) if second != "-" => {
            http::address(known::VIRTUAL_HOST, known::SERVER_PORT, first, sink);
            (second, "-", user)
        }
        _ => (first, second, rest),
    };
    sink.text(known::CLIENT, client);
    sink.text(IDENTITY, identity);
    sink.text(known::USER, user);
    let is_user = match identity {
        "-" => !user.starts_with(' '),
        identity => !identity.is_empty() && !user.contains(' '),
    };
    // A list of addresses ends with a comma, what names a program with a colon.
    let is_address = |word: &str| !word.is_empty() && (!word.ends_with([',', ':']) || word == "unix:");
    (is_user && is_address(first) && is_address(client)).then_some(())
}

/// What follows the bytes.
fn after<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let Some((behind, (referrer, agent))) = referrer_and_agent(rest) else {
        tail::read(rest, sink);
        return Some(());
    };
    // HAProxy has two empty texts in their place, and a finer time behind them.
    if !behind.is_empty() && referrer.0.is_empty() && agent.0.is_empty() {
        return None;
    }
    let (referrer, agent) = (as_sent(referrer, sink), as_sent(agent, sink));
    sink.text(known::REFERRER, referrer);
    sink.text(known::USER_AGENT, agent);
    tail::read(behind, sink);
    Some(())
}

/// A text that stood in quotes, and whether it has a backslash.
type Quoted<'a> = (&'a str, bool);

fn referrer_and_agent(rest: &str) -> Option<(&str, (Quoted<'_>, Quoted<'_>))> {
    let (rest, referrer) = quoted_text(rest.strip_prefix(' ')?).ok()?;
    let (rest, agent) = quoted_text(rest.strip_prefix(' ')?).ok()?;
    (rest.is_empty() || rest.starts_with(' ')).then_some((rest, (referrer, agent)))
}

/// The text that was written as `quoted`; see above.
fn as_sent<'a>((quoted, has_backslash): Quoted<'a>, sink: &Sink<'_, 'a>) -> &'a str {
    if !has_backslash {
        return quoted;
    }
    let bytes = quoted.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr(b'\\', rest)) {
        from += at + 2;
        match bytes.get(from - 1..).unwrap_or_default() {
            [b'"' | b'\\' | b'n' | b'r' | b't', ..] => (),
            [b'x', b'2'..=b'7', ..] | [b'x', b'0', b'9', ..] => (),
            _ => return quoted,
        }
    }
    sink.unescaped(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    const LINE: &str =
        r#"web-1:80 ::1 - ann lee [28/Nov/2026:12:11:49 +0000] "GET / HTTP/1.1" 200 6 "-" "curl""#;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        assert!(fits(read, LINE));
        for (from, to) in [
            ("] ", "]"),
            (" +0000", ""),
            ("28/Nov", "31/Nov"),
            (" [", "["),
            ("\"GET", "GET"),
            ("1.1\" ", "1.1\""),
            ("200", "OK"),
            ("200", "2000"),
            ("200 6", "200"),
            (" 6 ", " six "),
            ("::1 - ann lee", ""),
            ("web-1:80 ", "10.0.0.1, "),
            ("web-1:80 ", "INFO: "),
            ("web-1:80 ", "INFO:    "),
            ("web-1:80 ", "Nov 28 12:11:49 web-1 nginx: "),
            ("web-1:80 ", "2026/11/28 12:11:49 [error] 7#7: "),
        ] {
            assert!(!fits(read, &LINE.replacen(from, to, 1)), "{from} as {to}");
        }
    }

    #[test]
    fn a_user_may_be_called_like_a_time() {
        let said = |line| until_time(line).map(|(_, (before, said))| (before, said.civil.year));
        assert_eq!(said(LINE), Ok(("web-1:80 ::1 - ann lee", 2026)));
        let line = LINE.replacen("ann", "[28/Nov/2025:12:11:49 +0000] x", 1);
        assert_eq!(said(&line), Ok(("web-1:80 ::1 - [28/Nov/2025:12:11:49 +0000] x lee", 2026)));
    }
}
