//! Files as a source of events: what `forebay replay` and `[[tail]]` share.
//!
//! ```text
//!  bytes ─ unpack ─ text ─► lines ─ form ─► block ─► the pass of any input
//!                           id of each      entries
//! ```
//!
//! Everything here is synchronous and streams: a reader holds its windows and no more, whatever a file's size, and nothing
//! is written beside what is read. What a content is, `Kind` tells by its bytes; whose it is, `Identity` by its path.

mod ahead;
mod beginning;
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
mod progress;
mod reading;
mod rotation;
mod segment;
mod sheet;
mod sidecar;
mod take;
mod text;
mod unpack;
mod values;
mod window;
mod zeros;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
/// The field that takes a file's path, unless it is told otherwise: what ECS calls it.
pub(crate) const PATH_FIELD: &str = "log.file.path";

#[cfg(test)]
mod tests;

pub(crate) use beginning::Beginning;
#[cfg(test)]
pub(crate) use block::Said;
pub(crate) use block::{Block, Fixed, Room};
pub(crate) use blocks::{Blocks, Oddities};
pub(crate) use fluentd::sent as sent_chunk;
pub(crate) use form::{Carried, Form};
pub(crate) use identity::Identity;
pub(crate) use kind::{HEAD, Kind};
pub(crate) use lines::{Line, Lines, Rest};
pub(crate) use mark::Mark;
pub use progress::Progress;
pub(crate) use progress::{Course, Resting, Step};
pub(crate) use reading::Reading;
pub(crate) use rotation::{Age, rotation};
pub(crate) use sheet::{Ready, ReadyId, Sheet};
pub(crate) use take::{Remark, Take};
pub use text::{Encoding, Text};
pub(crate) use unpack::packing;
pub use unpack::{Content, Found, Trouble, UnpackFault, each_content};
