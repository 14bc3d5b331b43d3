//! Why a daemon, or a part of one, ended otherwise than by being told to.

use std::path::PathBuf;

use crate::buffer::OpenError;
use crate::enrich::PipelineError;
use crate::input::forward::ListenError;
use crate::input::tail::TailError;
use crate::output::OutputError;
use crate::output::dead_letters::ReplayError;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Signals cannot be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    /// A forward address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Files that are followed.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The address for health and metrics.
    #[error("cannot listen on {address} for health and metrics: {error}")]
    HttpListen {
        /// As configured.
        address: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The pipelines.
    #[error(transparent)]
    Pipelines(#[from] PipelineError),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The buffer's directory.
    #[error(transparent)]
    Buffer(#[from] OpenError),
    /// Dead letters that were to be sent again.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// How far files have been read is not known.
    #[error("{path}: {fault}")]
    Progress {
        /// Where it is kept.
        path: PathBuf,
        /// What the system said.
        fault: std::io::Error,
    },
    /// A thread that reads files.
    #[error("cannot start a reader: {fault}")]
    Reader {
        /// What the system said.
        fault: std::io::Error,
    },
    /// Events that could neither be delivered nor spilled.
    #[error("{events} events were lost while stopping: {why}")]
    Lost {
        /// How many.
        events: u64,
        /// What kept them from being spilled.
        why: String,
    },
}

impl Error {
    /// Whether a change of configuration mends it.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Pipelines(_) => true,
            Self::Listen(error) => error.is_configuration(),
            Self::Output(error) => error.is_configuration(),
            _ => false,
        }
    }
}
