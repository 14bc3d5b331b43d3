//! The keys of a listener's TLS. What could not take effect is refused: it would be a false sense of safety.

use super::checks;
use super::section::Section;
use crate::input::forward::{CipherSuite, ClientAuth, ServerCertificate, TlsOptions, TlsVersion};

/// Reads or prints a `[forward.tls]` table.
pub(super) fn tls(section: &mut Section<'_>, options: &mut TlsOptions) {
    // why: a file that cannot be read is named all the same, and what needs it is not at fault too.
    let before = section.faults();
    certificate(section, options);
    let has_certificate = options.certificate.is_some() || section.faults() > before;
    let before = section.faults();
    section.checked("client_ca_file", &mut options.client_ca_file, checks::readable);
    let asks_clients = options.client_ca_file.is_some() || section.faults() > before;
    section.key("client_auth", &mut options.client_auth);
    section.key("min_version", &mut options.min_version);
    section.key("ciphers", &mut options.ciphers);
    refuse_clients(section, options, has_certificate, asks_clients);
    refuse_ciphers(section, options);
}

fn certificate(section: &mut Section<'_>, options: &mut TlsOptions) {
    let both = options.certificate.take();
    let (mut certificate, mut key) = both.map(|both| (both.certificate, both.key)).unzip();
    let before = section.faults();
    section.checked("certificate", &mut certificate, checks::readable);
    section.checked("key", &mut key, checks::readable);
    options.certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(ServerCertificate { certificate, key }),
        _ if section.faults() > before => None,
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

fn refuse_clients(
    section: &mut Section<'_>,
    options: &TlsOptions,
    has_certificate: bool,
    asks_clients: bool,
) {
    if !asks_clients && options.client_auth == ClientAuth::Optional {
        section.refuse(&["client_auth"], "has no effect, as no client is asked; set client_ca_file");
    }
    let given = [
        ("client_ca_file", options.client_ca_file.is_some()),
        ("min_version", options.min_version != TlsVersion::default()),
        ("ciphers", !options.ciphers.is_empty()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given && !has_certificate) {
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

#[cfg(test)]
mod tests {
    use crate::config::{Config, Overrides, load};
    use crate::input::forward::{ClientAuth, TlsVersion};

    /// The configuration that a `[forward.tls]` table of these keys makes, or its faults.
    fn read(keys: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let here = file.path().display().to_string();
        let text = format!("[[forward]]\n[forward.tls]\n{}\n", keys.replace("HERE", &here));
        std::fs::write(file.path(), text).expect("writing a temporary file");
        load(Some(file.path()), [("", ""); 0], &Overrides::default()).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_could_not_take_effect_is_refused_with_advice() {
        for (keys, advice) in [
            ("certificate = 'HERE'", "certificate: needs its private key; set key"),
            ("key = 'HERE'", "key: needs its certificate; set certificate"),
            ("client_ca_file = 'HERE'", "client_ca_file: has no effect without TLS; set certificate and key"),
            (
                "client_auth = 'optional'",
                "client_auth: has no effect, as no client is asked; set client_ca_file",
            ),
            ("min_version = '1.3'", "min_version: has no effect without TLS"),
            ("min_version = '1.1'", "`1.1` is none of \"1.2\", \"1.3\""),
            ("ciphers = ['RC4-SHA']", "`RC4-SHA` is none of the cipher suites TLS_AES_256_GCM_SHA384"),
            ("ciphers = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256']", "is named twice"),
            (
                "min_version = '1.3'\nciphers = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'",
                "names no suite of TLS 1.3, the min_version; add one of TLS_AES_256_GCM_SHA384",
            ),
        ] {
            let faults = read(keys).expect_err(keys);
            assert!(faults.contains(advice), "{advice} is not in\n{faults}");
        }
    }

    #[test]
    fn of_files_that_cannot_be_read_each_is_told_and_nothing_that_only_follows() {
        let keys = "certificate = '/nowhere.crt'\nkey = 'HERE'\nclient_ca_file = '/nowhere.ca'\n\
                    client_auth = 'optional'\nmin_version = '1.3'";
        let faults = read(keys).expect_err(keys);
        let told: Vec<_> = faults.lines().filter_map(|fault| fault.split_once("cannot read ")).collect();
        assert_eq!(told.len(), faults.lines().count(), "{faults}");
        assert!(
            told[0].1.starts_with("`/nowhere.crt`") && told[1].1.starts_with("`/nowhere.ca`"),
            "{faults}"
        );
    }

    #[test]
    fn every_key_is_printed_as_it_can_be_read_again() {
        let keys = "certificate = 'HERE'\nkey = 'HERE'\nclient_ca_file = 'HERE'\nclient_auth = 'optional'\n\
                    min_version = '1.3'\nciphers = ['tls_chacha20_poly1305_sha256', 'TLS_AES_128_GCM_SHA256']";
        let config = read(keys).expect("keys that go together");
        let tls = &config.forward[0].tls;
        assert_eq!((tls.client_auth, tls.min_version), (ClientAuth::Optional, TlsVersion::Tls13));
        let printed = config.to_string();
        assert!(
            printed.contains("ciphers = [\"TLS_CHACHA20_POLY1305_SHA256\", \"TLS_AES_128_GCM_SHA256\"]"),
            "{printed}"
        );
    }
}
