//! TLS in front of a plain endpoint: shows one certificate or another, and passes on what comes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::{TlsAcceptor, rustls};

use super::certificates::Certificates;
use super::tls::certificate;

/// It ends when dropped.
pub(crate) struct TlsFront {
    address: SocketAddr,
    shown: Arc<Mutex<TlsAcceptor>>,
    serving: JoinHandle<()>,
}

impl TlsFront {
    /// In front of `plain`, with `NAME.crt`.
    pub(crate) async fn of(plain: SocketAddr, made: &Certificates, name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let shown = Arc::new(Mutex::new(acceptor(made, name)));
        let serving = tokio::spawn(serve(listener, plain, Arc::clone(&shown)));
        Self { address, shown, serving }
    }

    /// As Forebay's `hosts` want it.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Shows `NAME.crt` to who connects from here on.
    pub(crate) fn show(&self, made: &Certificates, name: &str) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = acceptor(made, name);
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn acceptor(made: &Certificates, name: &str) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(&made.read(&format!("{name}.key"))).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions that there are")
        .with_no_client_auth()
        .with_single_cert(vec![certificate(made, name)], key);
    TlsAcceptor::from(Arc::new(config.expect("a pair")))
}

async fn serve(listener: TcpListener, plain: SocketAddr, shown: Arc<Mutex<TlsAcceptor>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        connections.spawn(async move {
            // A peer that is not content with the certificate goes away.
            let Ok(mut secured) = acceptor.accept(stream).await else { return };
            let Ok(mut onward) = TcpStream::connect(plain).await else { return };
            copy_bidirectional(&mut secured, &mut onward).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}
