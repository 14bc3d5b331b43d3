//! Where documents go: Elasticsearch or OpenSearch, or files; and where those go that the target will never take.
//!
//! An output takes deliveries and says of each that it is delivered, or lets it go back to the queue. It counts what it
//! did only with that word, so that the books balance at every moment.

mod compress;
pub mod dead_letters;
mod document;
pub mod elasticsearch;
mod error;
pub mod file;
mod health;
mod options;
mod refused;
mod rehearsal;
mod rotate;
mod standard;

use tokio_util::sync::CancellationToken;

use crate::buffer::Delivery;

pub use dead_letters::DeadLetters;
pub(crate) use dead_letters::{Stored as StoredLetter, destination, settled_places as settled_letters};
pub use error::OutputError;
pub use health::{Finding, NodeHealth, TargetHealth};
pub use options::{
    Auth, ClientCertificate, Compression, DeadLetterOptions, ElasticsearchOptions, FileOptions,
};
pub use refused::{Original, Refused};
pub use rehearsal::{Expected, Rehearsal};
pub use standard::StandardOutput;

/// The output that the configuration names.
pub enum Output {
    /// Bulk requests.
    Elasticsearch(elasticsearch::Elasticsearch),
    /// Rotated files.
    File(file::FileOutput),
    /// Lines on standard output.
    Standard(StandardOutput),
    /// Nowhere.
    Rehearsal(Rehearsal),
}

impl Output {
    /// Takes deliveries from `next` until it answers None or `stop` is cancelled; then finishes what is under way, or
    /// drops it, which returns it to the queue. `next` is dropped unfinished on a stop, never otherwise.
    pub async fn run<N>(&self, next: impl FnMut() -> N, stop: CancellationToken)
    where
        N: Future<Output = Option<Delivery>>,
    {
        match self {
            Self::Elasticsearch(target) => target.run(next, stop).await,
            Self::File(file) => file.run(next, stop).await,
            Self::Standard(standard) => standard.run(next, stop).await,
            Self::Rehearsal(rehearsal) => rehearsal.run(stop).await,
        }
    }

    /// Whether documents leave, and why not.
    pub fn health(&self) -> TargetHealth {
        match self {
            Self::Elasticsearch(target) => target.health(),
            Self::File(file) => file.health(),
            Self::Standard(standard) => standard.health(),
            Self::Rehearsal(rehearsal) => rehearsal.health(),
        }
    }
}
