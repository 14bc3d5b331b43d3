//! .NET's console logger: `fail: CATEGORY[EVENT]`, with the message on the lines below, or behind it where it is told to print
//! single lines.
//!
//! A category is the full name of a class, or begins with a capital, so that no prose is one.
//! <https://learn.microsoft.com/en-us/dotnet/core/extensions/console-log-formatter>

use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;

const EVENT: Known = Known::new("event_id", "event.code");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (word, rest) = line.split_at_checked(4)?;
    let level = match word {
        "trce" => Level::Trace,
        "dbug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "fail" => Level::Error,
        "crit" => Level::Fatal,
        _ => return None,
    };
    let (category, rest) = rest.strip_prefix(": ")?.split_once('[')?;
    let (event, message) = rest.split_once(']')?;
    let is_full = category.contains('.');
    let is_category = is_full || category.starts_with(|first: char| first.is_ascii_uppercase());
    let is_event = !event.is_empty() && event.bytes().all(|byte| byte.is_ascii_digit());
    if category.contains(' ') || !is_category || !is_event {
        return None;
    }
    sink.leveled(Some(level), word);
    sink.text(known::LOGGER, category);
    sink.text(EVENT, event);
    match message {
        "" => sink.message(message),
        message if is_full => sink.message(message.strip_prefix(' ')?),
        _ => return None,
    }
    Some(())
}
