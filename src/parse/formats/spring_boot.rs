//! Spring Boot's console: `TIME  LEVEL PID --- [APPLICATION] [THREAD] LOGGER : MESSAGE`.
//!
//! 2 prints the time without an offset, 3 with one; the application's name is there since 3.2 where it is set.
//! Correlation ids of Micrometer, `[trace-span]`, stand behind the thread since 3; before, those of Sleuth,
//! `[application,trace,span]`, before the process.
//! <https://docs.spring.io/spring-boot/reference/features/logging.html#features.logging.log-format>

use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::time::forms;

/// Micrometer's ids where they are not the usual two.
const CORRELATION: Known = Known::new("correlation", "labels.correlation");

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let (rest, said) = forms::iso(line).ok()?;
    let rest = rest.strip_prefix(' ')?.trim_start_matches(' ');
    let (level, rest) = rest.split_once(' ')?;
    let (pid, rest) = rest.split_once(" --- [")?;
    let (sleuth, pid) = sleuth(pid.trim_start_matches(' '));
    // The logger's name, padded, ends in ` : `; a thread's name has no such colon.
    let (head, message) = rest.split_once(" : ")?;
    let (brackets, logger) = brackets(head)?;
    if !level.bytes().all(|byte| byte.is_ascii_uppercase()) || !pid.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    sink.said(said)?;
    sink.level(level);
    sink.number(known::PID, pid);
    for (known, text) in [known::SERVICE, known::TRACE_ID, known::SPAN_ID].into_iter().zip(sleuth.split(','))
    {
        sink.text(known, text);
    }
    named(brackets, sink);
    sink.text(known::LOGGER, logger);
    sink.message(message);
    Some(())
}

/// Sleuth's ids, without their brackets, and the process.
fn sleuth(text: &str) -> (&str, &str) {
    text.strip_prefix('[').and_then(|inside| inside.split_once("] ")).unwrap_or(("", text))
}

/// `a] [b] [c` before a logger's name, which may have brackets of its own, but no blank before them.
fn brackets(head: &str) -> Option<(&str, &str)> {
    let head = head.trim_end_matches(' ');
    let (brackets, logger) = head.rsplit_once("] ")?;
    Some((brackets, logger.trim_start_matches(' ')))
}

/// What the brackets are by how many there are.
fn named<'a>(brackets: &'a str, sink: &mut Sink<'_, 'a>) {
    let mut pieces = brackets.split("] [");
    match (pieces.next(), pieces.next(), pieces.next(), pieces.next()) {
        (Some(thread), None, ..) => thread_name(thread, sink),
        (Some(first), Some(second), None, _) if is_ids(second) => {
            thread_name(first, sink);
            ids(second, sink);
        }
        (Some(service), Some(thread), None, _) => {
            sink.text(known::SERVICE, service);
            thread_name(thread, sink);
        }
        (Some(service), Some(thread), Some(correlation), None) => {
            sink.text(known::SERVICE, service);
            thread_name(thread, sink);
            ids(correlation, sink);
        }
        _ => thread_name(brackets, sink),
    }
}

fn thread_name<'a>(padded: &'a str, sink: &mut Sink<'_, 'a>) {
    sink.text(known::THREAD, padded.trim_matches(' '));
}

/// Whether it is a trace's and a span's id, `TRACE-SPAN`, or the blanks in their place.
fn is_ids(text: &str) -> bool {
    let trimmed = text.trim_matches(' ');
    let is_id = |id: &str| id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (trimmed.is_empty() && text.len() > 16)
        || trimmed.split_once('-').is_some_and(|(trace, span)| is_id(trace) && is_id(span))
}

fn ids<'a>(text: &'a str, sink: &mut Sink<'_, 'a>) {
    match text.trim_matches(' ').split_once('-').filter(|_| is_ids(text)) {
        Some((trace, span)) => {
            sink.text(known::TRACE_ID, trace);
            sink.text(known::SPAN_ID, span);
        }
        None => sink.text(CORRELATION, text.trim_matches(' ')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bracket_ends_before_the_logger() {
        assert_eq!(brackets("           main] c.e.Boot      "), Some(("           main", "c.e.Boot")));
        assert_eq!(brackets("a] [worker[3]] o.a.c.C.[x].[/] "), Some(("a] [worker[3]", "o.a.c.C.[x].[/]")));
        assert_eq!(brackets("main"), None);
    }

    #[test]
    fn ids_are_hexadecimal_or_blank() {
        assert!(is_ids("803b448a0489f84084905d3093480352-3425f23bb2432450"));
        assert!(is_ids("                                                 "));
        assert!(!is_ids("           main") && !is_ids("") && !is_ids("http-nio-8080-exec-1"));
    }
}
