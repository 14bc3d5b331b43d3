//! What the loggers of Java, Python, Node and Rust print as text: a time and a level, in one of their usual layouts.
//!
//! The layouts of different loggers are the same too often to tell these apart — Hadoop's Log4j and Python have `TIME
//! LEVEL LOGGER: MESSAGE` — so they are one format. [`timed`], [`bracketed`] and [`leading`] have the layouts by what the
//! line begins with, [`origin`] what says where in a program it comes from.
//! <https://logging.apache.org/log4j/2.x/manual/pattern-layout.html>, <https://logback.qos.ch/manual/layouts.html>,
//! <https://docs.python.org/3/library/logging.html#logrecord-attributes>, <https://loguru.readthedocs.io>,
//! <https://docs.celeryq.dev/en/stable/userguide/configuration.html#logging>,
//! <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/format>
//!
//! A layout is the user's choice, so what is not surely a thread or a logger stays in the message. Unsure, and therefore
//! left: a level without a time, but for `LEVEL:LOGGER:MESSAGE`, which is Python's without configuration; a date with
//! slashes, which Go prints, but for Spark's.

mod bracketed;
mod leading;
mod levels;
mod origin;
#[cfg(test)]
mod tests;
mod timed;

use super::{console, dotnet};
use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::time::forms::Said;

/// Log4j's nested context and Logback's mapped one, in the line's own text.
const CONTEXT: Known = Known::new("context", "log4j.context");
/// Milliseconds since the program began.
const ELAPSED: Known = Known::new("elapsed_ms", "log4j.elapsed_ms");
/// Which server of an ensemble.
const MYID: Known = Known::new("myid", "zookeeper.myid");
/// Python's, which is a file's name without its end.
const MODULE: Known = Known::new("module", "python.module");

/// What a line says, as far as its layout tells; empty is none.
#[derive(Default)]
struct Parts<'a> {
    said: Option<Said>,
    elapsed: &'a str,
    level: &'a str,
    thread: &'a str,
    thread_id: &'a str,
    program: &'a str,
    pid: &'a str,
    module: &'a str,
    myid: &'a str,
    logger: &'a str,
    file: &'a str,
    line: &'a str,
    function: &'a str,
    context: &'a str,
    message: &'a str,
}

/// A line in one of the layouts.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let parts = match line.as_bytes().first()? {
        b'[' => bracketed::read(line)?,
        b'0'..=b'9' => timed::read(line, sink.about)?,
        b'A'..=b'Z' => leading::read(line)?,
        _ => return None,
    };
    if is_of_another(&parts) || is_of_console(line, sink) { None } else { parts.put(sink) }
}

/// Whether it is in a layout for terminals, which says more than this one finds: no line is to be of two formats.
fn is_of_console<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> bool {
    console::may_be(line) && sink.would(|sink| console::read(line, sink))
}

/// Whether what follows time and level is of a format that says more there: Spring Boot's `PID --- [`, RabbitMQ's
/// `<PROCESS>`, MySQL's entry point, or .NET's category.
fn is_of_another(parts: &Parts<'_>) -> bool {
    let message = parts.message;
    match message.as_bytes().first() {
        Some(b'<') => message.split_once('>').is_some_and(|(process, _)| {
            process.len() > 1 && process.bytes().skip(1).all(|byte| byte.is_ascii_digit() || byte == b'.')
        }),
        Some(b'[' | b'0'..=b'9') => {
            let pid = message.split_once(" --- [").and_then(|(head, _)| head.rsplit(' ').next());
            pid.is_some_and(origin::is_digits) || message.starts_with("[Entrypoint]")
        }
        Some(b'A'..=b'Z' | b'a'..=b'z') => dotnet::is_behind(parts.level, message),
        _ => false,
    }
}

impl<'a> Parts<'a> {
    fn put(self, sink: &mut Sink<'_, 'a>) -> Option<()> {
        if let Some(said) = self.said {
            sink.said(said)?;
        }
        sink.leveled(levels::scaled(self.level), self.level);
        sink.number(ELAPSED, self.elapsed);
        sink.number(known::PID, self.pid);
        sink.text(known::PROGRAM, self.program);
        sink.text(known::THREAD, self.thread);
        sink.number(known::THREAD_ID, self.thread_id);
        sink.text(MYID, self.myid);
        sink.text(known::LOGGER, self.logger);
        sink.text(MODULE, self.module);
        sink.text(known::FILE, self.file);
        sink.number(known::LINE, self.line);
        sink.text(known::FUNCTION, self.function);
        sink.text(CONTEXT, self.context);
        sink.message(self.message);
        Some(())
    }
}
