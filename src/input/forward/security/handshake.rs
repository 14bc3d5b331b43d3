//! The exchange itself, over any byte stream.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::digest;
use super::messages::{self, Ping};
use super::refusal::Refusal;
use super::rules::{Rules, Salts};
use crate::decode::{FrameScan, Scanned};
use crate::input::forward::ForwardOptions;
use crate::input::forward::connection::Ended;
use crate::input::forward::read_buffer::ReadBuffer;
use crate::metrics::Metrics;

/// Bytes that a PING may take. Two digests, a salt and two names are some hundreds.
const PING_BYTES: u64 = 4 << 10;

/// How long, and how many bytes, a refused client may still send, so that it gets to read the reason.
const PARTING: Duration = Duration::from_secs(1);
const PARTING_BYTES: usize = 64 << 10;

/// The handshake of one listener.
pub(in crate::input::forward) struct Security {
    rules: Rules,
    hostname: String,
    keepalive: bool,
    pub(super) metrics: Arc<Metrics>,
}

impl Security {
    /// What the listener asks for, if it asks for anything. Names of hosts are followed until `stop`.
    pub(in crate::input::forward) fn start(
        listener: &ForwardOptions,
        metrics: &Arc<Metrics>,
        stop: &CancellationToken,
    ) -> Option<Self> {
        let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let options = &listener.security;
        options.is_on().then(|| Self {
            rules: Rules::new(options, stop),
            hostname: options.self_hostname.clone().unwrap_or_else(own),
            keepalive: !listener.deny_keepalive,
            metrics: Arc::clone(metrics),
        })
    }

    /// Lets the client in, with what it has sent behind its PING; or refuses it. `address` is none for a unix socket.
    pub(in crate::input::forward) async fn shake_hands(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        address: Option<IpAddr>,
    ) -> Result<ReadBuffer, Ended> {
        let salts = self.salts()?;
        send(stream, &self.helo(&salts)).await?;
        let mut buffer = ReadBuffer::new();
        let length = self.read_ping(stream, &mut buffer).await?;
        let pong = self.answer(buffer.bytes().get(..length).unwrap_or_default(), &salts, address).await?;
        send(stream, &pong).await?;
        buffer.consume(length);
        Ok(buffer)
    }

    /// Tells a client why it is refused, and closes: what it still sends is read for a while, since a connection that is
    /// closed with bytes unread is reset, and a reset overtakes the reason.
    pub(in crate::input::forward) async fn part(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        refusal: Refusal,
    ) -> Result<(), Ended> {
        send(stream, &messages::refusal(refusal.told())).await?;
        stream.shutdown().await?;
        timeout(PARTING, self.discard(stream)).await.unwrap_or(Ok(()))
    }

    async fn discard(&self, stream: &mut (impl AsyncRead + Unpin)) -> Result<(), Ended> {
        let (mut may_come, mut buffer) = (PARTING_BYTES, ReadBuffer::new());
        while may_come > 0 {
            match self.read(stream, &mut buffer).await? {
                0 => break,
                read => may_come = may_come.saturating_sub(read),
            }
            buffer.consume(usize::MAX);
        }
        Ok(())
    }

    /// The HELO for these random bytes.
    pub(super) fn helo(&self, salts: &Salts) -> Vec<u8> {
        let auth = salts.auth.as_ref().map_or(&[][..], <[u8; 16]>::as_slice);
        messages::helo(&salts.nonce, auth, self.keepalive)
    }

    fn salts(&self) -> Result<Salts, Ended> {
        let random = || {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map_err(std::io::Error::from).map(|()| bytes)
        };
        let auth = self.rules.ask_for_users().then(random).transpose()?;
        Ok(Salts { nonce: random()?, auth })
    }

    /// Reads until the first message is there; its length.
    async fn read_ping(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        buffer: &mut ReadBuffer,
    ) -> Result<usize, Ended> {
        let mut scan = FrameScan::new(PING_BYTES);
        loop {
            match scan.advance(buffer.bytes()) {
                Ok(Scanned::Complete(length)) => return Ok(length),
                Ok(Scanned::Need(_)) => {}
                Err(_) => return Err(Refusal::NotPing.into()),
            }
            if self.read(stream, buffer).await? == 0 {
                let sent_nothing = buffer.bytes().is_empty();
                return Err(if sent_nothing { Ended::ByPeer } else { Refusal::CutOff.into() });
            }
        }
    }

    async fn read(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        buffer: &mut ReadBuffer,
    ) -> std::io::Result<usize> {
        let read = buffer.read(stream).await?;
        self.metrics.bytes_received.inc_by(read as u64);
        Ok(read)
    }

    /// The PONG for these bytes, if the client may come in.
    pub(super) async fn answer(
        &self,
        bytes: &[u8],
        salts: &Salts,
        address: Option<IpAddr>,
    ) -> Result<Vec<u8>, Refusal> {
        let ping: Ping<'_> = messages::ping(bytes).ok_or(Refusal::NotPing)?;
        let key = self.rules.check(&ping, salts, address).await?;
        let hostname = self.hostname.as_bytes();
        let proof = digest::hex(&[ping.salt, hostname, &salts.nonce, key.expose().as_bytes()]);
        Ok(messages::pong(&self.hostname, &proof))
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> std::io::Result<()> {
    stream.write_all(message).await?;
    stream.flush().await
}
