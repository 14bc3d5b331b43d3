//! The keys of `[forward.tls]`, with their defaults.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{self, SupportedCipherSuite};

/// A `[forward.tls]` table, under each `[[forward]]`. Without a certificate the listener is plain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsOptions {
    /// What the listener shows to its clients.
    pub certificate: Option<ServerCertificate>,
    /// A file of PEM certificates of the authorities that sign the clients' certificates; without it no client is asked
    /// for one.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client may do without, where it is asked.
    pub client_auth: ClientAuth,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
    /// The cipher suites that are offered, best first; empty for all.
    pub ciphers: Vec<CipherSuite>,
}

/// `certificate` and `key`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerCertificate {
    /// The chain in PEM, leaf first.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// What becomes of a client that shows no certificate. One that shows a wrong one is refused either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// It is refused.
    #[default]
    Required,
    /// It is taken.
    Optional,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// A cipher suite, known by its name in the IANA's registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherSuite(rustls::CipherSuite);

impl CipherSuite {
    /// Every one that there is, best first. Each has forward secrecy and authenticates what it encrypts, so that none
    /// has to be taken out to be safe.
    pub fn all() -> Vec<Self> {
        ring::ALL_CIPHER_SUITES.iter().map(|supported| Self(supported.suite())).collect()
    }

    /// Whether it is one of TLS 1.3, which has suites of its own.
    pub fn is_of_tls_13(self) -> bool {
        self.supported().is_some_and(|suite| suite.version().version == rustls::ProtocolVersion::TLSv1_3)
    }

    pub(super) fn supported(self) -> Option<SupportedCipherSuite> {
        ring::ALL_CIPHER_SUITES.iter().copied().find(|supported| supported.suite() == self.0)
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // why: rustls marks the suites of TLS 1.3 in their names; the registry and other programs do not.
        f.write_str(&self.0.as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1))
    }
}

impl FromStr for CipherSuite {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::all();
        let known = all.iter().find(|suite| suite.to_string().eq_ignore_ascii_case(name));
        known.copied().ok_or_else(|| {
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("`{name}` is none of the cipher suites {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn every_suite_is_known_by_the_name_that_it_prints() {
        let all = CipherSuite::all();
        assert_eq!(all.len(), 9);
        for suite in &all {
            assert_eq!(suite.to_string().parse(), Ok(*suite), "{suite}");
        }
        let of_13 = all.iter().filter(|suite| suite.is_of_tls_13());
        assert_eq!(of_13.count(), 3);
        assert!(all[0].to_string() == "TLS_AES_256_GCM_SHA384", "{}", all[0]);
    }

    #[test]
    fn a_suite_that_is_not_there_is_refused_with_those_that_are() {
        let fault = "TLS_RSA_WITH_AES_128_CBC_SHA".parse::<CipherSuite>().expect_err("a suite of old");
        assert!(fault.contains("TLS_AES_128_GCM_SHA256"), "{fault}");
    }
}
