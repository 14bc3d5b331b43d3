//! The keys of a listener's TLS. What could not take effect is refused: it would be a false sense of safety.

use super::checks;
use super::section::Section;
use crate::input::forward::{CipherSuite, ClientAuth, ServerCertificate, TlsOptions, TlsVersion};

/// Reads or prints a `[forward.tls]` table.
pub(super) fn tls(section: &mut Section<'_>, options: &mut TlsOptions) {
    certificate(section, options);
    section.checked("client_ca_file", &mut options.client_ca_file, checks::readable);
    section.key("client_auth", &mut options.client_auth);
    section.key("min_version", &mut options.min_version);
    section.key("ciphers", &mut options.ciphers);
    refuse_clients(section, options);
    refuse_ciphers(section, options);
}

fn certificate(section: &mut Section<'_>, options: &mut TlsOptions) {
    let both = options.certificate.take();
    let (mut certificate, mut key) = both.map(|both| (both.certificate, both.key)).unzip();
    section.checked("certificate", &mut certificate, checks::readable);
    section.checked("key", &mut key, checks::readable);
    options.certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(ServerCertificate { certificate, key }),
        (Some(_), None) => {
            section.refuse(&["certificate"], "needs its private key; set key");
            None
        }
        (None, Some(_)) => {
            section.refuse(&["key"], "needs its certificate; set certificate");
            None
        }
        (None, None) => None,
    };
}

fn refuse_clients(section: &mut Section<'_>, options: &TlsOptions) {
    if options.client_ca_file.is_none() && options.client_auth == ClientAuth::Optional {
        section.refuse(&["client_auth"], "has no effect, as no client is asked; set client_ca_file");
    }
    let given = [
        ("client_ca_file", options.client_ca_file.is_some()),
        ("min_version", options.min_version != TlsVersion::default()),
        ("ciphers", !options.ciphers.is_empty()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given && options.certificate.is_none()) {
        section.refuse(&[key], "has no effect without TLS; set certificate and key");
    }
}

fn refuse_ciphers(section: &mut Section<'_>, options: &TlsOptions) {
    let ciphers = &options.ciphers;
    let twice =
        ciphers.iter().enumerate().find(|(index, suite)| ciphers.iter().take(*index).any(|b| b == *suite));
    if let Some((_, suite)) = twice {
        section.refuse(&["ciphers"], format!("`{suite}` is named twice"));
    }
    let is_of_none = !ciphers.is_empty() && !ciphers.iter().any(|suite| suite.is_of_tls_13());
    if is_of_none && options.min_version == TlsVersion::Tls13 {
        let names: Vec<String> = CipherSuite::all()
            .into_iter()
            .filter(|suite| suite.is_of_tls_13())
            .map(|suite| suite.to_string())
            .collect();
        let why = format!("names no suite of TLS 1.3, the min_version; add one of {}", names.join(", "));
        section.refuse(&["ciphers", "min_version"], why);
    }
}
