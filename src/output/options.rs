//! The outputs' keys, with their defaults.

use std::path::PathBuf;
use std::time::Duration;

use crate::units::{ByteSize, Secret};

/// The `[elasticsearch]` table. Without `hosts` the file output is used instead.
#[derive(Clone, Debug, PartialEq)]
pub struct ElasticsearchOptions {
    /// Nodes, as `http://` or `https://` URLs.
    pub hosts: Vec<url::Url>,
    /// The index or data stream of each document: text with `{tag}`, `{field.path}` and strftime of the event's time.
    pub index: String,
    /// Where a document goes when a field that `index` names is missing.
    pub index_fallback: String,
    /// How `hosts` want to be spoken to.
    pub auth: Auth,
    /// A file of PEM certificates of the authorities that sign the nodes' certificates, trusted beside Mozilla's, which
    /// are built in.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate chain and key, PEM.
    pub client_certificate: Option<ClientCertificate>,
    /// The name that the nodes' certificates carry, where it is not the host's.
    pub server_name: Option<String>,
    /// False accepts any certificate. Said loudly at every start.
    pub verify: bool,
    /// How bodies are compressed.
    pub compression: Compression,
    /// From the start of a bulk request to the end of its answer.
    pub request_timeout: Duration,
    /// Bulk requests that are under way at once, at most.
    pub max_concurrency: usize,
    /// The first pause after a failure; it doubles, with jitter…
    pub retry_min: Duration,
    /// …up to this.
    pub retry_max: Duration,
    /// Whether to install an index template where none matches.
    pub install_template: bool,
    /// Whether to ask the cluster for its other nodes.
    pub sniff: bool,
    /// Whether a document that is refused for a field is tried once more with that field as text.
    pub heal: bool,
    /// New fields that healing may add to one index, those among them that it had added before the start.
    pub heal_fields: usize,
}

/// Credentials, one kind at a time.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Auth {
    /// None.
    #[default]
    None,
    /// `username` and `password`.
    Basic {
        /// Who.
        username: String,
        /// The password.
        password: Secret,
    },
    /// `api_key`: `id:key`, or its base64 form as Kibana shows it.
    ApiKey(Secret),
    /// `bearer_token`.
    Bearer(Secret),
}

/// `client_certificate` and `client_key`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientCertificate {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all: cheapest for both where the network is not the limit.
    #[default]
    None,
    /// gzip, level 1.
    Gzip,
    /// zstd, level 1.
    Zstd,
}

impl Default for ElasticsearchOptions {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            index: "logs-{tag}-default".into(),
            index_fallback: "logs-forebay-default".into(),
            auth: Auth::None,
            ca_file: None,
            client_certificate: None,
            server_name: None,
            verify: true,
            compression: Compression::None,
            request_timeout: Duration::from_secs(30),
            max_concurrency: 4,
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            install_template: true,
            sniff: false,
            heal: false,
            heal_fields: 200,
        }
    }
}

/// The `[file]` table: documents as rotated, compressed NDJSON; used where no Elasticsearch is configured.
#[derive(Clone, Debug, PartialEq)]
pub struct FileOptions {
    /// The folder; `documents` in the data directory where unset.
    pub directory: Option<PathBuf>,
    /// How files are compressed.
    pub compression: Compression,
    /// A file is closed at this size (before compression)…
    pub rotate_bytes: ByteSize,
    /// …or at this age.
    pub rotate_age: Duration,
    /// The oldest files are deleted beyond this much; 0 keeps all.
    pub keep: ByteSize,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            directory: None,
            compression: Compression::Zstd,
            rotate_bytes: ByteSize::mib(64),
            rotate_age: Duration::from_secs(3600),
            keep: ByteSize(0),
        }
    }
}

/// The `[dead_letters]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterOptions {
    /// The folder; `dead-letters` in the data directory where unset.
    pub directory: Option<PathBuf>,
    /// A file is closed at this size.
    pub rotate_bytes: ByteSize,
    /// The oldest files are deleted beyond this much, said as an ERROR; 0 keeps all.
    pub keep: ByteSize,
}

impl Default for DeadLetterOptions {
    fn default() -> Self {
        Self { directory: None, rotate_bytes: ByteSize::mib(16), keep: ByteSize::gib(1) }
    }
}
