//! Where documents go.

mod options;

pub use options::{
    Auth, ClientCertificate, Compression, DeadLetterOptions, ElasticsearchOptions, FileOptions,
};
