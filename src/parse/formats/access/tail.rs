//! What servers print behind the common or the combined format, in the layouts that their manuals give:
//!
//! | who | layout | manual |
//! |---|---|---|
//! | nginx, its container image | `"FORWARDED FOR"`, also before any of the next | the image's `nginx.conf` |
//! | nginx | `REQUEST_TIME UPSTREAM_TIMES`, in seconds with a point | `ngx_http_upstream_module` |
//! | nginx | `rt=REQUEST_TIME uct="CONNECT" uht="HEADER" urt="RESPONSE" …`, any names | its guide for administrators |
//! | the ingress controller | `LENGTH TIME [NAME] [ALTERNATIVE] ADDRESSES LENGTHS TIMES STATUSES ID` | its page of log formats |
//! | Traefik | `COUNT "ROUTER" "SERVER" DURATIONms` | its page of access logs |
//! | Apache | `RECEIVED SENT`, which is `combinedio` | `mod_logio` |
//! | Apache, gunicorn | `MICROSECONDS`, or `SECONDS/MICROSECONDS` | `mod_log_config`, `%D` and `%T/%D` |
//!
//! Unsure is a whole number alone: it is taken for Apache's `%D`, which is by far the most common; Tomcat's is in
//! milliseconds. Whatever is of another layout is kept in one field as it stands.

use crate::event::Value;
use crate::parse::formats::http::{FORWARDED, MILLISECONDS, is_numbers, list, numbers};
use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::token::quoted;

const MICROSECONDS: Known = Known::new("duration_us", "event.duration");
const RECEIVED: Known = Known::new("received_bytes", "http.request.bytes");
const SENT: Known = Known::new("sent_bytes", "http.response.bytes");
const REQUEST_COUNT: Known = Known::new("request_count", "traefik.access.request_count");
const ROUTER: Known = Known::new("router", "traefik.access.frontend_name");
const UPSTREAM_NAME: Known = Known::new("upstream_name", "upstream.name");
const UPSTREAM_ALTERNATIVE: Known = Known::new("upstream_alternative", "upstream.alternative_name");
const UPSTREAM_BYTES: Known = Known::new("upstream_bytes", "upstream.bytes");
const UPSTREAM_STATUS: Known = Known::new("upstream_status", "upstream.status_code");
const CONNECT: Known = Known::new("upstream_connect_duration", "upstream.connect_duration");
const HEADER: Known = Known::new("upstream_header_duration", "upstream.header_duration");
const CACHE: Known = Known::new("upstream_cache", "upstream.cache_status");
const REST: Known = Known::new("rest", "labels.rest");

/// Seconds, as nanoseconds.
const SECONDS: Option<f64> = Some(1e9);

/// Reads what follows a line's bytes or its user agent: nothing, or a blank and something of the table above.
pub(super) fn read<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some(text) = text.strip_prefix(' ') else { return };
    let text = forwarded(text, sink).unwrap_or(text).trim_end_matches(' ');
    let is_read = match text.as_bytes().first() {
        None => Some(()),
        Some(b'0'..=b'9') => nginx(text, sink)
            .or_else(|| apache(text, sink))
            .or_else(|| traefik(text, sink))
            .or_else(|| ingress(text, sink)),
        _ => pairs(text, sink),
    };
    if is_read.is_none() {
        sink.text(REST, text);
    }
}

/// The addresses that proxies have forwarded for, in quotes; answers what follows. Other texts in quotes are not surely it.
fn forwarded<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (rest, list) = quoted(text).ok()?;
    let of_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b',' | b' ');
    let is_addresses = list.bytes().all(of_address) && list.contains(['.', ':']);
    if !is_addresses && !matches!(list, "-" | "" | "unknown") {
        return None;
    }
    sink.text(FORWARDED, list);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// `0.014`, or `0.014 0.000, 0.014`.
fn nginx<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (time, upstream) = text.split_once(' ').unwrap_or((text, "-"));
    let (rest, upstream) = list(upstream).ok()?;
    if !rest.is_empty() || !is_seconds(time) || !is_numbers(upstream) {
        return None;
    }
    sink.seconds(known::DURATION, time);
    numbers(known::UPSTREAM_DURATION, upstream, SECONDS, sink);
    Some(())
}

fn is_seconds(text: &str) -> bool {
    is_json_number(text) && text.contains('.')
}

fn is_whole(text: &str) -> bool {
    is_json_number(text) && !text.contains(['.', '-'])
}

/// `82 265`, `674`, or `0/674` with or without the first before it, and then perhaps more.
fn apache<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    if is_whole(first) && rest.is_empty() {
        sink.duration(MICROSECONDS, first, 1e3);
        return Some(());
    }
    if let Some(microseconds) = microseconds(first) {
        sink.duration(MICROSECONDS, microseconds, 1e3);
        sink.text(REST, rest);
        return Some(());
    }
    let (second, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (third, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let microseconds = microseconds(third);
    if !is_whole(first) || !is_whole(second) || (microseconds.is_none() && !third.is_empty()) {
        return None;
    }
    sink.number(RECEIVED, first);
    sink.number(SENT, second);
    if let Some(microseconds) = microseconds {
        sink.duration(MICROSECONDS, microseconds, 1e3);
    }
    sink.text(REST, rest);
    Some(())
}

/// `1/1624096`
fn microseconds(text: &str) -> Option<&str> {
    let (seconds, microseconds) = text.split_once('/')?;
    (is_whole(seconds) && is_whole(microseconds)).then_some(microseconds)
}

/// `16 "down@file" "http://127.0.0.1:9" 10ms`
fn traefik<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (count, rest) = text.split_once(' ')?;
    let (rest, router) = quoted(rest).ok()?;
    let (rest, server) = quoted(rest.strip_prefix(' ')?).ok()?;
    let time = rest.strip_prefix(' ')?.strip_suffix("ms")?;
    if !is_whole(count) || !is_whole(time) {
        return None;
    }
    sink.number(REQUEST_COUNT, count);
    sink.quoted(ROUTER, router);
    sink.quoted(known::UPSTREAM, server);
    sink.duration(MILLISECONDS, time, 1e6);
    Some(())
}

/// `512 0.014 [shop-web-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 12 0.001, 0.013 502, 200 2c1f`
fn ingress<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (length, rest) = text.split_once(' ')?;
    let (time, rest) = rest.split_once(" [")?;
    let (name, rest) = rest.split_once("] [")?;
    let (alternative, rest) = rest.split_once("] ")?;
    let (rest, upstream) = list(rest).ok()?;
    let (rest, bytes) = list(rest.strip_prefix(' ')?).ok()?;
    let (rest, times) = list(rest.strip_prefix(' ')?).ok()?;
    let (rest, statuses) = list(rest.strip_prefix(' ')?).ok()?;
    let id = rest.strip_prefix(' ')?;
    if !is_whole(length) || !is_seconds(time) || ![bytes, times, statuses].into_iter().all(is_numbers) {
        return None;
    }
    sink.number(known::REQUEST_BYTES, length);
    sink.seconds(known::DURATION, time);
    sink.text(UPSTREAM_NAME, name);
    sink.text(UPSTREAM_ALTERNATIVE, alternative);
    sink.text(known::UPSTREAM, upstream);
    numbers(UPSTREAM_BYTES, bytes, None, sink);
    numbers(known::UPSTREAM_DURATION, times, SECONDS, sink);
    numbers(UPSTREAM_STATUS, statuses, None, sink);
    sink.text(known::REQUEST_ID, id);
    Some(())
}

/// `rt=0.014 urt="0.000, 0.014" cs=-`, to the end.
fn pairs<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut left = text;
    while !left.is_empty() {
        left = pair(left)?.0;
    }
    left = text;
    while let Some((rest, name, value)) = pair(left) {
        named(name, value, sink);
        left = rest;
    }
    Some(())
}

/// What follows a pair, its name and its value, which may be in quotes.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let (rest, value) = match quoted(rest) {
        Ok(read) => read,
        Err(_) => {
            let (value, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
            (rest, value)
        }
    };
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    is_name.then_some((rest, name, value))
}

/// By the names that nginx's guide gives them, or those of nginx's variables; others keep theirs.
fn named<'a>(name: &'a str, value: &'a str, sink: &mut Sink<'_, 'a>) {
    let (known, unit) = match name {
        "rt" | "request_time" => (known::DURATION, SECONDS),
        "uct" | "upstream_connect_time" => (CONNECT, SECONDS),
        "uht" | "upstream_header_time" => (HEADER, SECONDS),
        "urt" | "upstream_response_time" => (known::UPSTREAM_DURATION, SECONDS),
        "us" | "upstream_status" => (UPSTREAM_STATUS, None),
        "ua" | "upstream_addr" => return sink.text(known::UPSTREAM, value),
        "cs" | "upstream_cache_status" => return sink.text(CACHE, value),
        "host" | "http_host" => return sink.text(known::VIRTUAL_HOST, value),
        _ if matches!(value, "" | "-") => return,
        _ => {
            let value = sink.unescaped(value);
            return sink.named(name, Value::Text(value.as_bytes()));
        }
    };
    if is_numbers(value) {
        numbers(known, value, unit, sink);
    } else {
        sink.named(name, Value::Text(value.as_bytes()));
    }
}
