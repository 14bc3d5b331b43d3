//! The daemon's own log: lines on standard error, for people or as JSON.
//!
//! ERROR: data was or will be lost. WARN: nothing was lost, but someone should look. INFO: life-cycle. DEBUG: per
//! connection. A line holds no payload and no secret; what could repeat without end goes through [`RateLimited`].

mod options;
mod rate;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

pub use options::{LogFormat, LogOptions};
pub use rate::RateLimited;

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is no filter.
    #[error("log.level is not a filter: {0}")]
    Level(#[from] ParseError),
    /// There is a log already.
    #[error("the log is set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sends everything that is logged from here on to standard error. Once in a process.
pub fn init(options: &LogOptions) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&options.level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match options.format {
        LogFormat::Text => builder.with_ansi(wants_colour()).finish().try_init()?,
        LogFormat::Json => builder.json().with_current_span(false).finish().try_init()?,
    }
    Ok(())
}

/// A terminal gets colour, unless its user asked for none.
fn wants_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
