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
mod dead_letters;
mod documents;
mod fluent_bit;
mod fluentd;
mod form;
mod forward;
mod identity;
mod kind;
mod lines;
mod mark;
mod out_file;
mod reading;
mod segment;
mod sheet;
mod sidecar;
mod take;
mod values;

pub(crate) use block::{Block, Fixed, Said};
pub(crate) use blocks::{Blocks, Oddities};
pub(crate) use fluentd::sent as sent_chunk;
pub(crate) use form::Form;
pub(crate) use identity::Identity;
pub(crate) use kind::{Documents, HEAD, Kind};
pub(crate) use lines::{Line, Lines, Rest};
pub(crate) use mark::Mark;
pub(crate) use reading::Reading;
pub(crate) use sheet::{Ready, ReadyId, Sheet};
pub(crate) use take::{Remark, Take};
