//! Redis and Valkey: `PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL MESSAGE`.
//!
//! The role is `X` sentinel, `C` child, `S` replica, `M` primary; the level `.` debug, `-` verbose, `*` notice, `#`
//! warning. Redis has no level above a warning.
//! <https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/> (`loglevel`), and `serverLogRaw` in the
//! source for the layout.

use crate::parse::known::{self, Known};
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token;

const ROLE: Known = Known::new("role", "redis.log.role");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, pid) = token::digits(line).ok()?;
    let (role, rest) = rest.strip_prefix(':')?.split_once(' ')?;
    let (rest, said) = forms::rfc2822(rest).ok()?;
    let (letter, message) = rest.strip_prefix(' ')?.split_at_checked(1)?;
    let level = match letter {
        "." | "-" => Level::Debug,
        "*" => Level::Info,
        "#" => Level::Warn,
        _ => return None,
    };
    if !matches!(role, "X" | "C" | "S" | "M") {
        return None;
    }
    sink.said(said)?;
    sink.leveled(Some(level), letter);
    sink.number(known::PID, pid);
    sink.text(ROLE, role);
    sink.message(message.strip_prefix(' ').unwrap_or(message));
    Some(())
}
