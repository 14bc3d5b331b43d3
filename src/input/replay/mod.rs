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

mod beside;
mod find;
mod job;
mod rate;
mod reader;
mod report;
mod source;
mod sources;
mod stream;
mod taker;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;

pub use find::Found as FoundFiles;
pub use job::{Job, ReplayOptions};
pub use rate::Rate;
pub use report::{SourceLine, SourceReport, written};

use reader::Reader;

/// Starts reading; [`Job::ended`] tells when it is done.
pub fn start(job: &Arc<Job>, standard_input: bool, runtime: &Handle) -> std::io::Result<()> {
    let begin = |name: &str, run: fn(Reader)| {
        let reader = Reader::new(Arc::clone(job), runtime.clone());
        let running = job.begin_thread();
        let job = Arc::clone(job);
        let run = move || {
            // why: what it was to read is not taken, and who asked for it has to hear of that.
            if panic::catch_unwind(AssertUnwindSafe(|| run(reader))).is_err() {
                job.lose_reader();
            }
            drop(running);
        };
        thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
    };
    job.begin_reading(job.readers() + usize::from(standard_input));
    if standard_input {
        begin("stdin", Reader::standard_input)?;
    }
    (0..job.readers()).try_for_each(|_| begin("reader", Reader::run))
}
