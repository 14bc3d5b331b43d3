//! Forebay takes logs in over the Fluentd forward protocol, turns each event into a document, and feeds
//! Elasticsearch or OpenSearch at the rate that it can take. What does not fit waits on disk.
//!
//! ```text
//!  docker, fluentd, fluent bit, loggers ──► input/forward ─┐
//!  files that are still being written ────► input/tail ────┤
//!                                                          ▼
//!      decode ──► parse ──► enrich ──► encode ──► buffer ──► output ──► Elasticsearch | OpenSearch | file
//!      msgpack    line to   fields     document   memory,    bulk,      │
//!      to event   fields               + action   spills     verdict    └─► dead letters (document + reason)
//!                                                 to disk    per item
//! ```
//!
//! Data goes one way. The only thing that comes back is a [`buffer::Receipt`]: "these documents are safe",
//! from which acks are sent. From the network buffer to the batch it is one synchronous pass over borrowed
//! bytes, run on the task that read them; from there on nothing is encoded again.
//!
//! The modules, in flow order; each stage owns its options, and no stage imports [`config`], which gathers them.

/// What every stage speaks of: an event, its time, its tag, its fields; all borrowed.
pub mod event;

/// Where events come from.
pub mod input;

/// Bytes of the forward protocol to events.
pub mod decode;

/// A line to fields.
pub mod parse;

/// The pipeline: ordered steps over a borrowed event, chosen by tag pattern.
pub mod enrich;

/// An event to an action line and a document.
pub mod encode;

/// Batches of encoded documents, in memory and on disk, and the promises about them.
pub mod buffer;

/// Where documents go.
pub mod output;

/// Health and metrics pages.
pub mod http;

/// What is counted, by every stage.
pub mod metrics;

/// Sizes and secrets, as options hold them.
pub mod units;

/// Regexes of the configuration.
mod pattern;

/// Directories that a power cut leaves where they are.
mod durable;

/// The daemon's own log.
pub mod log;

/// File, environment and secret files to each stage's own options.
pub mod config;

/// Configurations of Fluentd and Fluent Bit to Forebay's.
pub mod import;

/// The wiring, start to stop: the only file that names every stage.
pub mod daemon;

/// The commands.
pub mod cli;
