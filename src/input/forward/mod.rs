//! The forward protocol's server side: listeners, connections, acks.
//!
//! Promises: an ack is sent, byte for byte the chunk it is for, only once the chunk's documents are safe; frames may
//! be cut anywhere and come many at a time; a slow, silent or wicked peer costs at most what the limits say and
//! nobody but itself. What can stand between a socket and its frames is in `arrival`; `connection` takes any byte stream.

mod ack;
mod arrival;
mod connection;
mod deadline;
mod frame_memory;
mod framing;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod heartbeat;
mod in_flight;
mod listener;
mod names;
mod networks;
mod options;
mod owner;
mod peer;
mod peers;
mod proxy;
mod read_buffer;
mod security;
mod socket;
mod taker;
mod tls;
mod unix;
mod words;
mod writing;

pub use listener::{ListenError, Listener};
pub use options::{ForwardOptions, LimitOptions};
pub use owner::Owner;
pub use security::{ClientOptions, SecurityOptions, UserOptions};
pub use socket::SocketOptions;
pub use tls::{
    CipherSuite, ClientAuth, ServerCertificate, Standing, TlsFault, TlsOptions, TlsVersion, Validity, examine,
};
pub use unix::{MAX_PATH, SocketStanding, UnixFault, UnixMode};

#[cfg(test)]
mod tests;
