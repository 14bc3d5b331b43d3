//! File, environment and secret files to each stage's own options.

use std::path::PathBuf;
use std::time::Duration;

use crate::buffer::BufferOptions;
use crate::enrich::{PartialOptions, PipelineOptions};
use crate::http::HttpOptions;
use crate::input::forward::ForwardOptions;
use crate::output::{DeadLetterOptions, ElasticsearchOptions, FileOptions};

/// All options, gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the buffer, the dead letters and the file output live.
    pub data_dir: PathBuf,
    /// How long a stop may take before it is cut short, naming who is still busy.
    pub stop_timeout: Duration,
    /// `[[forward]]`
    pub forward: Vec<ForwardOptions>,
    /// `[[pipeline]]`
    pub pipelines: Vec<PipelineOptions>,
    /// `[partial]`
    pub partial: PartialOptions,
    /// `[buffer]`
    pub buffer: BufferOptions,
    /// `[elasticsearch]`
    pub elasticsearch: ElasticsearchOptions,
    /// `[file]`
    pub file: FileOptions,
    /// `[dead_letters]`
    pub dead_letters: DeadLetterOptions,
    /// `[http]`
    pub http: HttpOptions,
    /// `[log]`
    pub log: LogOptions,
}

/// The `[log]` table: the daemon's own log, on standard error.
#[derive(Clone, Debug, PartialEq)]
pub struct LogOptions {
    /// `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,forebay::output=debug`.
    pub level: String,
    /// Lines for people, or JSON.
    pub format: LogFormat,
}

/// How the daemon's own log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Text,
    /// A JSON object a line.
    Json,
}
