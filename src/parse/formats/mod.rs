//! The grammars, one format or family a file. Each reads a whole line into a [`Sink`](super::sink::Sink), or says that the line
//! is of another format; see the table in [`format`](super::format).

pub(super) mod access;
mod flat;
pub(super) mod json;

pub use json::{BorrowedName, NotJson, json_object};
