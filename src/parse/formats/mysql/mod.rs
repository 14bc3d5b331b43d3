//! MySQL and MariaDB: the error log, and in [`general`] the log of queries.
//!
//! `TIME THREAD [LEVEL] [CODE] [SUBSYSTEM] MESSAGE` is MySQL's since 8; without code and subsystem it is 5.7's and
//! MariaDB's. The images' entry point prints `TIME [LEVEL] [Entrypoint]: MESSAGE`. MariaDB's times are in the server's
//! own zone and do not say which. <https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html>,
//! <https://mariadb.com/kb/en/error-log/>

mod general;

use crate::parse::known::Known;
use crate::parse::level::Level;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

/// The thread of a connection, which SQL knows it by.
const THREAD: Known = Known::new("thread_id", "mysql.thread_id");
const CODE: Known = Known::new("code", "event.code");
const SUBSYSTEM: Known = Known::new("subsystem", "event.provider");
const COMMAND: Known = Known::new("command", "mysql.command");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    match line.as_bytes() {
        [b'\t', ..] | [_, _, _, _, _, _, b' ', ..] => general::read(line, sink),
        _ => error(line, sink).or_else(|| general::read(line, sink)),
    }
}

fn error<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let (thread, rest) = rest.strip_prefix(' ')?.split_once('[')?;
    let (level, message) = rest.split_once("] ")?;
    let level_on_scale = match level {
        "System" | "Note" => Level::Info,
        "Warning" | "Warn" => Level::Warn,
        "ERROR" | "Error" => Level::Error,
        _ => return None,
    };
    let thread = thread.trim_end_matches(' ');
    if thread.is_empty() != message.starts_with("[Entrypoint]")
        || !thread.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    sink.said(said)?;
    sink.leveled(Some(level_on_scale), level);
    sink.number(THREAD, thread);
    let message = coded(message, sink);
    sink.message(message);
    Some(())
}

/// `[MY-010116] [Server] `, `[Entrypoint]: `, or MariaDB's `InnoDB: `, which stays where it is.
fn coded<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) -> &'a str {
    if let Some((subsystem, message)) = text.strip_prefix('[').and_then(|rest| rest.split_once("]: "))
        && subsystem == "Entrypoint"
    {
        sink.text(SUBSYSTEM, subsystem);
        return message;
    }
    let coded = text.strip_prefix("[MY-").and_then(|_| text.strip_prefix('[')?.split_once("] ["));
    let Some((code, rest)) = coded else { return text };
    let Some((subsystem, message)) = rest.split_once("] ") else { return text };
    sink.text(CODE, code);
    sink.text(SUBSYSTEM, subsystem);
    message
}
