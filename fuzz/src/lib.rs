//! What several fuzz targets stand on. A target is a file in `fuzz_targets/`, with a doc that says what it holds against
//! what, and a line in `Cargo.toml`.

/// A frame, read plainly.
pub mod frames;

/// Numbers and slices off the front of an input.
pub mod input;

/// What a document should be, as the tests of the encoder have it: it shares no code with the encoder.
#[path = "../../src/encode/reference.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod plain;

/// The reference, for the targets.
pub mod reference;

/// A whole way from a connection to the target, over one buffer for all inputs.
pub mod rig;

/// The format of segments, read and sealed by its description alone.
pub mod segments;

/// Byte streams that come in pieces.
pub mod streams;
