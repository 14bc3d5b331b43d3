//! The listeners' keys, with their defaults.

use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use super::frame_memory::Pace;
use super::security::SecurityOptions;
use super::socket::SocketOptions;
use super::tls::TlsOptions;
use crate::units::ByteSize;

/// A `[[forward]]` table: one listener.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardOptions {
    /// `ADDRESS:PORT`, or `unix:PATH`.
    pub listen: String,
    /// What is asked of the socket itself.
    pub socket: SocketOptions,
    /// Whether UDP datagrams to the same port are answered, as senders with `heartbeat_type udp` want it.
    pub udp_heartbeat: bool,
    /// Whether each connection has to begin with a header of the PROXY protocol, which is then believed.
    pub proxy_protocol: bool,
    /// Whose header is believed; empty for everybody's who reaches the listener.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a connection is closed after its first frames.
    pub deny_keepalive: bool,
    /// The field that takes the peer's address.
    pub source_address_key: Option<String>,
    /// The field that takes the peer's host name.
    pub source_hostname_key: Option<String>,
    /// The tag of every event in place of the one it came with; empty keeps that.
    pub tag: String,
    /// Put before every tag, with a dot between; empty for nothing.
    pub add_tag_prefix: String,
    /// Whether a time that is plainly milliseconds is taken as such.
    pub time_milliseconds: bool,
    /// TLS.
    pub tls: TlsOptions,
    /// The limits that hold for each of its connections.
    pub limits: LimitOptions,
    /// What its clients have to prove before their first frame.
    pub security: SecurityOptions,
}

impl ForwardOptions {
    /// The path of its unix socket, if it is one. `unix://PATH`, as Docker writes it, is the same as `unix:PATH`.
    pub fn unix_path(&self) -> Option<&Path> {
        let path = self.listen.strip_prefix("unix:")?;
        Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
    }
}

impl Default for ForwardOptions {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:24224".into(),
            socket: SocketOptions::default(),
            udp_heartbeat: true,
            proxy_protocol: false,
            trusted_proxies: Vec::new(),
            deny_keepalive: false,
            source_address_key: None,
            source_hostname_key: None,
            tag: String::new(),
            add_tag_prefix: String::new(),
            time_milliseconds: false,
            tls: TlsOptions::default(),
            limits: LimitOptions::default(),
            security: SecurityOptions::default(),
        }
    }
}

/// A `[forward.limits]` table, under each `[[forward]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitOptions {
    /// Bytes of one frame on the wire.
    pub frame_bytes: ByteSize,
    /// Bytes of a frame over `frame_bytes` that is passed over; one that is longer closes the connection.
    pub skip_bytes: ByteSize,
    /// Bytes that one frame's entries may take when decompressed.
    pub decompressed_bytes: ByteSize,
    /// Decompressed bytes for each compressed one, once beyond 1 MiB.
    pub decompression_ratio: u64,
    /// Maps and arrays inside one another, in one record.
    pub depth: usize,
    /// Fields of one record, nested ones included.
    pub fields: usize,
    /// Bytes of one text, or of binary, in a record.
    pub string_bytes: ByteSize,
    /// Bytes of a tag; what is beyond is cut off.
    pub tag_bytes: ByteSize,
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// What stands before the frames has to be done within this time.
    pub handshake_timeout: Duration,
    /// A connection without a byte for this long is closed; 0 never.
    pub idle_timeout: Duration,
    /// A frame that has begun has to be whole within this time.
    pub frame_timeout: Duration,
    /// Acks that a peer does not take for this long end its connection.
    pub ack_timeout: Duration,
    /// Bytes of one connection's frames that wait for their acks, beyond which it is not read; a frame that is larger
    /// goes alone.
    pub in_flight_bytes: ByteSize,
    /// Bytes that the frames on their way into all of its connections take together.
    pub frames_memory: ByteSize,
}

impl LimitOptions {
    /// How fast a frame has to come while others wait for memory: the largest one would be whole just in time. What the
    /// first moments of a frame tell is not enough to judge it by.
    pub(super) fn pace(&self) -> Pace {
        let least = self.frame_bytes.0 as f64 / self.frame_timeout.as_secs_f64();
        let window = (self.frame_timeout / 300).max(Duration::from_secs(1));
        Pace { least, window, grace: (self.frame_timeout / 30).max(2 * window) }
    }
}

impl Default for LimitOptions {
    fn default() -> Self {
        Self {
            frame_bytes: ByteSize::mib(32),
            skip_bytes: ByteSize::gib(1),
            decompressed_bytes: ByteSize::mib(256),
            decompression_ratio: 1000,
            depth: 64,
            fields: 2000,
            string_bytes: ByteSize::mib(16),
            tag_bytes: ByteSize::kib(1),
            connections: 10_000,
            connections_per_address: 10_000,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::ZERO,
            frame_timeout: Duration::from_secs(300),
            ack_timeout: Duration::from_secs(60),
            in_flight_bytes: ByteSize::mib(64),
            frames_memory: ByteSize::mib(64),
        }
    }
}
