//! What is wrong with a listener's certificates and key. It is the operator's to mend, in files or in keys; nothing is
//! gained by trying the same files again. No fault shows what a key file holds.

use std::path::PathBuf;

use tokio_rustls::rustls;

/// Why files cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("{key} `{}` cannot be read: {why}", path.display())]
    Unreadable {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file has no certificate in it.
    #[error("{key} `{}` holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", path.display())]
    NoCertificate {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// What stands for a certificate is none.
    #[error("{key} `{}` holds a certificate that cannot be used: {why}", path.display())]
    BadCertificate {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key file has no key in it.
    #[error("key `{}` holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key cannot be read without a password.
    #[error(
        "key `{}` is protected by a password; take that off (openssl pkey) and protect the file by its mode",
        path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key is of no kind that can be used.
    #[error("key `{}` is no RSA key of 2048 bits or more, and none of P-256, P-384 or Ed25519", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("key `{}` does not belong to certificate `{}`", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's.
        certificate: PathBuf,
    },
    /// What is asked for together cannot be had.
    #[error("cannot be set up: {0}")]
    Setup(rustls::Error),
}
