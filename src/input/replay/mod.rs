//! What lies on disk, through the same path as live traffic, and nothing of it twice.
//!
//! ```text
//!  paths ─ find ─► groups ─► readers ─ each content ─► source ─ blocks ─► taker ─► pass ─► buffer
//!                            threads                   known?             receipt ─► progress
//! ```
//!
//! Promises: a file's ids come from what it holds, so that it can be read again, renamed, moved and repacked without a double; how far
//! each content is safe with the target is kept, so that a replay that was killed goes on; memory is bounded whatever lies there,
//! since readers wait for room and nothing is written to disk but how far they are; what cannot be read is named, and the
//! rest goes on.

mod find;
mod job;
mod rate;
mod reader;
mod report;
mod source;
mod taker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Handle;

pub use find::Found as FoundFiles;
pub use job::{Job, ReplayOptions};
pub use rate::Rate;
pub use report::{SourceLine, SourceReport, written};

use reader::Reader;

/// Starts reading; done when all threads have ended.
pub fn start(job: &Arc<Job>, standard_input: bool, runtime: &Handle) -> std::io::Result<Vec<JoinHandle<()>>> {
    let begin = |name: &str, run: fn(Reader)| {
        let reader = Reader::new(Arc::clone(job), runtime.clone());
        thread::Builder::new().name(name.to_owned()).spawn(move || run(reader))
    };
    let input = standard_input.then(|| begin("stdin", Reader::standard_input));
    let files = (0..job.readers()).map(|_| begin("reader", Reader::run));
    input.into_iter().chain(files).collect()
}
