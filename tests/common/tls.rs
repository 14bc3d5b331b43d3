//! The client side of TLS, for forward clients: what they trust, what they show, and what they speak.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;

use super::certificates::Certificates;
use super::forward::{Client, Wire};

/// How a client shakes hands.
#[derive(Clone)]
pub(crate) struct Hands {
    trusted: CertificateDer<'static>,
    shown: Option<(CertificateDer<'static>, Vec<u8>)>,
    version: &'static SupportedProtocolVersion,
    alpn: Vec<Vec<u8>>,
}

/// What has been agreed upon.
pub(crate) struct Agreed {
    /// The certificate that the listener showed.
    pub(crate) certificate: CertificateDer<'static>,
    /// The version of TLS.
    pub(crate) version: ProtocolVersion,
    /// The cipher suite.
    pub(crate) suite: SupportedCipherSuite,
}

impl Hands {
    /// It trusts the authority alone, shows nothing, and speaks TLS 1.3.
    pub(crate) fn trusting(authority: &Certificates) -> Self {
        let trusted = certificate(authority, "ca");
        Self { trusted, shown: None, version: &rustls::version::TLS13, alpn: Vec::new() }
    }

    /// It shows `NAME.crt`.
    pub(crate) fn showing(mut self, made: &Certificates, name: &str) -> Self {
        self.shown = Some((certificate(made, name), made.read(&format!("{name}.key"))));
        self
    }

    /// It speaks TLS 1.2.
    pub(crate) fn of_tls_12(mut self) -> Self {
        self.version = &rustls::version::TLS12;
        self
    }

    /// It names a protocol.
    pub(crate) fn naming(mut self, protocol: &str) -> Self {
        self.alpn.push(protocol.into());
        self
    }

    /// Connects and shakes hands.
    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<Client> {
        Ok(self.agree(address).await?.0)
    }

    /// The same, and what was agreed upon.
    pub(crate) async fn agree(&self, address: SocketAddr) -> io::Result<(Client, Agreed)> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = self.shake(stream).await?;
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        let agreed = Agreed {
            certificate: shown.expect("a server shows a certificate").clone().into_owned(),
            version: session.protocol_version().expect("it is agreed upon"),
            suite: session.negotiated_cipher_suite().expect("it is agreed upon"),
        };
        Ok((Client::over(stream), agreed))
    }

    /// Shakes hands over a stream that is connected.
    pub(crate) async fn shake<S: Wire>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(self.config())).connect(name, stream).await
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.trusted.clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[self.version])
            .expect("a version that there is")
            .with_root_certificates(roots);
        let mut config = match &self.shown {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).expect("a key");
                builder.with_client_auth_cert(vec![certificate.clone()], key).expect("a pair")
            }
        };
        config.alpn_protocols = self.alpn.clone();
        config
    }
}

/// `NAME.crt`.
pub(crate) fn certificate(made: &Certificates, name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&made.read(&format!("{name}.crt"))).expect("a certificate")
}

/// A stream that takes few bytes at a time, each time another number of them.
pub(crate) struct Chopped<S> {
    stream: S,
    state: u64,
}

impl<S> Chopped<S> {
    /// `seed` makes the numbers.
    pub(crate) fn new(stream: S, seed: u64) -> Self {
        Self { stream, state: seed }
    }

    fn next(&mut self) -> usize {
        // A linear congruential generator: any cuts do, as long as they are the same for the same seed.
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (wide, narrow) = (self.state >> 33 & 1023, self.state >> 43 & 7);
        usize::try_from(if self.state >> 63 == 0 { narrow } else { wide }).expect("a small number") + 1
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Chopped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Chopped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let some = self.next().min(bytes.len());
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..some])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
