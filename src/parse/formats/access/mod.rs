//! Access lines of web servers: nginx, Apache, gunicorn, Traefik, the ingress controller of Kubernetes, and whoever else keeps
//! to the common log format.
//!
//! `CLIENT IDENTITY USER [TIME] "REQUEST" STATUS BYTES`, which is `common`; mostly followed by `"REFERRER" "USER AGENT"`, which is
//! `combined`; perhaps with `VIRTUAL HOST:PORT` in front, and with timings and more behind, see [`tail`]. Python's `http.server`, and so
//! Flask's server, has a blank for the time's first colon and no offset, and always an address for the client.
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format>,
//! <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#examples>
//!
//! A line is told by its time in brackets, the request in quotes and the status. What a server adds in a layout of its own
//! is kept as it was printed. Unsure is only what a backslash means: Apache and nginx write one before what could end the
//! text, gunicorn and Traefik print those of the peer as they are. A text with a sequence that the former never print, or
//! of bytes that are no text, is left as it stands.

mod tail;

use std::net::IpAddr;

use memchr::memchr;

use super::http;
use crate::event::Value;
use crate::event::blocks::{access_ends, spaces};
use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::stops::{Kind, Stops};
use crate::parse::time::forms::{self, Said};
use crate::parse::token::{Read, misfit};

const IDENTITY: Known = Known::new("identity", "apache.access.identity");

/// What a line is looked through for.
struct Ends;

impl Kind for Ends {
    #[inline]
    fn bits(text: &[u8]) -> u64 {
        access_ends(text)
    }
}

/// What is looked for before the time.
struct Blanks;

impl Kind for Blanks {
    #[inline]
    fn bits(text: &[u8]) -> u64 {
        spaces(text)
    }
}

/// Reads a line of any of these layouts.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut stops = Stops::new(line);
    let (before, said, at) = until_time(&mut stops)?;
    let (at, request) = if said.offset.is_some() { quoted(at, &mut stops)? } else { by_python(at, &stops)? };
    let (rest, (status, bytes)) = status_and_bytes(stops.rest(at)?).ok()?;
    sink.said(said)?;
    who(line, before, sink)?;
    if said.offset.is_none() {
        let (client, rest) = line.split_once(' ')?;
        let _address: IpAddr = client.parse().ok().filter(|_| rest.starts_with("- - ["))?;
    }
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
    after(line.len() - rest.len(), &mut stops, sink)
}

/// Where what stands before the time ends, the time, and where its line goes on behind the bracket and the blank that follow it.
///
/// A user may be called `[x`, so that it is not the first bracket which tells, but the first with a time and a request behind it.
fn until_time(stops: &mut Stops<'_, Ends>) -> Option<(usize, Said, usize)> {
    let mut from = 0;
    loop {
        let at = stops.to(b'[', from)?;
        from = at + 1;
        let before = at.checked_sub(1).filter(|before| stops.byte(*before) == Some(b' '));
        let text = stops.rest(from)?;
        if let (Some(before), Some((rest, said))) = (before, time(text)) {
            return Some((before, said, from + text.len() - rest.len()));
        }
    }
}

/// The time behind its bracket, with the request behind it. One without an offset is none of these servers', but for Python's.
#[inline]
fn time(text: &str) -> Option<(&str, Said)> {
    let gap = if text.as_bytes().get(11) == Some(&b' ') { b' ' } else { b':' };
    let (rest, said) = forms::slashes(text, gap).ok()?;
    let is_time = (said.offset.is_some() == (gap == b':')) && rest.starts_with("] \"");
    rest.get(2..).filter(|_| is_time).map(|rest| (rest, said))
}

/// ` STATUS BYTES`; the former three digits, each `-` where there is none.
pub(super) fn status_and_bytes(text: &str) -> Read<'_, (&str, &str)> {
    let status = match text.as_bytes() {
        [b' ', b'-', b' ', ..] => 1,
        [b' ', a, b, c, b' ', ..] if [a, b, c].into_iter().all(u8::is_ascii_digit) => 3,
        _ => return misfit(),
    };
    let begin = status + 2;
    let length = match text.as_bytes().get(begin..) {
        Some([b'-', ..]) => 1,
        Some(bytes) => bytes.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        None => 0,
    };
    let end = begin + length;
    match (text.get(1..=status), text.get(begin..end), text.get(end..)) {
        (Some(status), Some(bytes), Some(rest))
            if !bytes.is_empty() && matches!(rest.as_bytes(), [] | [b' ', ..]) =>
        {
            Ok((rest, (status, bytes)))
        }
        _ => misfit(),
    }
}

/// `CLIENT IDENTITY USER`, perhaps with a virtual host in front of it.
///
/// The user's name may have blanks in it. Not so where there is an identity, which hardly anybody has: more words are of
/// a time or a program that another wrote before the line.
fn who<'a>(line: &'a str, end: usize, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut blanks = Stops::<Blanks>::new(line);
    let (at, first) = blanks.until(b' ', 0)?;
    let (at, second) = blanks.until(b' ', at)?;
    let rest = blanks.piece(at, end)?;
    let (client, identity, user) = match rest.strip_prefix("- ") {
        Some(user) if second != "-" => {
            http::virtual_host(first, sink);
            (second, "-", user)
        }
        _ => (first, second, rest),
    };
    sink.client(client);
    sink.text(IDENTITY, identity);
    sink.text(known::USER, user);
    let is_user = match identity {
        "-" => user.as_bytes().first() != Some(&b' '),
        identity => !identity.is_empty() && !user.contains(' '),
    };
    (is_user && is_address(first) && is_address(client)).then_some(())
}

/// A list of addresses ends with a comma, what names a program with a colon.
fn is_address(word: &str) -> bool {
    match word.as_bytes() {
        [] | [.., b','] => false,
        [.., b':'] => word == "unix:",
        _ => true,
    }
}

/// What follows the bytes, from `at` on.
fn after<'a>(at: usize, stops: &mut Stops<'a, Ends>, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let Some((end, referrer, agent)) = referrer_and_agent(at, stops) else {
        tail::read(stops.rest(at)?, sink);
        return Some(());
    };
    let behind = stops.rest(end)?;
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

/// Such a text at `at`, and where what follows it begins.
#[inline]
fn quoted<'a>(at: usize, stops: &mut Stops<'a, Ends>) -> Option<(usize, Quoted<'a>)> {
    let (end, text, has_backslash) = stops.quoted(at)?;
    Some((end, (text, has_backslash)))
}

/// The same of Python's server, which lets a quote in the request stand as it came, and prints none behind it.
fn by_python<'a>(at: usize, stops: &Stops<'a, Ends>) -> Option<(usize, Quoted<'a>)> {
    let (request, _) = stops.rest(at)?.strip_prefix('"')?.rsplit_once('"')?;
    Some((at + request.len() + 2, (request, request.contains('\\'))))
}

fn referrer_and_agent<'a>(at: usize, stops: &mut Stops<'a, Ends>) -> Option<(usize, Quoted<'a>, Quoted<'a>)> {
    let is_blank = |at, stops: &Stops<'_, Ends>| stops.byte(at) == Some(b' ');
    let (next, referrer) = is_blank(at, stops).then(|| quoted(at + 1, stops))??;
    let (end, agent) = is_blank(next, stops).then(|| quoted(next + 1, stops))??;
    matches!(stops.byte(end), None | Some(b' ')).then_some((end, referrer, agent))
}

/// The text that was written as `quoted`; see above.
#[inline]
fn as_sent<'a>((quoted, has_backslash): Quoted<'a>, sink: &Sink<'_, 'a>) -> &'a str {
    if has_backslash { with_escapes(quoted, sink) } else { quoted }
}

fn with_escapes<'a>(quoted: &'a str, sink: &Sink<'_, 'a>) -> &'a str {
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
    fn a_time_without_an_offset_is_pythons_behind_an_address() {
        let line = r#"127.0.0.1 - - [28/Nov/2026 12:11:49] "GET / HTTP/1.1" 200 -"#;
        assert!(fits(read, line) && fits(read, &line.replacen("127.0.0.1", "::1", 1)));
        for (from, to) in [("127.0.0.1", "INFO:werkzeug:127.0.0.1"), ("- -", "- ann"), ("49]", "49 +0000]")] {
            assert!(!fits(read, &line.replacen(from, to, 1)), "{from} as {to}");
        }
    }

    #[test]
    fn a_user_may_be_called_like_a_time() {
        let said = |line: &str| {
            let (before, said, _) = until_time(&mut Stops::new(line))?;
            Some((line.get(..before)?.to_owned(), said.civil.year))
        };
        assert_eq!(said(LINE), Some(("web-1:80 ::1 - ann lee".to_owned(), 2026)));
        let line = LINE.replacen("ann", "[28/Nov/2025:12:11:49 +0000] x", 1);
        assert_eq!(said(&line), Some(("web-1:80 ::1 - [28/Nov/2025:12:11:49 +0000] x lee".to_owned(), 2026)));
    }
}
