//! .NET's console loggers: `fail: CATEGORY[EVENT]`, with the message on the lines below, or behind it where it is told to print
//! single lines; systemd's has a severity, `<3>CATEGORY[EVENT] MESSAGE`.
//!
//! A category is the full name of a class, or begins with a capital, so that no prose is one. Which time stands before the level
//! is the user's choice, none without one; read are the usual ones, bare or in brackets.
//! <https://learn.microsoft.com/en-us/dotnet/core/extensions/console-log-formatter>

use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms::{self, Said};

const EVENT: Known = Known::new("event_id", "event.code");

/// What stands behind the level.
struct Head<'a> {
    category: &'a str,
    event: &'a str,
    message: &'a str,
}

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (level, word, head) = match line.strip_prefix('<') {
        Some(rest) => by_severity(rest)?,
        None => {
            let (said, rest) = behind_time(line)?;
            if let Some(said) = said {
                sink.said(said)?;
            }
            by_word(rest)?
        }
    };
    sink.leveled(Some(level), word);
    sink.text(known::LOGGER, head.category);
    sink.text(EVENT, head.event);
    sink.message(head.message);
    Some(())
}

/// Whether such a `message` behind a time and the level `word`, as other loggers print them, is one of these lines.
pub(super) fn is_behind(word: &str, message: &str) -> bool {
    level(word).is_some() && head(message).is_some()
}

/// The time, if the line has one, and what follows it.
fn behind_time(line: &str) -> Option<(Option<Said>, &str)> {
    let (text, gap) = match line.as_bytes().first()? {
        b'[' => (line.strip_prefix('[')?, "] "),
        b'0'..=b'9' => (line, " "),
        _ => return Some((None, line)),
    };
    let (rest, said) = forms::iso(text).or_else(|_| forms::clock(text)).ok()?;
    Some((Some(said), rest.strip_prefix(gap)?))
}

fn level(word: &str) -> Option<Level> {
    Some(match word {
        "trce" => Level::Trace,
        "dbug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "fail" => Level::Error,
        "crit" => Level::Fatal,
        _ => return None,
    })
}

/// `fail: CATEGORY[EVENT]`
fn by_word(line: &str) -> Option<(Level, &str, Head<'_>)> {
    let (word, rest) = line.split_at_checked(4)?;
    Some((level(word)?, word, head(rest.strip_prefix(": ")?)?))
}

/// `3>CATEGORY[EVENT] MESSAGE`, which is one line always.
fn by_severity(line: &str) -> Option<(Level, &str, Head<'_>)> {
    let (word, rest) = line.split_once('>')?;
    let &[digit @ b'0'..=b'7'] = word.as_bytes() else { return None };
    let head = head(rest).filter(|head| !head.message.is_empty())?;
    Some((Level::of_severity(digit - b'0')?, word, head))
}

fn head(text: &str) -> Option<Head<'_>> {
    let (category, rest) = text.split_once('[')?;
    let (event, message) = rest.split_once(']')?;
    let is_full = category.contains('.');
    let is_category = is_full || category.starts_with(|first: char| first.is_ascii_uppercase());
    let is_event = !event.is_empty() && event.bytes().all(|byte| byte.is_ascii_digit());
    if category.contains(' ') || !is_category || !is_event {
        return None;
    }
    let message = match message {
        "" => message,
        message if is_full => message.strip_prefix(' ')?,
        _ => return None,
    };
    Some(Head { category, event, message })
}
