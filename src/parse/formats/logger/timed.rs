//! Layouts that begin with a time.
//!
//! | layout | printed by |
//! |---|---|
//! | `TIME - LOGGER - LEVEL - MESSAGE` | Python |
//! | `TIME \| LEVEL \| LOGGER:FUNCTION:LINE - MESSAGE` | loguru |
//! | `TIME [THREAD] LEVEL LOGGER - MESSAGE` | Log4j, Logback; `TIME` may be the time of day alone, or milliseconds |
//! | `TIME [LEVEL] LOGGER:LINE - MESSAGE` | Python, structlog |
//! | `TIME [myid:1] - LEVEL  [THREAD:CLASS@LINE] - MESSAGE` | ZooKeeper |
//! | `TIME LEVEL [THREAD] LOGGER:LINE CONTEXT - MESSAGE` | Log4j, Logback |
//! | `TIME LEVEL  [LOGGER] (THREAD) MESSAGE` | WildFly, where `TIME` is the time of day, and Quarkus |
//! | `TIME LEVEL LOGGER: MESSAGE` | Python, Hadoop, tracing |
//! | `TIME LEVEL FILE:LINE > MESSAGE` | zerolog |
//! | `TIME level: MESSAGE` | winston |
//! | `TIME LOGGER       LEVEL    MESSAGE`, padded or with a name that surely is one | Python's logging cookbook |
//! | `TIME main LEVEL MESSAGE` | Log4j of itself |
//! | `DD-Mon-YYYY TIME LEVEL [THREAD] CLASS.METHOD MESSAGE` | Tomcat |

use super::{Parts, levels, origin};
use crate::event::Timestamp;
use crate::parse::time::forms::{self, Said};

/// How far from the event's own time, in seconds, one with a year of two digits may be: others write the day first.
const CLOSE: u64 = 2 * 86_400;

pub(super) fn read(line: &str, about: Timestamp) -> Option<Parts<'_>> {
    let bytes = line.as_bytes();
    match (bytes.get(2)?, bytes.get(4)?) {
        (_, b'-') => {
            let (rest, said) = forms::iso(line).ok()?;
            dated(rest).map(|parts| Parts { said: Some(said), ..parts })
        }
        (b':', _) => {
            let (rest, said) = forms::clock(line).ok()?;
            clocked(rest.strip_prefix(' ')?).map(|parts| Parts { said: Some(said), ..parts })
        }
        (b'/', _) => spark(line, about),
        (b'-', _) => tomcat(line),
        _ => elapsed(line),
    }
}

/// What follows a time of day alone, which is less of a sign: both a thread and a level.
fn clocked(rest: &str) -> Option<Parts<'_>> {
    match rest.strip_prefix('[') {
        Some(inside) => threaded(inside),
        None => leveled(rest).filter(|parts| !parts.thread.is_empty()),
    }
}

/// What follows a date and a time of day.
fn dated(rest: &str) -> Option<Parts<'_>> {
    let rest = rest.strip_prefix(' ')?;
    match rest.as_bytes() {
        [b'-', b' ', ..] => dashes(rest.get(2..)?),
        [b'|', b' ', ..] => bars(rest.get(2..)?),
        [b'[', ..] => bracket(rest.get(1..)?),
        _ => leveled(rest.trim_start_matches(' ')).or_else(|| columns(rest)),
    }
}

/// `LOGGER - LEVEL - MESSAGE`: the logger's name may have blanks and dashes.
fn dashes(text: &str) -> Option<Parts<'_>> {
    let mut from = 0;
    for _ in 0..5 {
        let (piece, rest) = text.get(from..)?.split_once(" - ")?;
        if let Some((level, "")) = levels::bare(piece.trim_end_matches(' ')) {
            let logger = text.get(..from)?.strip_suffix(" - ").unwrap_or_default();
            let mut parts = Parts { level, logger, ..Parts::default() };
            if logger.is_empty() {
                origin::read(rest, &mut parts)
            } else {
                parts.message = rest
            }
            return Some(parts);
        }
        from += piece.len() + " - ".len();
    }
    None
}

/// `LEVEL | LOGGER:FUNCTION:LINE - MESSAGE`.
fn bars(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = text.split_once(" | ")?;
    let level = levels::in_place(level)?;
    let mut parts = Parts { level, message: rest, ..Parts::default() };
    if let Some((place, message)) = rest.split_once(" - ")
        && let Some((place, line)) = place.rsplit_once(':')
        && let Some((logger, function)) = place.rsplit_once(':')
        && origin::is_digits(line)
        && origin::is_name(logger)
    {
        (parts.logger, parts.function, parts.line, parts.message) = (logger, function, line, message);
    }
    Some(parts)
}

/// `LEVEL] …`, `THREAD] LEVEL …` or `myid:1] - LEVEL …`.
fn bracket(text: &str) -> Option<Parts<'_>> {
    if let Some(text) = text.strip_prefix("myid:") {
        return zookeeper(text);
    }
    let (inside, rest) = text.split_once(']')?;
    let Some(level) = levels::in_place(inside) else { return threaded(text) };
    let mut parts = Parts { level, ..Parts::default() };
    after_level(rest.strip_prefix(' ').unwrap_or(rest), &mut parts);
    if level.starts_with(|first: char| first.is_ascii_lowercase()) {
        // structlog pads its messages.
        parts.message = parts.message.trim_end_matches(' ');
    }
    Some(parts)
}

/// `THREAD] LEVEL LOGGER - MESSAGE`: the first bracket that a level follows ends the thread's name.
fn threaded(text: &str) -> Option<Parts<'_>> {
    let (thread, (level, rest)) = closing(text)
        .find_map(|(thread, rest)| Some((thread, levels::bare(rest.trim_start_matches(' '))?)))?;
    // PostgreSQL's levels have a colon.
    if rest.starts_with(':') {
        return None;
    }
    let mut parts = Parts { thread, level, ..Parts::default() };
    origin::read(after_padding(level, rest), &mut parts);
    Some(parts)
}

/// The text before and behind each `] `, as far as a thread's name may go.
fn closing(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("] ").take(8).filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 2..)?)))
}

/// `1] - LEVEL  [THREAD:CLASS@LINE] - MESSAGE`.
fn zookeeper(text: &str) -> Option<Parts<'_>> {
    let (myid, rest) = text.split_once("] - ")?;
    let (level, rest) = levels::bare(rest)?;
    let (place, message) = rest.trim_start_matches(' ').strip_prefix('[')?.split_once("] - ")?;
    let (thread, place) = place.rsplit_once(':')?;
    let (logger, line) = place.split_once('@')?;
    Some(Parts { myid, level, thread, logger, line, message, ..Parts::default() })
}

/// A level and what follows it.
pub(super) fn leveled(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = levels::bare(text).or_else(|| levels::lower_case(text))?;
    let mut parts = Parts { level, ..Parts::default() };
    match rest.strip_prefix(':') {
        Some(message) => parts.message = message.strip_prefix(' ').unwrap_or(message),
        None => after_level(after_padding(level, rest), &mut parts),
    }
    Some(parts)
}

/// `LOGGER LEVEL MESSAGE`.
fn columns(text: &str) -> Option<Parts<'_>> {
    let (name, rest) = text.split_at_checked(text.find(' ')?)?;
    let (level, behind) = levels::bare(rest.trim_start_matches(' '))?;
    let is_padded = rest.starts_with("  ") || behind.starts_with("  ");
    let is_logger = origin::is_name(name) && (is_padded || origin::is_qualified(name));
    // The widest level has eight letters.
    let most = 1 + 8_usize.saturating_sub(level.len());
    let blanks = behind.bytes().take(most).take_while(|byte| *byte == b' ').count();
    let message = behind.get(blanks..).filter(|_| blanks > 0)?;
    let mut parts = Parts { level, message, ..Parts::default() };
    match name {
        "main" => parts.thread = name,
        _ if is_logger => origin::place(name, &mut parts),
        _ => return None,
    }
    Some(parts)
}

/// Tomcat's `DD-Mon-YYYY TIME LEVEL [THREAD] CLASS.METHOD MESSAGE`.
fn tomcat(line: &str) -> Option<Parts<'_>> {
    let (rest, said) = forms::rfc2822(line).ok()?;
    let (level, rest) = rest.strip_prefix(' ')?.split_once(" [")?;
    let (thread, rest) = rest.split_once("] ")?;
    let (name, message) = rest.split_once(' ').unwrap_or((rest, ""));
    let (logger, function) = name.rsplit_once('.').filter(|(logger, _)| origin::is_qualified(logger))?;
    let is_level = level.bytes().all(|byte| byte.is_ascii_uppercase()) && levels::scaled(level).is_some();
    is_level.then_some(Parts {
        said: Some(said),
        level,
        thread,
        logger,
        function,
        message,
        ..Parts::default()
    })
}

/// What follows a level's one blank; levels are padded to five characters by Java's loggers.
pub(super) fn after_padding<'a>(level: &str, rest: &'a str) -> &'a str {
    let most = 1 + 5_usize.saturating_sub(level.len());
    let blanks = rest.bytes().take(most).take_while(|byte| *byte == b' ').count();
    rest.get(blanks..).unwrap_or_default()
}

/// `[THREAD] LOGGER - MESSAGE`, `[LOGGER] (THREAD) MESSAGE`, `FILE:LINE > MESSAGE`, `LOGGER - MESSAGE`, `LOGGER:
/// MESSAGE`, or the message.
fn after_level<'a>(text: &'a str, parts: &mut Parts<'a>) {
    let trimmed = text.trim_start_matches(' ');
    if let Some(inside) = trimmed.strip_prefix('[')
        && closing(inside).any(|(name, rest)| after_bracket(name, rest, parts))
    {
        return;
    }
    if let Some((place, message)) = trimmed.split_once(" > ")
        && let Some((file, line)) = place.rsplit_once(':')
        && origin::is_digits(line)
        && origin::is_name(file)
    {
        (parts.file, parts.line, parts.message) = (file, line, message);
        return;
    }
    origin::read(text, parts);
}

/// What was in brackets is a thread or a logger where what follows says so.
fn after_bracket<'a>(name: &'a str, rest: &'a str, parts: &mut Parts<'a>) -> bool {
    // Without a logger it may be anything.
    let is_thread = !rest.starts_with("- ") && (origin::dashed(rest, parts) || origin::coloned(rest, parts));
    if is_thread {
        parts.thread = name.trim_matches(' ');
        return true;
    }
    let thread = rest.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    if let Some((thread, message)) = thread.filter(|_| origin::is_qualified(name)) {
        (parts.logger, parts.thread, parts.message) = (name, thread, message);
        return true;
    }
    if origin::is_qualified(name) {
        (parts.logger, parts.message) = (name, rest);
    }
    origin::is_qualified(name)
}

/// Spark's `yy/MM/dd HH:mm:ss LEVEL CLASS: MESSAGE`, where it is of about now.
fn spark(line: &str, about: Timestamp) -> Option<Parts<'_>> {
    let (rest, said) = forms::short_year(line).ok()?;
    let (level, rest) = levels::bare(rest.strip_prefix(' ')?)?;
    let time = Said::at(said, about, &crate::parse::time::Zone::Utc)?;
    if time.seconds().abs_diff(about.seconds()) > CLOSE {
        return None;
    }
    let rest = rest.strip_prefix(' ')?;
    let end = rest.find(' ').unwrap_or(rest.len());
    let (name, message) = rest.split_at(end);
    let (logger, message) = match name.strip_suffix(':').filter(|name| origin::is_name(name)) {
        Some(logger) => (logger, message.strip_prefix(' ').unwrap_or(message)),
        None => ("", rest),
    };
    Some(Parts { said: Some(said), level, logger, message, ..Parts::default() })
}

/// Log4j's `MILLISECONDS [THREAD] LEVEL LOGGER CONTEXT - MESSAGE`, which has it without configuration.
fn elapsed(line: &str) -> Option<Parts<'_>> {
    let (elapsed, rest) = line.split_once(" [").filter(|(elapsed, _)| origin::is_digits(elapsed))?;
    let (thread, (level, rest)) =
        closing(rest).find_map(|(thread, rest)| Some((thread, levels::bare(rest)?)))?;
    let (name, message) = rest.strip_prefix(' ')?.split_once(" - ")?;
    let (logger, context) = match name.split_once(' ') {
        Some((logger, context)) if origin::is_qualified(logger) => (logger, context),
        _ => (name.trim_end_matches(' '), ""),
    };
    Some(Parts { elapsed, thread, level, logger, context, message, ..Parts::default() })
}
