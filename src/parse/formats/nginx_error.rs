//! nginx's error log: `TIME [LEVEL] PID#TID: *CONNECTION MESSAGE, client: …, server: …, request: "…", upstream: "…", host: "…"`.
//!
//! The connection is there where there is one, and each part of the tail where nginx knows it; see `ngx_log_error_core` and
//! `ngx_http_log_error` in its source, <https://nginx.org/en/docs/ngx_core_module.html#error_log>. Quotes in quotes are printed as they are, so that a part
//! in quotes ends before the next part's name; the last may have been cut, as nginx prints no more than 2048 bytes. A tail
//! that is not wholly of such parts stays in the message. The time is in the server's zone.

use nom::Parser;

use super::http;
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{byte, digits, exact, until};

const CONNECTION: Known = Known::new("connection", "nginx.error.connection_id");
const SUBREQUEST: Known = Known::new("subrequest", "nginx.error.subrequest");
const REQUEST: Known = Known::new("request", "nginx.error.request");
const CLIENT_BYTES: Known = Known::new("client_bytes", "nginx.error.client_bytes");
const UPSTREAM_BYTES: Known = Known::new("upstream_bytes", "nginx.error.upstream_bytes");

/// Reads a line of an error log.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let (rest, _) = exact(" [").parse_complete(rest).ok()?;
    let (rest, word) = until(b']').parse_complete(rest).ok()?;
    let level = match word {
        "emerg" | "alert" | "crit" | "error" | "warn" | "notice" | "info" | "debug" => Level::of_word(word)?,
        _ => return None,
    };
    let (rest, ()) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, pid) = digits(rest).ok()?;
    let (rest, ()) = byte(b'#').parse_complete(rest).ok()?;
    let (rest, thread) = digits(rest).ok()?;
    let (rest, _) = exact(": ").parse_complete(rest).ok()?;
    sink.said(said)?;
    sink.leveled(Some(level), word);
    sink.number(known::PID, pid);
    sink.number(known::THREAD_ID, thread);
    let text = match connection(rest) {
        Some((text, number)) => {
            sink.number(CONNECTION, number);
            text
        }
        None => rest,
    };
    message(text, sink);
    Some(())
}

/// `*81 `
fn connection(text: &str) -> Option<(&str, &str)> {
    let (rest, number) = digits(text.strip_prefix('*')?).ok()?;
    Some((rest.strip_prefix(' ')?, number))
}

/// The message, and the parts behind it where all that follows the client is such parts.
fn message<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some((message, tail)) = text.find(", client: ").map(|at| text.split_at(at)) else {
        return sink.message(text);
    };
    let mut left = tail;
    while !left.is_empty() {
        let Some((rest, ..)) = part(left) else { return sink.message(text) };
        left = rest;
    }
    sink.message(message);
    left = tail;
    while let Some((rest, name, value)) = part(left) {
        named(name, value, sink);
        left = rest;
    }
}

const NAMES: [&str; 10] = [
    "client",
    "server",
    "login",
    "request",
    "subrequest",
    "upstream",
    "host",
    "referrer",
    "bytes from/to client",
    "bytes from/to upstream",
];

/// `, NAME: VALUE`, or `, NAME: "VALUE"`: what follows, the name and the value.
fn part(text: &str) -> Option<(&str, &'static str, &str)> {
    let (of, text) = name(text)?;
    let (gap, value) = match text.strip_prefix('"') {
        Some(inside) => ("\"", inside),
        None => ("", text),
    };
    let mut from = 0;
    while let Some(at) = value.get(from..).and_then(|rest| rest.find(", ")).map(|at| from + at) {
        let (before, rest) = value.split_at(at);
        match before.strip_suffix(gap).filter(|_| name(rest).is_some()) {
            Some(value) => return Some((rest, of, value)),
            None => from = at + 2,
        }
    }
    let value = value.strip_suffix(gap).unwrap_or(value);
    // A part that is not known would be taken for the end of this one.
    (gap.is_empty() || !value.contains("\", ")).then_some(("", of, value))
}

/// The name at the beginning of a part, and what follows it and its colon.
fn name(text: &str) -> Option<(&'static str, &str)> {
    let text = text.strip_prefix(", ")?;
    NAMES.into_iter().find_map(|name| {
        let rest = text.strip_prefix(name)?.strip_prefix(':')?;
        Some((name, rest.strip_prefix(' ').unwrap_or(rest)))
    })
}

fn named<'a>(name: &str, value: &'a str, sink: &mut Sink<'_, 'a>) {
    match name {
        "client" => sink.client(value),
        "server" => sink.server(value),
        "login" => sink.text(known::USER, value),
        "request" => {
            if !http::request_line(value, sink) {
                sink.text(REQUEST, value);
            }
        }
        "subrequest" => sink.text(SUBREQUEST, value),
        "upstream" => sink.text(known::UPSTREAM, value),
        "host" => sink.text(known::VIRTUAL_HOST, value),
        "referrer" => sink.text(known::REFERRER, value),
        "bytes from/to client" => sink.text(CLIENT_BYTES, value),
        _ => sink.text(UPSTREAM_BYTES, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        let line = "2026/11/28 12:11:09 [error] 7547#7547: *2 down";
        assert!(fits(read, line));
        for (from, to) in
            [("2026", "26"), ("[error]", "error"), ("error", "loud"), ("#", " "), (": ", ""), ("7547", "app")]
        {
            assert!(!fits(read, &line.replacen(from, to, 1)), "{from} as {to}");
        }
    }

    #[test]
    fn a_part_ends_where_the_next_begins_whatever_is_in_quotes() {
        let text = r#", request: "GET /"a", client, b" HTTP/1.1", host: "sh"op"#;
        let (rest, name, value) = part(text).expect("a part");
        assert_eq!((name, value), ("request", r#"GET /"a", client, b" HTTP/1.1"#));
        assert_eq!(part(rest), Some(("", "host", "sh\"op")), "it was cut");
        assert_eq!(part(", server: , host: \"a\""), Some((", host: \"a\"", "server", "")));
    }

    #[test]
    fn what_is_no_part_is_none() {
        for text in ["", ", ", ", color: red", "client: a", ", client", ", host: \"a\", color: \"red\""] {
            assert_eq!(part(text), None, "{text}");
        }
    }
}
