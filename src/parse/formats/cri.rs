//! Lines of containerd and CRI-O on a node's disk: `TIME STREAM TAGS LINE`.
//!
//! The time is RFC 3339 with nanoseconds, the stream `stdout` or `stderr`; the first of the tags, parted by colons, is `F` for a full
//! line and `P` for a part of one. The line inside is read in the format that it has; a part of a line is none, and is
//! marked. <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>

use nom::Parser;

use crate::event::Value;
use crate::parse::known::{self, Known};
use crate::parse::sink::Sink;
use crate::parse::time::forms;
use crate::parse::token::{byte, until};

/// Docker's own name for what it is.
pub(super) const PARTIAL: Known = Known::new("partial_message", "partial_message");

/// A whole line of the file.
pub(in crate::parse) fn read<'a>(line: &'a str, sink: &mut Sink<'_, 'a>) -> Option<()> {
    // The cheapest difference to the many other lines that begin with such a time.
    (line.as_bytes().get(10) == Some(&b'T')).then_some(())?;
    let (rest, said) = forms::iso(line).ok()?;
    let (rest, ()) = byte(b' ').parse_complete(rest).ok()?;
    let (rest, stream) = until(b' ').parse_complete(rest).ok()?;
    let (tags, inner) = rest.split_once(' ').unwrap_or((rest, ""));
    said.offset.filter(|_| matches!(stream, "stdout" | "stderr"))?;
    let is_part = match tags.split(':').next() {
        Some("F") => false,
        Some("P") => true,
        _ => return None,
    };
    sink.said(said)?;
    sink.text(known::STREAM, stream);
    if is_part {
        sink.value(PARTIAL, Value::Bool(true));
        sink.message(inner);
    } else {
        sink.wraps(inner);
    }
    Some(())
}
