//! Health and metrics pages: `/health/live`, `/health/ready`, `/health`, `/metrics`.
//!
//! The pages only read: what they show is asked of the daemon when a request comes, through one
//! [`Source`](crate::http::Source), and nothing here can hold up the path. Connections, and the time that each may
//! take, are bounded.

mod gauges;
mod options;
mod pages;
mod process;
mod serve;
mod status;

pub use gauges::Gauges;
pub use options::HttpOptions;
pub use serve::serve;
pub use status::{BufferReading, Check, DiskReading, Reading, Source, Status, TailReading, TargetReading};
