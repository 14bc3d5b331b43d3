//! The forward protocol's server side.

mod options;

pub use options::{ForwardOptions, LimitOptions};
