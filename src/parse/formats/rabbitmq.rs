//! RabbitMQ: `TIME [LEVEL] <PROCESS> MESSAGE`, the process being Erlang's.
//!
//! Each line of an event has all of it; continuations have the same time and process.
//! <https://www.rabbitmq.com/docs/logging>

use crate::parse::known::Known;
use crate::parse::sink::Sink;
use crate::parse::time::forms;

const PROCESS: Known = Known::new("process", "rabbitmq.log.pid");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let (level, rest) = rest.strip_prefix(" [")?.split_once("] <")?;
    let (process, message) = rest.split_once('>')?;
    let is_process = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !is_process || !level.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    sink.said(said)?;
    sink.level(level);
    sink.text(PROCESS, process);
    sink.message(message.strip_prefix(' ').unwrap_or(message));
    Some(())
}
