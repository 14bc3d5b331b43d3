//! Batches of encoded documents, in memory and on disk, and the promises about them.
//!
//! ```text
//!  encoder ─ take_open / give_open ─► open ─ full, promised or old ─► queue ─ pop ─► loan ─► delivered: forgotten
//!                               promised and small ─► group ─ sync ─►│  ▲            └────► returned: back to its place
//!                                      promise, pressure, age, stop  ▼  │ read back
//!                                                                   segments
//! ```
//!
//! - **Safe** means synced to disk or delivered; only then is a receipt resolved. One sync serves all that wait, and
//!   what is small of it is one batch: the group, which is sealed when the writer is ready for it.
//! - A batch is spilled for one of four reasons: promise, pressure, age, stop. With a healthy target and nobody who
//!   waits for a receipt, not a file is created.
//! - **In order**: batches leave in the order in which they were sealed, across spills and restarts; what is
//!   returned goes first.
//! - **Bounded**: see `Buffer` for memory and `BufferOptions` for disk. A full or failing disk makes senders wait, unless
//!   `when_full` says what is to be given up instead; that is counted by tag and said as an ERROR.
//! - **Nothing twice** is the document ids' business: after a crash a document may leave a second time, under its id.

mod batch;
mod delivery;
mod disk;
mod extent;
mod full;
mod group;
mod handle;
mod held;
mod loan;
mod memory;
mod options;
mod queue;
mod recall;
mod receipt;
mod shared;
mod slot;
mod spilled;
mod stop;
mod survey;
mod teller;
mod transfer;
mod writer;
mod writes;

#[cfg(test)]
mod tests;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use disk::fuzzing;

pub use batch::{Batch, OpenBatch, PartId, TagRun};
pub use delivery::{Delivery, Settled};
pub use disk::OpenError;
pub(crate) use disk::{Found, Snapshot, Stored as StoredRecord, Wound, file_system};
pub use handle::{Buffer, BufferStats, KeptPart, KeptParts};
pub use options::{BufferOptions, SegmentCompression, WhenFull};
pub use recall::Recall;
pub use receipt::{Receipt, Waiter};
pub use stop::StopReport;
pub(crate) use survey::{Counts, Document, Segment, Survey};
pub(crate) use transfer::{Moved, export, import};
