//! The forward protocol's server side: listeners, connections, acks.
//!
//! Promises: an ack is sent, byte for byte the chunk it is for, only once the chunk's documents are safe; frames may
//! be cut anywhere and come many at a time; a slow, silent or wicked peer costs at most what the limits say and
//! nobody but itself. A listener is laid out for what else can stand between a socket and its frames (a handshake, TLS,
//! another encoding): `connection` takes any byte stream.

mod ack;
mod connection;
mod listener;
mod options;
mod peers;
mod read_buffer;

pub use listener::{ListenError, Listener};
pub use options::{ForwardOptions, LimitOptions};

#[cfg(test)]
mod tests;
