//! A client of the forward protocol: frames of every mode, written as the specification has them, and acks.

use std::net::SocketAddr;

use rmp::encode;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::archive;

/// When an event happened: EventTime, seconds and nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(pub(crate) u32, pub(crate) u32);

impl std::fmt::Display for Time {
    /// As a document has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanoseconds = i32::try_from(self.1).expect("below a second");
        jiff::Timestamp::new(self.0.into(), nanoseconds).expect("a time that a test uses").fmt(f)
    }
}

/// Time and record.
pub(crate) type Event = (Time, Value);

/// How a frame carries its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One event a frame.
    Message,
    /// An array of events.
    Forward,
    /// Events one after another in a bin.
    PackedForward,
    /// The same, gzip.
    Gzip,
    /// The same, zstd.
    Zstd,
}

impl Mode {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Message, Self::Forward, Self::PackedForward, Self::Gzip, Self::Zstd];
}

/// A frame of `mode`, or in Message mode as many as there are events; `chunk` wants an ack for each frame.
pub(crate) fn frame(mode: Mode, tag: &str, events: &[Event], chunk: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    match mode {
        Mode::Message => events.iter().for_each(|event| message(&mut out, tag, event, chunk)),
        Mode::Forward => {
            array(&mut out, 3);
            text(&mut out, tag);
            array(&mut out, events.len());
            events.iter().for_each(|event| entry(&mut out, event));
            option(&mut out, events.len(), chunk, None);
        }
        Mode::PackedForward => packed(&mut out, tag, events, chunk, None),
        Mode::Gzip => packed(&mut out, tag, events, chunk, Some("gzip")),
        Mode::Zstd => packed(&mut out, tag, events, chunk, Some("zstd")),
    }
    out
}

fn message(out: &mut Vec<u8>, tag: &str, (at, record): &Event, chunk: Option<&str>) {
    array(out, 4);
    text(out, tag);
    time(out, *at);
    value(out, record);
    option(out, 1, chunk, None);
}

fn packed(out: &mut Vec<u8>, tag: &str, events: &[Event], chunk: Option<&str>, compressed: Option<&str>) {
    let mut entries = Vec::new();
    events.iter().for_each(|event| entry(&mut entries, event));
    let entries = match compressed {
        Some("gzip") => archive::gzip(&entries),
        Some(_) => archive::zstd(&entries),
        None => entries,
    };
    array(out, 3);
    text(out, tag);
    encode::write_bin(out, &entries).expect("memory takes all");
    option(out, events.len(), chunk, compressed);
}

fn option(out: &mut Vec<u8>, size: usize, chunk: Option<&str>, compressed: Option<&str>) {
    let texts = [("chunk", chunk), ("compressed", compressed)];
    let texts = texts.into_iter().filter_map(|(key, value)| Some((key, value?)));
    encode::write_map_len(out, length(1 + texts.clone().count())).expect("memory takes all");
    text(out, "size");
    encode::write_uint(out, size as u64).expect("memory takes all");
    for (key, value) in texts {
        text(out, key);
        text(out, value);
    }
}

fn entry(out: &mut Vec<u8>, (at, record): &Event) {
    array(out, 2);
    time(out, *at);
    value(out, record);
}

fn time(out: &mut Vec<u8>, Time(seconds, nanoseconds): Time) {
    encode::write_ext_meta(out, 8, 0).expect("memory takes all");
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&nanoseconds.to_be_bytes());
}

fn value(out: &mut Vec<u8>, value: &Value) {
    rmp_serde::encode::write(out, value).expect("memory takes all");
}

fn text(out: &mut Vec<u8>, text: &str) {
    encode::write_str(out, text).expect("memory takes all");
}

fn array(out: &mut Vec<u8>, items: usize) {
    encode::write_array_len(out, length(items)).expect("memory takes all");
}

fn length(items: usize) -> u32 {
    u32::try_from(items).expect("a test sends no more")
}

/// What a connection can run over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Wire for S {}

/// A connection to a listener.
pub(crate) struct Client {
    stream: Box<dyn Wire>,
    unread: Vec<u8>,
}

#[derive(Deserialize)]
struct Ack {
    ack: String,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }

    /// Goes on over a stream that is connected.
    pub(crate) fn over(stream: impl Wire + 'static) -> Self {
        Self { stream: Box::new(stream), unread: Vec::new() }
    }

    /// Writes bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next ack's chunk; none at the end of the connection.
    pub(crate) async fn ack(&mut self) -> std::io::Result<Option<String>> {
        loop {
            let mut rest = self.unread.as_slice();
            if let Ok(ack) = rmp_serde::from_read::<_, Ack>(&mut rest) {
                self.unread = rest.to_vec();
                return Ok(Some(ack.ack));
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                assert!(self.unread.is_empty(), "the connection ended inside an ack: {:02x?}", self.unread);
                return Ok(None);
            }
        }
    }

    /// The next ack's chunk, where the connection speaks JSON; none at its end.
    pub(crate) async fn json_ack(&mut self) -> std::io::Result<Option<String>> {
        loop {
            let mut acks = serde_json::Deserializer::from_slice(&self.unread).into_iter::<Ack>();
            if let Some(Ok(ack)) = acks.next() {
                let read = acks.byte_offset();
                self.unread.drain(..read);
                return Ok(Some(ack.ack));
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                assert!(self.unread.is_empty(), "the connection ended inside an ack: {:02x?}", self.unread);
                return Ok(None);
            }
        }
    }

    /// Sends a frame and waits for its ack.
    pub(crate) async fn send_acked(&mut self, bytes: &[u8], chunk: &str) -> std::io::Result<()> {
        self.send(bytes).await?;
        match self.ack().await? {
            Some(ack) if ack == chunk => Ok(()),
            Some(other) => panic!("an ack for {other:?} instead of {chunk:?}"),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Closes the sending side and reads until the peer has closed too, so that it has taken all that was sent.
    pub(crate) async fn finish(mut self) {
        self.stream.shutdown().await.expect("an open connection");
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.expect("the peer closes");
    }
}
