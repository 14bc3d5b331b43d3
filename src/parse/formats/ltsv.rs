//! Labelled tab-separated values: `LABEL:VALUE`, parted by tabs. <http://ltsv.org/>
//!
//! A value that is a number is one, and `-` and nothing are left out, as web servers print them for what is not there. The labels
//! that the site recommends for access lines have names in the common schema; the request is the message. A line needs a time, as the site recommends, to be
//! surely one, unless the format is named.

use nom::Parser;

use crate::parse::known::{Known, Schema};
use crate::parse::sink::{Sink, bare};
use crate::parse::time::{Zone, parse_time_text};
use crate::parse::token::run;

/// A whole line.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut is_sure = sink.is_format_named();
    // Most lines that are of another format have no label, or nothing after it: seen before the line is split.
    let (_, first) = label(line)?;
    memchr::memchr(b'\t', first.as_bytes())?;
    for field in line.split('\t') {
        let (label, value) = label(field)?;
        is_sure = is_sure || (label == "time" && is_time(value));
        put(label, value, sink);
    }
    sink.adopts();
    is_sure.then_some(())
}

fn label(field: &str) -> Option<(&str, &str)> {
    let is_of_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let (rest, label) = run(is_of_label).parse_complete(field).ok()?;
    Some((label, rest.strip_prefix(':')?))
}

fn is_time(value: &str) -> bool {
    parse_time_text(value.trim_matches(['[', ']']), &Zone::Utc).is_some()
}

fn put<'a>(label: &'a str, value: &'a str, sink: &mut Sink<'_, 'a>) {
    if matches!(value, "" | "-") {
        return;
    }
    if label == "req" {
        return sink.message(value);
    }
    match (sink.style.schema, recommended(label)) {
        (Schema::Ecs, Some(known)) if label == "reqtime" => sink.seconds(known, value),
        (Schema::Ecs, Some(known)) => sink.value(known, bare(value)),
        _ => sink.named(label, bare(value)),
    }
}

/// The label's field in the common schema.
fn recommended(label: &str) -> Option<Known> {
    let (plain, ecs) = match label {
        "host" => ("host", "source.address"),
        "user" => ("user", "user.name"),
        "method" => ("method", "http.request.method"),
        "uri" => ("uri", "url.original"),
        "status" => ("status", "http.response.status_code"),
        "size" => ("size", "http.response.body.bytes"),
        "reqsize" => ("reqsize", "http.request.bytes"),
        "referer" => ("referer", "http.request.referrer"),
        "ua" => ("ua", "user_agent.original"),
        "vhost" => ("vhost", "url.domain"),
        "reqtime" => ("reqtime", "event.duration"),
        _ => return None,
    };
    Some(Known::new(plain, ecs))
}
