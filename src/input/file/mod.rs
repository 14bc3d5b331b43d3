//! Files as a source of events: what `forebay replay` and `[[tail]]` share.
//!
//! ```text
//!  bytes ─ unpack ─ text ─► lines ─ form ─► block ─► the pass of any input
//!                           id of each      entries
//! ```
//!
//! What a content is, [`Kind`] tells by its bytes; whose it is, [`Identity`] by its path.

mod block;
mod blocks;
mod fluentd;
mod form;
mod identity;
mod kind;
mod lines;
mod mark;
mod sidecar;

pub(crate) use block::{Block, Fixed, Said};
pub(crate) use blocks::{Blocks, Oddities};
pub(crate) use form::Form;
pub(crate) use identity::Identity;
pub(crate) use kind::{Documents, HEAD, Kind};
pub(crate) use lines::{Line, Lines, Rest};
pub(crate) use mark::Mark;
