//! `forebay buffer import`: other buffers into this daemon's.

use std::path::PathBuf;

use clap::Args;

use super::{Data, Exit, complain, count, fail, moved_in_words, say, tell_wounds};
use crate::buffer::{self, Snapshot};

/// What to take in.
#[derive(Args, Debug)]
pub(crate) struct ImportOptions {
    /// An export, a data directory, or the buffer in one.
    #[arg(value_name = "FILE|DIR", required = true)]
    from: Vec<PathBuf>,

    #[command(flatten)]
    data: Data,
}

/// Takes it in. Failed where something could not be read; what could be has been imported all the same.
pub(super) fn import(options: &ImportOptions) -> Exit {
    let config = match options.data.load() {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let sources: Result<Vec<_>, _> = options.from.iter().map(|path| Snapshot::open(path)).collect();
    let sources = match sources {
        Ok(sources) => sources,
        Err(fault) => return fail(fault),
    };
    let moved = match buffer::import(&config.buffer_dir(), &config.buffer, &sources) {
        Ok(moved) => moved,
        Err(fault) => return fail(fault),
    };
    say(&format!("imported {}", moved_in_words(&moved)));
    if moved.known > 0 {
        say(&format!("left out {} that the buffer had already", count(moved.known, "document")));
    }
    if !moved.wounds.is_empty() {
        complain("what follows could not be read and was not imported:");
    }
    tell_wounds(&moved.wounds)
}
