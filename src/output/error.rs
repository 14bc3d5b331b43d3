//! Why an output could not be set up: each text names the key, and the path or host, that is wrong.

use std::io;
use std::path::PathBuf;

/// What keeps an output from starting.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// No node is named.
    #[error("`elasticsearch.hosts` is empty: name at least one node, such as \"http://127.0.0.1:9200\"")]
    NoHosts,
    /// A URL that is none of ours.
    #[error("`elasticsearch.hosts`: `{url}` {why}")]
    Host {
        /// The URL, without credentials.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file that a key names cannot be read.
    #[error("`{key}`: cannot read {}: {source}", path.display())]
    Read {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that a key names does not hold what it should.
    #[error("`{key}`: {} does not hold {what}", path.display())]
    Content {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A secret that cannot be sent in a header. The secret itself is not shown.
    #[error("`{key}` {why}")]
    Secret {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A folder that cannot be made or written.
    #[error("`{key}`: cannot use the folder {}: {source}", path.display())]
    Folder {
        /// The key.
        key: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The HTTP client could not be built.
    #[error("cannot set up the client for {url}: {why}")]
    Client {
        /// The node, without credentials.
        url: String,
        /// What is wrong.
        why: String,
    },
}

impl OutputError {
    /// Whether a change of configuration mends it, as against one of the machine.
    pub fn is_configuration(&self) -> bool {
        !matches!(self, Self::Folder { .. } | Self::Client { .. })
    }
}
