//! The pipelines' keys, with their defaults.

use std::time::Duration;

use super::Multiline;
use super::steps::StepOptions;
use crate::parse::{Parse, Schema, Zone};
use crate::units::ByteSize;

/// A `[[pipeline]]` table. The first whose pattern matches a tag takes its events; the defaults take the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineOptions {
    /// Which tags: `*`, `**`, `{a,b}` as Fluentd matches them.
    pub pattern: String,
    /// How the line is read.
    pub parse: Parse,
    /// Which names recognised fields get.
    pub schema: Schema,
    /// The zone of times that name none.
    pub timezone: Zone,
    /// Which lines belong together.
    pub multiline: Multiline,
    /// The field that takes the level as it was said, if any.
    pub original_level_field: Option<String>,
    /// Fields with a fixed text, added where the event has none of that name.
    pub fields: Vec<(String, String)>,
    /// The field that takes this host's name, if any.
    pub host_field: Option<String>,
    /// The field that takes the event's tag, if any.
    pub tag_field: Option<String>,
    /// The index for these tags, in place of `elasticsearch.index`.
    pub index: Option<String>,
    /// Whether docker's parts of long lines are joined.
    pub join_partial: bool,
    /// What is done to the events, in order.
    pub steps: Vec<StepOptions>,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            pattern: "**".into(),
            parse: Parse::Auto,
            schema: Schema::Plain,
            timezone: Zone::Utc,
            multiline: Multiline::Traces,
            original_level_field: None,
            fields: Vec::new(),
            host_field: None,
            tag_field: Some("tag".into()),
            index: None,
            join_partial: true,
            steps: Vec::new(),
        }
    }
}

/// The `[partial]` table: joining the parts that docker makes of a line over 16 KiB.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialOptions {
    /// Bytes of parts that may wait, in all.
    pub memory: ByteSize,
    /// Bytes of one line; what has come is emitted, marked, beyond that.
    pub line_bytes: ByteSize,
    /// How long to wait for the next part.
    pub timeout: Duration,
}

impl Default for PartialOptions {
    fn default() -> Self {
        Self { memory: ByteSize::mib(32), line_bytes: ByteSize::mib(4), timeout: Duration::from_secs(30) }
    }
}
