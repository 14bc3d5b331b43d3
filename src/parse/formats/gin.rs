//! Requests as Go's Gin logs them: `[GIN] YYYY/MM/DD - HH:MM:SS | STATUS | DURATION | CLIENT | METHOD "PATH"`.
//!
//! The duration is in Go's words, `1.234ms`, and becomes seconds, or nanoseconds in `ecs`. <https://github.com/gin-gonic/gin>,
//! `defaultLogFormatter` in `logger.go`

use crate::event::Value;
use crate::parse::known::{self, Schema};
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::quoted;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::gin(line.strip_prefix("[GIN] ")?).ok()?;
    let mut parts = rest.strip_prefix(" |")?.splitn(4, '|');
    let (status, duration) = (parts.next()?.trim_matches(' '), parts.next()?.trim_matches(' '));
    let (client, request) = (parts.next()?.trim_matches(' '), parts.next()?.trim_start_matches(' '));
    let (method, path) = request.split_once(' ')?;
    // As JSON has it, where no number begins with a zero.
    let is_status = matches!(status.as_bytes(), [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9']);
    let (_, path) = quoted(path.trim_start_matches(' ')).ok().filter(|_| is_status)?;
    sink.said(said)?;
    took(nanoseconds(duration)?, sink);
    sink.client(client);
    sink.value(known::STATUS, Value::Scalar(status));
    sink.text(known::METHOD, method);
    sink.quoted(known::URL, path);
    sink.message(request);
    Some(())
}

fn took(nanos: u64, sink: &mut Sink<'_, '_>) {
    let value = match sink.style.schema {
        Schema::Ecs => Value::Unsigned(nanos),
        Schema::Plain => {
            let seconds = bumpalo::format!(in sink.arena, "{}", nanos as f64 / 1e9);
            Value::Json(seconds.into_bump_str())
        }
    };
    sink.value(known::DURATION, value);
}

/// Nanoseconds of a unit, the longer names of those that begin alike first.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("µs", 1e3),
    ("\u{3bc}s", 1e3),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
];

/// `1m2.5s`, as Go prints durations.
fn nanoseconds(mut text: &str) -> Option<u64> {
    let mut nanos = 0.0;
    while !text.is_empty() {
        let end = text.bytes().position(|byte| !byte.is_ascii_digit() && byte != b'.')?;
        let (number, rest) = text.split_at_checked(end)?;
        let (rest, unit) = UNITS.iter().find_map(|(name, unit)| Some((rest.strip_prefix(name)?, unit)))?;
        nanos += number.parse::<f64>().ok()? * unit;
        text = rest;
    }
    // Longer ones are none, and no index has room for them.
    (nanos < i64::MAX as f64).then(|| nanos.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_behind_each_number() {
        for (text, nanos) in [
            ("0s", 0),
            ("500ns", 500),
            ("12.5µs", 12_500),
            ("1.234ms", 1_234_000),
            ("1m2.5s", 62_500_000_000),
            ("1h0m1s", 3_601_000_000_000),
        ] {
            assert_eq!(nanoseconds(text), Some(nanos), "{text}");
        }
        for text in ["1", "s", "1x", "1.2.3s", "1 s", "9999999h"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
