//! The keys of `[multiline]`, with their defaults.

use std::time::Duration;

use crate::units::ByteSize;

/// What lines that belong together may take while they wait for more, for all pipelines together.
#[derive(Clone, Debug, PartialEq)]
pub struct MultilineOptions {
    /// Bytes that may wait, in all.
    pub memory: ByteSize,
    /// Bytes of one event.
    pub event_bytes: ByteSize,
    /// Lines of one event.
    pub lines: u32,
    /// How long to wait for the next line.
    pub timeout: Duration,
}

impl Default for MultilineOptions {
    fn default() -> Self {
        Self {
            memory: ByteSize::mib(16),
            event_bytes: ByteSize::kib(512),
            lines: 2_000,
            timeout: Duration::from_secs(1),
        }
    }
}
