//! The handshake that a secured listener asks for before the first frame: HELO, PING, PONG.
//!
//! Promises: nobody is let in without the key that holds for its address, nor, where there are users, without a user's
//! password; a client that is refused is told why, and costs at most `PING_BYTES` and the listener's `handshake_timeout`;
//! neither a secret nor what a client said of itself is logged.
//!
//! The handshake proves knowledge of the key to both sides. It hides nothing: what follows is as readable as before.

mod digest;
mod handshake;
mod hosts;
mod messages;
mod options;
mod refusal;
mod rules;

pub use options::{ClientOptions, SecurityOptions, UserOptions};

pub(super) use handshake::Security;
pub(super) use refusal::Refusal;

#[cfg(test)]
mod tests;
