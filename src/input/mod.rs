//! Where events come from.
//!
//! Each input reads bytes and hands the frames in them to its `Pass`, which takes every event through the pipeline
//! into the buffer, waiting where the buffer is full.

pub mod file;
pub mod forward;
pub mod replay;
pub mod tail;

mod counts;
mod documents;
mod dropped;
mod events;
mod letters;
mod origin;
mod pass;
mod pipelines;
mod records;
mod refuse;
mod route;
mod sampling;
mod shared;
mod source;
mod watch;

pub use origin::{Origin, Retag};
pub use pass::Pass;
pub use records::{LineEntry, Records};
pub use shared::Shared;
pub use source::{Awaited, Source};
pub use watch::{Selection, Watch, Watched};
