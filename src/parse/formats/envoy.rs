//! Envoy's lines: those of requests in its default format and in Istio's, and its own.
//!
//! | of | layout |
//! |---|---|
//! | a request | `[TIME] "REQUEST" STATUS FLAGS RECEIVED SENT DURATION UPSTREAM "FORWARDED" "AGENT" "ID" "AUTHORITY" "HOST"` |
//! | a request, Istio | `[TIME] "REQUEST" STATUS FLAGS DETAILS TERMINATION "FAILURE" RECEIVED … "HOST" CLUSTER LOCAL SERVER CLIENT NAME ROUTE` |
//! | its own | `[TIME][THREAD][LEVEL][LOGGER] [FILE:LINE] MESSAGE` |
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string>,
//! <https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format>. Durations are in milliseconds.
//! Quotes in quotes are printed as they are: the request ends where the status follows it, and the last texts are read
//! from the line's end, so that only a user agent can hold any.

use super::http::{self, MILLISECONDS};
use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::time::forms::{self, Said};

const FLAGS: Known = Known::new("response_flags", "envoyproxy.response_flags");
const DETAILS: Known = Known::new("response_details", "envoyproxy.response_code_details");
const TERMINATION: Known = Known::new("termination", "envoyproxy.connection_termination_details");
const FAILURE: Known = Known::new("upstream_failure", "envoyproxy.upstream_transport_failure_reason");
const UPSTREAM_TIME: Known = Known::new("upstream_duration_ms", "envoyproxy.upstream_service_time");
const CLUSTER: Known = Known::new("upstream_cluster", "envoyproxy.upstream_cluster");
const UPSTREAM_LOCAL: Known = Known::new("upstream_local", "envoyproxy.upstream_local_address");
const SERVER_NAME: Known = Known::new("tls_server_name", "tls.client.server_name");
const FORWARDED: Known = Known::new("forwarded_for", "envoyproxy.forwarded_for");
const ROUTE: Known = Known::new("route", "envoyproxy.route_name");

/// Reads a line of any of these layouts.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line.strip_prefix('[')?).ok()?;
    let rest = rest.strip_prefix(']')?;
    match rest.strip_prefix(" \"") {
        Some(inside) => access(line, inside, said, sink),
        None => own(rest, said, sink),
    }
}

/// From the inside of the request on.
fn access<'a>(line: &'a str, inside: &'a str, said: Said, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (request, status, rest) = status(inside)?;
    let (flags, rest) = rest.split_once(' ')?;
    // A zone is never missing; lines that have none are another's.
    said.offset?;
    sink.said(said)?;
    sink.value(known::STATUS, Value::Scalar(status));
    sink.text(FLAGS, flags);
    if request.starts_with("- ") {
        // why: no request came, so that the line itself tells more.
        sink.message(line);
    } else {
        http::request(request, sink);
    }
    let rest = match rest.as_bytes().first()? {
        b'0'..=b'9' => rest,
        _ => details(rest, sink)?,
    };
    let (transfer, texts) = rest.split_once(" \"")?;
    self::transfer(transfer, sink)?;
    let texts = match texts.strip_suffix('"') {
        Some(texts) => texts,
        None => places(texts, sink)?,
    };
    self::texts(texts, sink)
}

/// The request, the status that follows it, and what follows that.
fn status(inside: &str) -> Option<(&str, &str, &str)> {
    memchr::memchr_iter(b'"', inside.as_bytes()).find_map(|at| {
        let (request, rest) = inside.split_at_checked(at)?;
        let (status, rest) = rest.strip_prefix("\" ")?.split_once(' ')?;
        let is_status = status.len() <= 3 && is_whole(status);
        is_status.then_some((request, status, rest))
    })
}

fn is_whole(text: &str) -> bool {
    is_json_number(text) && !text.contains(['.', '-'])
}

/// `via_upstream - "-" `, which Istio has.
fn details<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (details, rest) = rest.split_once(' ')?;
    let (termination, rest) = rest.split_once(" \"")?;
    let (failure, rest) = rest.split_once("\" ")?;
    sink.text(DETAILS, details);
    sink.text(TERMINATION, termination);
    sink.text(FAILURE, failure);
    Some(rest)
}

/// `5 2 17 14`
fn transfer<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut words = text.split(' ');
    let (received, sent) = (words.next()?, words.next()?);
    let (duration, upstream) = (words.next()?, words.next()?);
    let is_whole_or_none = |text| text == "-" || is_whole(text);
    if words.next().is_some() || ![received, sent, duration, upstream].into_iter().all(is_whole_or_none) {
        return None;
    }
    sink.number(known::REQUEST_BYTES, received);
    sink.number(known::BYTES, sent);
    sink.duration(MILLISECONDS, duration, 1e6);
    sink.number(UPSTREAM_TIME, upstream);
    Some(())
}

/// ` CLUSTER LOCAL SERVER CLIENT NAME ROUTE` behind the texts, which Istio has; answers the texts.
fn places<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (texts, places) = text.rsplit_once("\" ")?;
    let mut words = places.split(' ');
    let (cluster, local) = (words.next()?, words.next()?);
    let (server, client) = (words.next()?, words.next()?);
    let (name, route) = (words.next()?, words.next()?);
    sink.text(CLUSTER, cluster);
    sink.text(UPSTREAM_LOCAL, local);
    http::server(server, sink);
    http::client(client, sink);
    sink.text(SERVER_NAME, name);
    sink.text(ROUTE, route);
    words.next().is_none().then_some(texts)
}

/// `FORWARDED" "AGENT" "ID" "AUTHORITY" "HOST`
fn texts<'a>(texts: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (texts, host) = texts.rsplit_once("\" \"")?;
    let (texts, authority) = texts.rsplit_once("\" \"")?;
    let (texts, id) = texts.rsplit_once("\" \"")?;
    let (forwarded, agent) = texts.split_once("\" \"")?;
    sink.text(FORWARDED, forwarded);
    sink.text(known::USER_AGENT, agent);
    sink.text(known::REQUEST_ID, id);
    sink.text(known::VIRTUAL_HOST, authority);
    sink.text(known::UPSTREAM, host);
    Some(())
}

/// Behind the time of one of its own.
fn own<'a>(rest: &'a str, said: Said, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (thread, rest) = rest.strip_prefix('[')?.split_once("][")?;
    let (word, rest) = rest.split_once("][")?;
    let (logger, rest) = rest.split_once("] ")?;
    let level = Level::of_word(word).filter(|_| is_whole(thread))?;
    // Java's unified log has the same brackets, and a time with an offset.
    if said.offset.is_some() {
        return None;
    }
    sink.said(said)?;
    sink.leveled(Some(level), word);
    sink.number(known::THREAD_ID, thread);
    sink.text(known::LOGGER, logger);
    match place(rest) {
        Some((message, file, line)) => {
            sink.text(known::FILE, file);
            sink.number(known::LINE, line);
            sink.message(message);
        }
        None => sink.message(rest),
    }
    Some(())
}

/// `[source/server/server.cc:463] `
fn place(text: &str) -> Option<(&str, &str, &str)> {
    let (place, message) = text.strip_prefix('[')?.split_once("] ")?;
    let (file, line) = place.rsplit_once(':')?;
    (is_whole(line) && !place.contains(' ')).then_some((message, file, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::formats::tests::fits;

    #[test]
    fn what_is_nearly_of_it_is_not() {
        let line = r#"[2026-11-28T12:19:08.390Z] "GET /x HTTP/1.1" 200 - 0 2 17 - "-" "a" "b" "c" "d""#;
        assert!(fits(read, line));
        for (from, to) in [
            ("Z]", "]"),
            ("[", ""),
            (" 200", ""),
            (" 17", ""),
            ("17", "x"),
            (" \"d\"", ""),
            ("\"d\"", "\"d\" e"),
            ("[", "[x"),
        ] {
            assert!(!fits(read, &line.replacen(from, to, 1)), "{from} as {to}");
        }
        assert!(fits(read, "[2026-11-28 12:19:03.014][20926][info][main] initializing"));
        assert!(!fits(read, "[2026-11-28 12:19:03.014] [20926] [info] [main] initializing"));
        assert!(!fits(read, "[2026-11-28 12:19:03.014][here][info][main] initializing"));
        assert!(!fits(read, "[2026-11-28 12:19:03.014][20926][loud][main] initializing"));
    }
}
