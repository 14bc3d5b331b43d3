//! Many lines, one event: stack traces and other lines that go on with the one before, put together per stream.
//!
//! Promises: a container's stdout and stderr never mix; what waits is bounded in lines, bytes and time, and in memory over all
//! streams; what goes beyond leaves, marked `multiline_incomplete`, and what follows is an event of its own. The first line
//! gives the event its time, its id and its record. A line whose sender wants an ack is kept on disk before it is acked,
//! as parts of docker's lines are, and one that is sent again after its event has left is nothing new.
//!
//! Only a line that may go on waits: one that begins a trace, a warning or an error, or what the pipeline's own patterns say. All
//! others pass without a lock as long as nothing of their shard waits, so that a healthy stream pays a look at a byte.

mod gather;
mod look;
mod options;
mod postgresql;
mod rules;
mod trace;

pub(super) use gather::Piece;
pub use gather::{Gathered, Gatherer};
pub use options::MultilineOptions;
pub use rules::Multiline;
pub(super) use rules::Rules;

/// How far .NET's console logger indents.
const DOTNET: &str = "      ";

/// The lines behind a first one: what goes on with its message, and the trace from the line on that begins it.
pub(super) fn message_and_trace(lines: &str) -> (&str, &str) {
    let ends = lines.split_inclusive('\n').scan(0, |end, line| {
        let begin = *end;
        *end += line.len();
        Some((begin, line))
    });
    // .NET's console logger indents all that is below its head.
    let indent = if lines.starts_with(DOTNET) { DOTNET } else { "" };
    let is_begin = |line: &str| {
        let line = line.trim_end_matches(['\r', '\n']);
        let line = line.strip_prefix(indent).unwrap_or(line);
        // PHP's frames have a head of their own.
        line == "Stack trace:" || trace::Trace::begun_by(line.as_bytes()).is_some()
    };
    let begin = { ends }.find(|(_, line)| is_begin(line)).map_or(lines.len(), |(begin, _)| begin);
    lines.split_at_checked(begin).unwrap_or((lines, ""))
}

#[cfg(test)]
mod tests;
