//! `forebay run`: the daemon, on a runtime with a thread for each core.

use tokio::runtime::{Builder, Runtime};

use super::{Exit, complain};
use crate::config::Config;
use crate::{daemon, log};

/// Runs the daemon until it ends.
pub(super) fn run(config: Config) -> Exit {
    if let Err(error) = log::init(&config.log) {
        complain(&format!("cannot set up the log: {error}"));
        return Exit::Failed;
    }
    let runtime = match Builder::new_multi_thread().enable_all().thread_name("forebay").build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start threads");
            return Exit::Failed;
        }
    };
    drive(runtime, config)
}

fn drive(runtime: Runtime, config: Config) -> Exit {
    let ended = runtime.block_on(daemon::run(config));
    // The daemon kept its own deadline. Waiting here for a thread that hangs in a system call would break it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => Exit::Clean,
        Err(error) => {
            tracing::error!(%error, "forebay failed");
            Exit::Failed
        }
    }
}
