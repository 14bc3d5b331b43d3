//! Bytes of the forward protocol to events, without an owned tree.
//!
//! Promises: nothing in here panics or allocates by a length that a peer declared; every declared length is checked
//! against the bytes that are there; maps and arrays inside one another are followed to a limit and no further.
//! `FrameScan` finds where a frame ends while it is still arriving, in one pass over its bytes; `Frame` is the
//! view into a complete one, `Entries` its events one after the other.
//!
//! Source: the Forward Protocol Specification v1, and the msgpack specification.

mod decompress;
mod entry;
mod frame;
mod json;
mod members;
mod msgpack;
mod oversized;
mod scan;
mod times;

pub use decompress::{Codec, Decompressor};
#[cfg(fuzzing)]
pub(crate) use entry::length_of_value;
pub use entry::{Entries, is_dated, read_pairs, read_record};
pub use frame::{Body, Frame};
pub use json::{JsonScan, blanks, json_ack, json_to_msgpack};
pub use members::{array_elements, map_members};
pub use msgpack::{Item, Reader};
pub use oversized::Oversized;
pub use scan::{FrameScan, Scanned};

/// Why bytes were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no msgpack, or end too early: nothing after this point can be told apart.
    #[error("{what} at byte {offset}")]
    Malformed {
        /// What was found, in words without payload.
        what: &'static str,
        /// Where, from the beginning of the frame or of its entries.
        offset: usize,
    },
    /// Good msgpack that is no event of the forward protocol; what follows it can still be read.
    #[error("{what} at byte {offset}")]
    Unexpected {
        /// What was found, in words without payload.
        what: &'static str,
        /// Where, from the beginning of the frame or of its entries.
        offset: usize,
    },
    /// More than a limit allows.
    #[error("{key} is limited to {limit}")]
    Limit {
        /// The limit's key in `[forward.limits]`.
        key: &'static str,
        /// What it is set to.
        limit: u64,
    },
}

impl DecodeError {
    /// Whether the connection is of no more use: after malformed bytes the next frame cannot be found.
    pub fn closes_connection(&self) -> bool {
        matches!(self, Self::Malformed { .. })
    }
}
