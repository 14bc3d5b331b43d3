//! PostgreSQL's server log: `PREFIX SEVERITY:  MESSAGE`.
//!
//! The prefix is configured (`log_line_prefix`); read here are those that begin with a time and have the process in
//! brackets: the default `%m [%p] `, with `%q%u@%d ` behind it, `%t [%p-%l] %q%u@%d `, that of pgBadger's users, `%t [%p]: [%l-1]
//! user=%u,db=%d,app=%a,client=%h `, and that of Amazon's, `%t:%r:%u@%d:[%p]:`. A time has its zone's abbreviation, see
//! [`abbreviation`](crate::parse::time::abbreviation). `DETAIL`, `HINT`, `STATEMENT` and the like are parts of the event
//! before them and have no level. <https://www.postgresql.org/docs/current/runtime-config-logging.html>

mod prefix;

use crate::parse::known::Known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::{abbreviation, forms};

/// What of an event the line is, where it is not its first.
const PART: Known = Known::new("part", "postgresql.log.part");
/// A time in a zone that is not known.
const TIME: Known = Known::new("time", "postgresql.log.timestamp");
const DURATION: Known = Known::new("duration_ms", "event.duration");
const QUERY: Known = Known::new("query", "postgresql.log.query");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let (zone, rest) = match said.offset {
        None => abbreviation::read(rest)?,
        Some(_) => ("", rest),
    };
    let (head, message) = rest.split_once(":  ")?;
    let (prefix, severity) = head.rsplit_once([' ', ':'])?;
    let is_part =
        matches!(severity, "DETAIL" | "HINT" | "QUERY" | "CONTEXT" | "STATEMENT" | "LOCATION" | "BACKTRACE");
    let level = level(severity);
    if level.is_none() && !is_part {
        return None;
    }
    prefix::read(prefix, sink)?;
    if zone.is_empty() {
        sink.said(said)?;
    } else if let Some(time) = abbreviation::at(said, zone, sink.about, &sink.style.zone) {
        sink.time(time);
    } else {
        sink.text(TIME, line.get(..line.len() - rest.len())?);
    }
    match level {
        Some(level) => sink.leveled(Some(level), severity),
        None => sink.text(PART, severity),
    }
    duration(message, sink);
    sink.message(message);
    Some(())
}

fn level(severity: &str) -> Option<Level> {
    Some(match severity {
        "LOG" | "INFO" | "NOTICE" => Level::Info,
        "WARNING" => Level::Warn,
        "ERROR" => Level::Error,
        "FATAL" | "PANIC" => Level::Fatal,
        "DEBUG" | "DEBUG1" | "DEBUG2" | "DEBUG3" | "DEBUG4" | "DEBUG5" => Level::Debug,
        _ => return None,
    })
}

/// `duration: 0.1 ms`, and `  statement: QUERY` or `  execute NAME: QUERY` behind it.
fn duration<'a>(message: &'a str, sink: &mut Sink<'_, 'a>) {
    let Some((duration, rest)) = message.strip_prefix("duration: ").and_then(|rest| rest.split_once(" ms"))
    else {
        return;
    };
    sink.duration(DURATION, duration, 1e6);
    if let Some((_, query)) = rest.strip_prefix("  ").and_then(|rest| rest.split_once(": ")) {
        sink.text(QUERY, query);
    }
}
