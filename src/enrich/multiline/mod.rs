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
mod options;
mod rules;
mod trace;

pub(super) use gather::Piece;
pub use gather::{Gathered, Gatherer};
pub use options::MultilineOptions;
pub use rules::Multiline;
pub(super) use rules::Rules;

/// Whether lines behind a first one are a trace: they begin one, or are indented.
pub(super) fn is_trace(lines: &str) -> bool {
    lines.starts_with([' ', '\t'])
        || trace::Trace::begun_by(lines.lines().next().unwrap_or_default().as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
