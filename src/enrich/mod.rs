//! The pipeline: ordered steps over a borrowed event, chosen by tag pattern.

mod options;

pub use options::{Parse, PartialOptions, PipelineOptions};
