//! `option httplog clf`: a line of the common log format, as its tail what other servers do not know.
//!
//! `"REQUEST" STATUS BYTES "" "" PORT MILLISECOND "FRONTEND" "BACKEND" "SERVER" TR Tw Tc Tr Ta STATE COUNTS QUEUES "COOKIE" "COOKIE"`, and what
//! was captured. The millisecond is the time's.

use nom::Parser;

use super::{
    BACKEND, BYTES, COUNTS, FRONTEND, QUEUES, REQUEST_COOKIE, RESPONSE_COOKIE, REST, SERVER, STATE, WAITS,
    duration, number, numbers,
};
use crate::event::Value;
use crate::parse::formats::access::status_and_bytes;
use crate::parse::formats::http;
use crate::parse::known;
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::time::forms::Said;
use crate::parse::token::{exact, until, until_text};

/// Reads what follows the time.
pub(super) fn read<'a>(
    before: &'a str,
    mut said: Said,
    rest: &'a str,
    sink: &mut Sink<'_, 'a>,
) -> Option<()> {
    let (rest, _) = exact("\"").parse_complete(rest).ok()?;
    let (rest, request) = until(b'"').parse_complete(rest).ok()?;
    let (rest, (status, bytes)) = status_and_bytes(rest).ok()?;
    let (rest, _) = exact(" \"\" \"\" ").parse_complete(rest).ok()?;
    let (rest, port) = until(b' ').parse_complete(rest).ok()?;
    let (rest, millisecond) = until(b' ').parse_complete(rest).ok()?;
    said.civil.nanos = millisecond.parse::<u32>().ok().filter(|millisecond| *millisecond < 1000)? * 1_000_000;
    sink.said(said)?;
    sink.client(before.split(' ').next()?);
    number(known::CLIENT_PORT, port, sink)?;
    if is_json_number(status) {
        sink.value(known::STATUS, Value::Scalar(status));
    }
    sink.number(BYTES, bytes);
    http::request(request, sink);
    places(rest, sink)
}

/// From the frontend on.
fn places<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, _) = exact("\"").parse_complete(rest).ok()?;
    let (rest, frontend) = until_text("\" \"").parse_complete(rest).ok()?;
    let (rest, backend) = until_text("\" \"").parse_complete(rest).ok()?;
    let (rest, server) = until_text("\" ").parse_complete(rest).ok()?;
    sink.text(FRONTEND, frontend);
    sink.text(BACKEND, backend);
    sink.text(SERVER, server);
    let (rest, waits) = words(rest, 4)?;
    numbers(waits, ' ', WAITS, sink)?;
    let (rest, total) = until(b' ').parse_complete(rest).ok()?;
    duration(total, sink)?;
    let (rest, state) = until(b' ').parse_complete(rest).ok()?;
    sink.text(STATE, state);
    let (rest, counts) = words(rest, 5)?;
    numbers(counts, ' ', COUNTS, sink)?;
    let (rest, queues) = words(rest, 2)?;
    numbers(queues, ' ', QUEUES, sink)?;
    cookies(rest, sink)
}

fn cookies<'a>(rest: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, _) = exact("\"").parse_complete(rest).ok()?;
    let (rest, asked) = until_text("\" \"").parse_complete(rest).ok()?;
    let (rest, answered) = until(b'"').parse_complete(rest).ok()?;
    sink.text(REQUEST_COOKIE, asked);
    sink.text(RESPONSE_COOKIE, answered);
    sink.text(REST, rest.trim_matches(' '));
    Some(())
}

/// So many words, with the blanks between them, and what follows the blank behind them.
fn words(text: &str, count: usize) -> Option<(&str, &str)> {
    let (end, _) = text.match_indices(' ').nth(count.checked_sub(1)?)?;
    let (words, rest) = text.split_at_checked(end)?;
    Some((rest.strip_prefix(' ')?, words))
}
