//! HAProxy's lines of requests, of connections and of those that failed, as `option httplog`, `httpslog`, `tcplog` and
//! `httplog clf` print them, and its default of one line a connection.
//!
//! | of | layout |
//! |---|---|
//! | a request | `CLIENT:PORT [TIME] FRONTEND BACKEND/SERVER TR/Tw/Tc/Tr/Ta STATUS BYTES COOKIE COOKIE STATE COUNTS QUEUES {CAPTURED} "REQUEST"` |
//! | a connection | `CLIENT:PORT [TIME] FRONTEND BACKEND/SERVER Tw/Tc/Tt BYTES STATE COUNTS QUEUES` |
//! | one that failed | `CLIENT:PORT [TIME] FRONTEND/BIND: WHY` |
//! | one, by default | `Connect from CLIENT:PORT to SERVER:PORT (FRONTEND/MODE)` |
//! | a request, in [`clf`] | the common format with all of the above behind it |
//!
//! <https://docs.haproxy.org/3.0/configuration.html#8.2>. Times are to the millisecond and in HAProxy's zone; a timer of -1 is of a step that was never
//! reached. What could end a text is printed as `#22`, and left so. Unsure is whose headers a single `{}` has: they are
//! taken for the request's.

mod clf;

use memchr::memchr;
use nom::Parser;

use super::http::{self, MILLISECONDS};
use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::time::forms;
use crate::parse::token::{exact, until};

const FRONTEND: Known = Known::new("frontend", "haproxy.frontend_name");
const BACKEND: Known = Known::new("backend", "haproxy.backend_name");
const SERVER: Known = Known::new("server", "haproxy.server_name");
const BIND: Known = Known::new("bind", "haproxy.bind_name");
const MODE: Known = Known::new("mode", "haproxy.mode");
const BYTES: Known = Known::new("bytes", "haproxy.bytes_read");
const STATE: Known = Known::new("termination_state", "haproxy.termination_state");
const REQUEST_COOKIE: Known = Known::new("request_cookie", "haproxy.http.request.captured_cookie");
const RESPONSE_COOKIE: Known = Known::new("response_cookie", "haproxy.http.response.captured_cookie");
const REQUEST_HEADERS: Known = Known::new("request_headers", "haproxy.http.request.captured_headers");
const RESPONSE_HEADERS: Known = Known::new("response_headers", "haproxy.http.response.captured_headers");
const REDISPATCHED: Known = Known::new("redispatched", "haproxy.connections.redispatched");
const REST: Known = Known::new("rest", "labels.rest");

/// Of a request: what it waited for; of a connection the two in the middle. The last timer is the whole time.
const WAITS: [Known; 4] = [
    Known::new("request_wait_ms", "haproxy.http.request.time_wait_ms"),
    QUEUE_WAIT,
    CONNECT_WAIT,
    Known::new("response_wait_ms", "haproxy.http.request.time_wait_without_data_ms"),
];
const QUEUE_WAIT: Known = Known::new("queue_wait_ms", "haproxy.total_waiting_time_ms");
const CONNECT_WAIT: Known = Known::new("connect_wait_ms", "haproxy.connection_wait_time_ms");
const COUNTS: [Known; 5] = [
    Known::new("active_connections", "haproxy.connections.active"),
    Known::new("frontend_connections", "haproxy.connections.frontend"),
    Known::new("backend_connections", "haproxy.connections.backend"),
    Known::new("server_connections", "haproxy.connections.server"),
    Known::new("retries", "haproxy.connections.retries"),
];
const QUEUES: [Known; 2] = [
    Known::new("server_queue", "haproxy.server_queue"),
    Known::new("backend_queue", "haproxy.backend_queue"),
];

/// Reads a line of any of these layouts.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    if let Some(rest) = line.strip_prefix("Connect from ") {
        sink.message(line);
        return connect(rest, sink);
    }
    let at = memchr(b'[', line.as_bytes())?;
    let (before, rest) = line.split_at_checked(at)?;
    let before = before.strip_suffix(' ')?;
    let (rest, said) = forms::clf(rest.strip_prefix('[')?).ok()?;
    let (rest, _) = exact("] ").parse_complete(rest).ok()?;
    if before.ends_with(" -") {
        return clf::read(before, said, rest, sink);
    }
    let (client, port) = http::host_and_port(before).filter(|(client, _)| !client.contains(' '))?;
    sink.said(said)?;
    sink.client(client);
    sink.value(known::CLIENT_PORT, Value::Scalar(port));
    let (rest, frontend) = until(b' ').parse_complete(rest).ok()?;
    if let Some(place) = frontend.strip_suffix(':') {
        let (frontend, bind) = place.rsplit_once('/')?;
        sink.text(FRONTEND, frontend);
        sink.text(BIND, bind);
        sink.message(rest);
        return (!rest.is_empty()).then_some(());
    }
    sink.text(FRONTEND, frontend);
    sink.message(line);
    session(rest, sink)
}

/// `127.0.0.1:44744 to 127.0.0.1:18085 (quiet/HTTP)`
fn connect<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (client, rest) = rest.split_once(" to ")?;
    let (server, rest) = rest.split_once(" (")?;
    let (frontend, mode) = rest.strip_suffix(')')?.rsplit_once('/')?;
    let ((client, client_port), (server, port)) =
        (http::host_and_port(client)?, http::host_and_port(server)?);
    sink.client(client);
    sink.value(known::CLIENT_PORT, Value::Scalar(client_port));
    sink.server(server);
    sink.value(known::SERVER_PORT, Value::Scalar(port));
    sink.text(FRONTEND, frontend);
    sink.text(MODE, mode);
    matches!(mode, "HTTP" | "TCP").then_some(())
}

/// From the backend on, of a request or of a connection, which differ in their timers.
fn session<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, place) = until(b' ').parse_complete(rest).ok()?;
    let (backend, server) = place.rsplit_once('/')?;
    sink.text(BACKEND, backend);
    sink.text(SERVER, server);
    let (rest, timers) = until(b' ').parse_complete(rest).ok()?;
    let (waits, total) = timers.rsplit_once('/')?;
    duration(total, sink)?;
    if numbers(waits, '/', WAITS, sink).is_some() {
        return request(rest, sink);
    }
    numbers(waits, '/', [QUEUE_WAIT, CONNECT_WAIT], sink)?;
    let (rest, bytes) = until(b' ').parse_complete(rest).ok()?;
    let (rest, state) = until(b' ').parse_complete(rest).ok()?;
    number(BYTES, bytes, sink)?;
    sink.text(STATE, state);
    let rest = counts(rest, sink)?;
    if !rest.is_empty() {
        sink.text(REST, rest.strip_prefix(' ')?);
    }
    Some(())
}

/// From the status on.
fn request<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, status) = until(b' ').parse_complete(rest).ok()?;
    let (rest, bytes) = until(b' ').parse_complete(rest).ok()?;
    let (rest, asked) = until(b' ').parse_complete(rest).ok()?;
    let (rest, answered) = until(b' ').parse_complete(rest).ok()?;
    let (rest, state) = until(b' ').parse_complete(rest).ok()?;
    number(known::STATUS, status, sink)?;
    number(BYTES, bytes, sink)?;
    sink.text(REQUEST_COOKIE, asked);
    sink.text(RESPONSE_COOKIE, answered);
    sink.text(STATE, state);
    let rest = counts(rest, sink)?;
    let rest = captured(rest, REQUEST_HEADERS, sink);
    let rest = captured(rest, RESPONSE_HEADERS, sink);
    let inside = rest.strip_prefix(" \"")?;
    // A line that is too long is cut.
    let (request, rest) = inside.split_once('"').unwrap_or((inside, ""));
    http::request(request, sink);
    if !rest.is_empty() && tls(rest, sink).is_none() {
        sink.text(REST, rest.strip_prefix(' ')?);
    }
    Some(())
}

/// `8/3/2/0/3 0/0`; answers what follows. A server that was changed for another has a `+` before the retries.
fn counts<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (rest, counts) = until(b' ').parse_complete(text).ok()?;
    let (queues, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    numbers(counts, '/', COUNTS, sink)?;
    numbers(queues, '/', QUEUES, sink)?;
    if counts.contains("/+") {
        sink.value(REDISPATCHED, Value::Bool(true));
    }
    Some(rest)
}

/// ` {shop.example|curl/7.88.1}`; answers what follows.
fn captured<'a>(text: &'a str, known: Known, sink: &mut Sink<'_, 'a>) -> &'a str {
    let Some((headers, rest)) = text.strip_prefix(" {").and_then(|inside| inside.split_once('}')) else {
        return text;
    };
    sink.text(known, headers);
    rest
}

/// ` 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384`: errors, whether the session was resumed, and with
/// whom the two have agreed on what.
fn tls<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    const ERRORS: Known = Known::new("tls_errors", "haproxy.tls.errors");
    const RESUMED: Known = Known::new("tls_resumed", "tls.resumed");
    const NAME: Known = Known::new("tls_server_name", "tls.client.server_name");
    const VERSION: Known = Known::new("tls_version", "tls.version");
    const CIPHER: Known = Known::new("tls_cipher", "tls.cipher");

    let (errors, agreed) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (errors, resumed) = errors.rsplit_once('/')?;
    let (agreed, cipher) = agreed.rsplit_once('/')?;
    let (name, version) = agreed.rsplit_once('/')?;
    let resumed = match resumed {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    sink.text(ERRORS, errors);
    sink.value(RESUMED, Value::Bool(resumed));
    sink.text(NAME, name);
    sink.text(VERSION, version);
    sink.text(CIPHER, cipher);
    Some(())
}

/// As many numbers as there are names for them, with `gap` between two; nothing is put in where there are others.
fn numbers<'a, const N: usize>(
    text: &'a str,
    gap: char,
    names: [Known; N],
    sink: &mut Sink<'_, 'a>,
) -> Option<()> {
    if text.split(gap).count() != N || !text.split(gap).all(|part| is_number(bare(part))) {
        return None;
    }
    names.into_iter().zip(text.split(gap)).for_each(|(name, part)| sink.number(name, bare(part)));
    Some(())
}

fn number<'a>(known: Known, text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    numbers(text, ' ', [known], sink)
}

/// The whole time.
fn duration<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let total = bare(text);
    if !total.starts_with('-') {
        sink.duration(MILLISECONDS, total, 1e6);
    }
    is_number(total).then_some(())
}

/// Without the `+` which says that there was more to come, or of retries that the last went to another server.
fn bare(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

fn is_number(text: &str) -> bool {
    is_json_number(text) && !text.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        let line =
            "127.0.0.1:41676 [28/Nov/2026:12:11:09.366] tcp-in tcp-in/one 1/0/118 112 -- 6/2/1/1/+0 0/0";
        assert!(fits(read, line));
        for (from, to) in [
            (":41676", ""),
            ("1/0/118", "1/0/1/118"),
            ("tcp-in/one", "tcp-in"),
            ("28/Nov", "28/Nix"),
            ("0/0", "0/x"),
            ("112", "?"),
            ("[", "("),
        ] {
            assert!(!fits(read, &line.replacen(from, to, 1)), "{from} as {to}");
        }
    }

    #[test]
    fn one_line_a_connection_is_of_a_mode_that_there_is() {
        assert!(fits(read, "Connect from ::1:44744 to ::1:18085 (quiet/TCP)"));
        assert!(!fits(read, "Connect from here:1 to there:2 (by/TRAIN)"));
        assert!(!fits(read, "Connect from here to there"));
    }
}
