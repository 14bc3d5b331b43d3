//! Files that are still being written, followed as they grow.
//!
//! ```text
//!  globs ─► table ─ turn ─► followed ─ enter ─► source ─► file::Blocks ─► the pass of any input
//!    ▲        ▲              inode      where     bytes                     │ receipts
//!   watch ────┘                         positions ◄───────────────────────┘
//! ```
//!
//! - **Exactly once**: an id comes from what a file holds (see [`Mark`](super::file)), and where reading goes on from what was
//!   safe of it; renamed, copied or moved it is the same file, and what is read twice has the same ids.
//! - **Nothing lost to rotation**: a file is known by its inode as long as it is open, and is read to its end under whatever name,
//!   or none. What was emptied is read from its beginning; a copy of what it held goes on where reading had come.
//! - **Back-pressure**: a table reads a block, and hands it on; while the buffer has no room, nothing is read.
//! - **Bounded**: a file that rests has neither a buffer nor, after a while, a handle.

mod begin;
mod begun;
mod carry;
mod decoded;
mod enter;
mod followed;
mod globs;
mod naming;
mod options;
mod packed;
mod positions;
mod run;
mod source;
mod survey;
mod table;
mod turn;
mod watch;

use followed::Key;
pub(in crate::input) use followed::key_of;
pub(in crate::input) use globs::Globs;
pub(crate) use naming::{check_tag, tells_files_apart};
pub use options::{Start, TailOptions};
pub(crate) use run::HANDLES;
pub use run::{TailError, Tails};
pub(crate) use survey::{check_excluded, check_paths, survey};
