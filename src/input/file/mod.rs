//! Files as a source of events: what `forebay replay` and `[[tail]]` share.
//!
//! ```text
//!  bytes ─ unpack ─ text ─► lines ─ form ─► block ─► the pass of any input
//!                           id of each      entries
//! ```

mod block;
mod blocks;
mod form;
mod lines;
mod mark;
mod progress;

pub(crate) use block::{Block, Fixed, Said};
pub(crate) use blocks::{Blocks, Oddities};
pub(crate) use form::Form;
pub(crate) use lines::{Line, Lines, Rest};
pub(crate) use mark::Mark;
pub(crate) use progress::{Course, Progress, Resting, Step};
