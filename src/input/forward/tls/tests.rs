//! Files that cannot serve, each told for what it is; and what is set up from those that can.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use tempfile::TempDir;

use super::material::Material;
use super::{ClientAuth, ServerCertificate, Standing, TlsFault, TlsOptions, TlsVersion, examine, setup};

/// Keys of several kinds, each with a certificate that it signed for itself.
struct Made(TempDir);

impl Made {
    fn new() -> Self {
        let made = Self(tempfile::tempdir().expect("a folder"));
        let script = r#"
            for kind in rsa:2048 "ec -pkeyopt ec_paramgen_curve:P-256" ed25519; do
                name=${kind%%[ :]*}
                openssl req -x509 -newkey $kind -nodes -days 2 -subj /CN=localhost -keyout $name.key -out $name.crt
            done
            openssl pkey -in rsa.key -aes256 -passout pass:secret -out locked.key
            openssl rsa -in rsa.key -traditional -out old.key
            openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=localhost -keyout weak.key -out weak.crt
            cat rsa.crt ec.crt > chain.crt
            sed 's/^M/!/' rsa.crt > broken.crt
            sed 5d rsa.crt > short.crt
            : > empty
        "#;
        let ran = Command::new("sh").args(["-ec", script]).current_dir(made.0.path()).output();
        let ran = ran.expect("a shell");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn options(&self, certificate: &str, key: &str) -> TlsOptions {
        let pair = ServerCertificate { certificate: self.path(certificate), key: self.path(key) };
        TlsOptions { certificate: Some(pair), ..TlsOptions::default() }
    }

    fn fault(&self, certificate: &str, key: &str) -> TlsFault {
        examine(&self.options(certificate, key)).expect_err("files that cannot serve")
    }
}

#[test]
fn every_kind_of_key_and_file_that_cannot_serve_is_told_for_what_it_is() {
    let made = Made::new();
    for (certificate, key) in
        [("rsa.crt", "rsa.key"), ("ec.crt", "ec.key"), ("ed25519.crt", "ed25519.key"), ("rsa.crt", "old.key")]
    {
        let validity = examine(&made.options(certificate, key)).expect(key).expect("TLS");
        assert_eq!(validity.at(Timestamp::now()), Standing::Valid);
        assert_eq!(validity.not_before + jiff::SignedDuration::from_hours(48), validity.not_after);
        assert_eq!(validity.at(Timestamp::MAX), Standing::Expired);
        assert_eq!(validity.at(Timestamp::UNIX_EPOCH), Standing::NotYetValid);
    }
    assert!(examine(&made.options("chain.crt", "rsa.key")).is_ok(), "the leaf comes first");
    assert!(matches!(made.fault("rsa.crt", "ec.key"), TlsFault::Mismatch { .. }));
    assert!(matches!(made.fault("chain.crt", "ec.key"), TlsFault::Mismatch { .. }));
    assert!(matches!(made.fault("nowhere", "rsa.key"), TlsFault::Unreadable { key: "certificate", .. }));
    assert!(matches!(made.fault("rsa.crt", "nowhere"), TlsFault::Unreadable { key: "key", .. }));
    assert!(matches!(made.fault("empty", "rsa.key"), TlsFault::NoCertificate { .. }));
    assert!(matches!(made.fault("rsa.key", "rsa.key"), TlsFault::NoCertificate { .. }));
    assert!(matches!(made.fault("rsa.crt", "rsa.crt"), TlsFault::NoKey { .. }));
    assert!(matches!(made.fault("rsa.crt", "locked.key"), TlsFault::Encrypted { .. }));
    assert!(matches!(made.fault("weak.crt", "weak.key"), TlsFault::UnusableKey { .. }));
    assert!(matches!(made.fault("broken.crt", "rsa.key"), TlsFault::BadCertificate { .. }));
    assert!(matches!(made.fault("short.crt", "rsa.key"), TlsFault::BadCertificate { .. }));
}

#[test]
fn an_authority_for_clients_has_to_be_one() {
    let made = Made::new();
    let with = |name: &str| TlsOptions {
        client_ca_file: Some(made.path(name)),
        ..made.options("rsa.crt", "rsa.key")
    };
    assert!(examine(&with("ec.crt")).is_ok());
    let fault = examine(&with("ec.key")).expect_err("no certificate");
    assert!(matches!(fault, TlsFault::NoCertificate { key: "client_ca_file", .. }), "{fault}");
    let fault = examine(&with("short.crt")).expect_err("no certificate that can be read");
    assert!(matches!(fault, TlsFault::BadCertificate { key: "client_ca_file", .. }), "{fault}");
}

#[test]
fn a_fault_shows_nothing_of_a_key() {
    let made = Made::new();
    let key = fs::read_to_string(made.path("rsa.key")).expect("a key");
    let broken = key.replacen("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY", 1);
    fs::write(made.path("broken.key"), broken).expect("a file");
    for fault in [made.fault("rsa.crt", "broken.key"), made.fault("broken.key", "rsa.key")] {
        let (shown, debugged) = (fault.to_string(), format!("{fault:?}"));
        let leaks = |line: &str| !line.contains("-----") && (shown.contains(line) || debugged.contains(line));
        assert!(!key.lines().any(leaks), "{debugged}");
    }
}

#[test]
fn nothing_is_resumed_and_no_protocol_is_named() {
    let made = Made::new();
    let options = TlsOptions {
        client_ca_file: Some(made.path("ec.crt")),
        client_auth: ClientAuth::Optional,
        min_version: TlsVersion::Tls13,
        ..made.options("rsa.crt", "rsa.key")
    };
    let pair = options.certificate.clone().expect("a pair");
    let material = Material::read(&pair, options.client_ca_file.as_deref());
    let config = setup::server(&options, &pair, &material).expect("good files").config;
    assert!(!config.session_storage.can_cache() && !config.ticketer.enabled());
    assert_eq!((config.send_tls13_tickets, config.max_early_data_size), (0, 0));
    assert!(config.alpn_protocols.is_empty());
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let made = Made::new();
    let pair = ServerCertificate { certificate: "/dev/zero".into(), key: made.path("rsa.key") };
    let fault = examine(&TlsOptions { certificate: Some(pair), ..TlsOptions::default() }).expect_err("zeros");
    assert!(fault.to_string().contains("over 1 MiB"), "{fault}");
}
