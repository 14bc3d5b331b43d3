//! Batches of encoded documents, in memory and on disk, and the promises about them.

mod batch;
mod delivery;
mod options;
mod receipt;

pub use batch::{Batch, OpenBatch, PartId, TagRun};
pub use delivery::{Delivery, Settled};
pub use options::BufferOptions;
pub use receipt::{Receipt, Waiter};
