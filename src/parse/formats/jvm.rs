//! Java's unified logging, which its garbage collector logs by: `[DECORATION]… MESSAGE`.
//!
//! Decorations come in one order — time, uptime, …, pid, tid, level, tags — and are there as configured; the default is
//! uptime, level and tags. Read here are lines that begin with a time or an uptime in seconds and end in tags, with a
//! level, or at least a process, before them. <https://openjdk.org/jeps/158>,
//! <https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html>

use crate::parse::known::{self, Known};
use crate::parse::sink::{Sink, is_json_number};
use crate::parse::time::forms::{self, Said};

const UPTIME: Known = Known::new("uptime", "jvm.uptime");
const TAGS: Known = Known::new("tags", "jvm.tags");

/// More decorations than there are.
const DECORATIONS: usize = 12;

pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    let mut rest = when(line, sink)?;
    let (mut ids, mut has_level) = ([known::PID, known::THREAD_ID].into_iter(), false);
    for _ in 0..DECORATIONS {
        let (padded, behind) = rest.strip_prefix('[')?.split_once(']')?;
        let decoration = padded.trim_end_matches(' ');
        if is_level(decoration) && !has_level {
            sink.level(decoration);
            has_level = true;
        } else if has(decoration, |byte| byte.is_ascii_digit()) {
            sink.number(ids.next()?, decoration);
        } else if let Some(uptime) = uptime(decoration) {
            sink.number(UPTIME, uptime);
        } else if has(decoration, |byte| byte.is_ascii_lowercase() || byte == b',') {
            sink.text(TAGS, decoration);
            sink.message(behind.strip_prefix(' ').unwrap_or(behind));
            return (has_level || ids.len() < 2).then_some(());
        } else {
            return None;
        }
        rest = behind;
    }
    None
}

/// The first decoration.
fn when<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<&'a str> {
    let (decoration, rest) = line.strip_prefix('[')?.split_once(']')?;
    // Envoy's own log has the same brackets, and a time without an offset.
    if let Ok(("", said @ Said { offset: Some(_), .. })) = forms::iso(decoration) {
        sink.said(said)?;
    } else {
        sink.number(UPTIME, uptime(decoration)?);
    }
    Some(rest)
}

/// `12.345s`.
fn uptime(decoration: &str) -> Option<&str> {
    decoration.strip_suffix('s').filter(|seconds| seconds.contains('.') && is_json_number(seconds))
}

fn is_level(text: &str) -> bool {
    matches!(text, "trace" | "debug" | "info" | "warning" | "error")
}

fn has(text: &str, each: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(each)
}
