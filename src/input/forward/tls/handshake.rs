//! One handshake, and why it failed.

use std::io;
use std::time::Duration;

use rustls::server::Acceptor;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::server::TlsStream;

use super::Tls;

/// Bytes that a refused client may still send while it is told why.
const LAST_BYTES: u64 = 64 << 10;

/// How long that may take.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::input::forward) enum HandshakeFault {
    /// It closed or broke the connection before it had said hello, as a probe of the port does.
    #[error("the peer left before it said hello")]
    NoHello(#[source] io::Error),
    /// What came is not TLS.
    #[error("what came is not TLS; is it a sender without TLS?")]
    NotTls,
    /// It shows no certificate, and has to.
    #[error("the client shows no certificate, and client_ca_file asks for one")]
    NoClientCertificate,
    /// It shows a certificate of an authority that is not in `client_ca_file`.
    #[error("the client's certificate is of no authority in client_ca_file")]
    UnknownAuthority,
    /// Its certificate is wrong in another way, told in words of our own: those of the error repeat what is in the
    /// certificate, which anybody can write and make as long as they like.
    #[error("the client's certificate is refused: {0}")]
    ClientCertificate(&'static str),
    /// It does not take this listener's certificate.
    #[error(
        "the client refuses this listener's certificate ({0:?}); does it know the authority and the name?"
    )]
    CertificateRefused(AlertDescription),
    /// It speaks older versions only.
    #[error("the client speaks no version of TLS that is as new as min_version")]
    Version,
    /// There is no suite, group or signature that both know.
    #[error("the client and this listener have nothing in common: {0:?}")]
    NothingInCommon(PeerIncompatible),
    /// It went away between hello and the end of the handshake.
    #[error("the client broke the handshake off: {0}")]
    BrokenOff(#[source] io::Error),
    /// It does not speak TLS as it should.
    #[error("{0}")]
    Protocol(rustls::Error),
}

impl Tls {
    /// Shakes hands with a client. One that is refused is told so as well as TLS can.
    ///
    /// It takes as long as the client likes: the caller bounds it.
    pub(in crate::input::forward) async fn accept<S>(&self, stream: S) -> Result<TlsStream<S>, HandshakeFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let started = match (&mut hello).await {
            Ok(started) => started,
            Err(error) => {
                let fault = tls_error(&error).map(HandshakeFault::from);
                if let Some(stream) = hello.take_io() {
                    dismiss(stream).await;
                }
                return Err(fault.unwrap_or(HandshakeFault::NoHello(error)));
            }
        };
        match started.into_stream(self.current()).into_fallible().await {
            Ok(stream) => Ok(stream),
            Err((error, stream)) => {
                dismiss(stream).await;
                let fault = tls_error(&error).map(HandshakeFault::from);
                Err(fault.unwrap_or(HandshakeFault::BrokenOff(error)))
            }
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Closes a connection so that the alert on its way arrives: closed with bytes unread it would be reset, and the client
/// would see that instead of the reason.
async fn dismiss<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let last_word = async {
        if stream.shutdown().await.is_ok() {
            copy(&mut stream.take(LAST_BYTES), &mut sink()).await.ok();
        }
    };
    timeout(LAST_WORD, last_word).await.ok();
}

impl From<&rustls::Error> for HandshakeFault {
    fn from(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            rustls::Error::NoCertificatesPresented => Self::NoClientCertificate,
            // An authority that was made anew under its old name signs with another key.
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => Self::UnknownAuthority,
            rustls::Error::InvalidCertificate(error) => Self::ClientCertificate(wrong_with(error)),
            rustls::Error::AlertReceived(alert) if is_about_a_certificate(*alert) => {
                Self::CertificateRefused(*alert)
            }
            rustls::Error::PeerIncompatible(
                PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired,
            ) => Self::Version,
            rustls::Error::PeerIncompatible(lacking) => Self::NothingInCommon(lacking.clone()),
            other => Self::Protocol(other.clone()),
        }
    }
}

fn wrong_with(error: &CertificateError) -> &'static str {
    use CertificateError as Wrong;
    match error {
        Wrong::Expired | Wrong::ExpiredContext { .. } => "it has expired",
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "it is not valid yet",
        Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => "it is not for clients",
        Wrong::BadEncoding => "it cannot be read",
        Wrong::UnhandledCriticalExtension => "it has a critical extension that is not known",
        Wrong::UnsupportedSignatureAlgorithmContext { .. }
        | Wrong::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature is of no kind that is known"
        }
        _ => "it does not hold",
    }
}

fn is_about_a_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            // The authority's signature is meant: it has that one's name and another key.
            | AlertDescription::DecryptError
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_client_wrote_into_its_certificate_is_repeated() {
        let written = rustls::pki_types::UnixTime::now();
        let long = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![211; 60_000],
            supported_algorithms: Vec::new(),
        };
        let purposes = CertificateError::InvalidPurposeContext {
            required: rustls::ExtendedKeyPurpose::ClientAuth,
            presented: vec![rustls::ExtendedKeyPurpose::Other(vec![211; 60]); 1_000],
        };
        let expired = CertificateError::ExpiredContext { time: written, not_after: written };
        for (error, told) in [(long, "signature"), (purposes, "not for clients"), (expired, "has expired")] {
            let fault = HandshakeFault::from(&rustls::Error::InvalidCertificate(error)).to_string();
            assert!(fault.contains(told) && fault.len() < 120 && !fault.contains("211"), "{fault}");
        }
    }
}
