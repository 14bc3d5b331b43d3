//! Where bytes on disk come from: what they are packed in, and what they are written in.
//!
//! Everything here is synchronous and streams: a reader holds its windows and no more, whatever a file's size, and nothing
//! is written beside what is read.

mod ahead;
mod text;
mod unpack;

pub use text::{Encoding, Text};
pub use unpack::{Content, Found, Trouble, UnpackFault, each_content};
