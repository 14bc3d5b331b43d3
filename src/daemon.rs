//! The wiring, start to stop: the only file that names every stage.

use crate::config::Config;

/// Why the daemon ended otherwise than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This build has commands and pages, but no stages between them.
    #[error("the stages are not wired in this build")]
    NotWired,
}

/// Runs until a signal.
pub async fn run(_config: Config) -> Result<(), Error> {
    Err(Error::NotWired)
}
