//! TLS on a forward listener: the one place where a server side of TLS is set up.
//!
//! Promises: a handshake that fails costs its own connection and nothing else, and says why; files that change are
//! taken up by themselves (see `renewal`), for connections that come from then on, while those that are open go on
//! as they are; files that are no good never replace what was taken before.
//!
//! No session is resumed. Connections last, so that a full handshake is rare; each is judged by the certificates that
//! hold now; and a sender that only writes is never left with tickets that it does not read: closing with those unread
//! would make its kernel reset the connection and throw away what it has yet to send.
//! ALPN is neither offered nor refused: the forward protocol has no name there, and clients that send one go on without.

mod fault;
mod handshake;
mod material;
mod options;
mod renewal;
mod setup;
#[cfg(test)]
mod tests;
mod validity;

use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::ServerConfig;

pub use fault::TlsFault;
pub use options::{CipherSuite, ClientAuth, ServerCertificate, TlsOptions, TlsVersion};
pub use validity::{Standing, Validity};

pub(super) use handshake::HandshakeFault;
pub(super) use renewal::Renewal;

/// What a listener's handshakes are made with at this moment.
pub(super) struct Tls {
    current: Mutex<Arc<ServerConfig>>,
}

impl Tls {
    fn new(config: Arc<ServerConfig>) -> Arc<Self> {
        Arc::new(Self { current: Mutex::new(config) })
    }

    fn current(&self) -> Arc<ServerConfig> {
        // One pointer, which a panic cannot leave half written.
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, config: Arc<ServerConfig>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// How long the certificate that `options` name is valid, once all of its files have been read and found to fit
/// together; `None` where they ask for no TLS.
pub fn examine(options: &TlsOptions) -> Result<Option<Validity>, TlsFault> {
    let Some(certificate) = &options.certificate else { return Ok(None) };
    let material = material::Material::read(certificate, options.client_ca_file.as_deref());
    setup::server(options, certificate, &material).map(|server| Some(server.validity))
}
