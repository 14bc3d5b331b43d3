//! From the files' content to what handshakes are made with.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::rustls;

use super::fault::TlsFault;
use super::material::{Content, Material};
use super::options::{ClientAuth, ServerCertificate, TlsOptions, TlsVersion};
use super::validity::Validity;

const CERTIFICATE: &str = "certificate";
const CLIENT_CA_FILE: &str = "client_ca_file";

/// A side of TLS that is ready to shake hands.
pub(super) struct Server {
    pub(super) config: Arc<ServerConfig>,
    pub(super) validity: Validity,
}

/// What `material`, read from the files that `options` and `pair` name, makes.
pub(super) fn server(
    options: &TlsOptions,
    pair: &ServerCertificate,
    material: &Material,
) -> Result<Server, TlsFault> {
    let provider = provider(options);
    let chain = certificates(CERTIFICATE, &pair.certificate, &material.certificate)?;
    // why: the leaf's alone. Chains often carry an expired cross-signed authority, which clients ignore.
    let leaf = chain.first().map(Validity::of);
    let bad = |why| TlsFault::BadCertificate { key: CERTIFICATE, path: pair.certificate.clone(), why };
    let validity = leaf.unwrap_or_else(|| Err("there is none".into())).map_err(bad)?;
    let shown = certified(pair, chain, private_key(&pair.key, &material.key)?, &provider)?;
    let verifier = match (&options.client_ca_file, &material.client_ca) {
        (Some(path), Some(content)) => client_verifier(options.client_auth, path, content, &provider)?,
        _ => WebPkiClientVerifier::no_client_auth(),
    };
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(options.min_version))
        .map_err(TlsFault::Setup)?;
    let mut config = builder
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // The order of `ciphers` is the operator's.
    config.ignore_client_order = !options.ciphers.is_empty();
    Ok(Server { config: Arc::new(config), validity })
}

fn provider(options: &TlsOptions) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if !options.ciphers.is_empty() {
        provider.cipher_suites = options.ciphers.iter().filter_map(|suite| suite.supported()).collect();
    }
    Arc::new(provider)
}

fn versions(least: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    match least {
        TlsVersion::Tls12 => vec![&version::TLS13, &version::TLS12],
        TlsVersion::Tls13 => vec![&version::TLS13],
    }
}

fn bytes<'a>(key: &'static str, path: &Path, content: &'a Content) -> Result<&'a [u8], TlsFault> {
    let unreadable = |why: &String| TlsFault::Unreadable { key, path: path.into(), why: why.clone() };
    content.as_deref().map_err(unreadable)
}

/// The certificates in a file; never none.
fn certificates(
    key: &'static str,
    path: &Path,
    content: &Content,
) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let bytes = bytes(key, path, content)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let bad = |why| TlsFault::BadCertificate { key, path: path.into(), why };
    match read {
        Ok(none) if none.is_empty() => Err(TlsFault::NoCertificate { key, path: path.into() }),
        Ok(chain) => Ok(chain),
        // why: not the error's own words, which repeat the line: a key may have been put into the wrong file.
        Err(_) => Err(bad("its PEM is broken".into())),
    }
}

fn private_key(path: &Path, content: &Content) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let bytes = bytes("key", path, content)?;
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        if memchr::memmem::find(bytes, b"ENCRYPTED").is_some() {
            TlsFault::Encrypted { path: path.into() }
        } else {
            TlsFault::NoKey { path: path.into() }
        }
    })
}

/// The chain with its key, once it is known that the two belong together.
fn certified(
    pair: &ServerCertificate,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsFault> {
    let unusable = |_| TlsFault::UnusableKey { path: pair.key.clone() };
    let key = provider.key_provider.load_private_key(key).map_err(unusable)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(TlsFault::Mismatch { key: pair.key.clone(), certificate: pair.certificate.clone() })
        }
        Err(error) => {
            let (path, why) = (pair.certificate.clone(), error.to_string());
            Err(TlsFault::BadCertificate { key: CERTIFICATE, path, why })
        }
    }
}

fn client_verifier(
    auth: ClientAuth,
    path: &Path,
    content: &Content,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let bad = |why: String| TlsFault::BadCertificate { key: CLIENT_CA_FILE, path: path.into(), why };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(CLIENT_CA_FILE, path, content)? {
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = match auth {
        ClientAuth::Required => builder,
        ClientAuth::Optional => builder.allow_unauthenticated(),
    };
    builder.build().map_err(|error| bad(error.to_string()))
}
