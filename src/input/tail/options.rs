//! The keys of a `[[tail]]`, with their defaults.

use std::time::Duration;

use crate::input::file::{Encoding, PATH_FIELD};
use crate::units::ByteSize;

/// A `[[tail]]` table: files that are followed.
#[derive(Clone, Debug, PartialEq)]
pub struct TailOptions {
    /// Patterns of their paths.
    pub paths: Vec<String>,
    /// Patterns of those that are left out.
    pub exclude: Vec<String>,
    /// The tag of their events, in which `{name}` and `{path}` stand for the file's; empty for one made of the file's identity.
    pub tag: String,
    /// The field that takes the file's path; empty for none.
    pub path_field: String,
    /// Where reading begins in files that are there when the table is new.
    pub start: Start,
    /// What files without a byte order mark are written in.
    pub encoding: Encoding,
    /// The longest that a line may be.
    pub line_bytes: ByteSize,
    /// How often files are looked at where the system tells of no changes.
    pub poll: Duration,
    /// How long one that is gone or has another name is followed after it grew last.
    pub rotate_wait: Duration,
    /// Files that rest for so long are closed until they grow.
    pub close_idle: Duration,
}

impl Default for TailOptions {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            exclude: Vec::new(),
            tag: String::new(),
            path_field: PATH_FIELD.to_owned(),
            start: Start::Beginning,
            encoding: Encoding::Utf8,
            line_bytes: ByteSize::mib(1),
            poll: Duration::from_secs(1),
            rotate_wait: Duration::from_secs(30),
            close_idle: Duration::from_secs(300),
        }
    }
}

/// Where reading begins in files that are there when the table is new. Files that come later are read from their beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// All that they hold is read.
    #[default]
    Beginning,
    /// What is written from then on.
    End,
}
