//! The log's keys, with their defaults.

/// The `[log]` table: the daemon's own log, on standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct LogOptions {
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,forebay::output=debug`.
    pub level: String,
    /// Lines for people, or JSON.
    pub format: LogFormat,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// How the daemon's own log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Text,
    /// A JSON object a line.
    Json,
}
