//! Layouts that begin with a time or a level in brackets.
//!
//! | layout | printed by |
//! |---|---|
//! | `[TIME] LEVEL MESSAGE (LOGGER)` | Kafka |
//! | `[TIME] [LEVEL] [LOGGER] MESSAGE` | Python |
//! | `[TIME] [LEVEL] CATEGORY - MESSAGE` | log4js |
//! | `[TIME: LEVEL/PROCESS] MESSAGE` | Celery |
//! | `[TIME] LEVEL in MODULE: MESSAGE` | Flask |
//! | `[TIME] {FILE:LINE} LEVEL - MESSAGE` | Airflow |
//! | `[TIME] CHANNEL.LEVEL: MESSAGE` | Monolog |
//! | `[TIME LEVEL  TARGET] MESSAGE` | env_logger |
//! | `[HH:MM:SS LEV] MESSAGE` | Serilog |
//! | `[LEVEL] TIME [THREAD] LOGGER - MESSAGE` | Log4j |

use super::{Parts, levels, origin, timed};
use crate::parse::time::forms;

pub(super) fn read(line: &str) -> Option<Parts<'_>> {
    let inside = line.strip_prefix('[')?;
    if inside.as_bytes().get(2) == Some(&b':') {
        let (rest, said) = forms::clock(inside).ok()?;
        let parts = match rest.strip_prefix("] ") {
            Some(rest) => pretty(rest)?,
            None => serilog(rest.strip_prefix(' ')?)?,
        };
        return Some(Parts { said: Some(said), ..parts });
    }
    if inside.starts_with(|first: char| first.is_ascii_uppercase()) {
        return level_first(inside);
    }
    let (rest, said) = forms::iso(inside).ok()?;
    let parts = if let Some(rest) = rest.strip_prefix("] ") {
        timed(rest)?
    } else if let Some(rest) = rest.strip_prefix(": ") {
        celery(rest)?
    } else {
        env_logger(rest.strip_prefix(' ')?)?
    };
    Some(Parts { said: Some(said), ..parts })
}

/// `LEVEL] TIME` and what follows it.
fn level_first(text: &str) -> Option<Parts<'_>> {
    let end = text.bytes().take(10).position(|byte| byte == b']')?;
    let level = levels::in_place(text.get(..end)?)?;
    let (rest, said) = forms::iso(text.get(end + 1..)?.strip_prefix(' ')?).ok()?;
    let rest = rest.strip_prefix(' ')?;
    let (thread, rest) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")).unwrap_or(("", rest));
    let mut parts = Parts { said: Some(said), level, thread, ..Parts::default() };
    origin::read(rest, &mut parts);
    Some(parts)
}

/// `LEV] MESSAGE`.
fn serilog(text: &str) -> Option<Parts<'_>> {
    let (level, message) = text.split_once("] ")?;
    let is_level = matches!(level, "VRB" | "DBG" | "INF" | "WRN" | "ERR" | "FTL");
    is_level.then_some(Parts { level, message, ..Parts::default() })
}

/// What follows the bracket.
fn timed(rest: &str) -> Option<Parts<'_>> {
    match rest.as_bytes().first()? {
        b'[' => in_brackets(rest.get(1..)?),
        b'{' => airflow(rest.get(1..)?),
        b'a'..=b'z' => monolog(rest),
        _ => leveled(rest).or_else(|| monolog(rest)),
    }
}

/// `LEVEL] [LOGGER] MESSAGE` or `LEVEL] CATEGORY - MESSAGE`.
fn in_brackets(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = text.split_once("] ")?;
    let level = levels::in_place(level)?;
    let mut parts = Parts { level, ..Parts::default() };
    match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((logger, message)) => (parts.logger, parts.message) = (logger, message),
        None => origin::read(rest, &mut parts),
    }
    Some(parts)
}

/// `LEVEL MESSAGE (LOGGER)`, `LEVEL in MODULE: MESSAGE`, or what follows a level elsewhere.
fn leveled(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = levels::bare(text)?;
    if let Some((module, message)) = rest.strip_prefix(" in ").and_then(|rest| rest.split_once(": "))
        && origin::is_name(module)
    {
        return Some(Parts { level, module, message, ..Parts::default() });
    }
    if let Some((message, logger)) = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("))
        && origin::is_qualified(logger)
    {
        let message = timed::after_padding(level, message);
        return Some(Parts { level, logger, message, ..Parts::default() });
    }
    timed::leveled(text)
}

/// `LEVEL/PROCESS] MESSAGE`.
fn celery(text: &str) -> Option<Parts<'_>> {
    let (head, message) = text.split_once("] ")?;
    let (level, program) = head.split_once('/')?;
    let (level, "") = levels::bare(level)? else { return None };
    Some(Parts { level, program, message, ..Parts::default() })
}

/// `FILE:LINE} LEVEL - MESSAGE`.
fn airflow(text: &str) -> Option<Parts<'_>> {
    let (place, rest) = text.split_once("} ")?;
    let (file, line) = place.rsplit_once(':')?;
    let (level, rest) = levels::bare(rest)?;
    Some(Parts { file, line, level, message: rest.strip_prefix(" - ")?, ..Parts::default() })
}

/// `CHANNEL.LEVEL: MESSAGE`.
fn monolog(text: &str) -> Option<Parts<'_>> {
    let (head, message) = text.split_once(": ")?;
    let (logger, level) = head.rsplit_once('.').filter(|(logger, _)| origin::is_name(logger))?;
    let (level, "") = levels::bare(level)? else { return None };
    Some(Parts { logger, level, message, ..Parts::default() })
}

/// `LEVEL  TARGET] MESSAGE`, or with `FILE:LINE ` before the target.
fn env_logger(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = levels::bare(text)?;
    let (target, message) = rest.split_once("] ")?;
    let target = target.trim_start_matches(' ');
    let (place, logger) = target.split_once(' ').unwrap_or((":", target));
    let (file, line) = place.rsplit_once(':').filter(|(file, line)| file.is_empty() == line.is_empty())?;
    let is_place = file.is_empty() || (file.ends_with(".rs") && origin::is_digits(line));
    (is_place && origin::is_name(logger)).then_some(Parts {
        level,
        logger,
        file,
        line,
        message,
        ..Parts::default()
    })
}

/// `LEVEL (LOGGER/PID): MESSAGE`, where the logger may be missing.
fn pretty(text: &str) -> Option<Parts<'_>> {
    let (level, rest) = levels::bare(text)?;
    let (name, message) = rest.strip_prefix(" (")?.split_once("):")?;
    let (logger, pid) = name.rsplit_once('/').unwrap_or(("", name));
    let message = message.strip_prefix(' ').unwrap_or(message);
    origin::is_digits(pid).then_some(Parts { level, logger, pid, message, ..Parts::default() })
}
