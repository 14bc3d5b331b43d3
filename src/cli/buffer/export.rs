//! `forebay buffer export`: what waits, as one file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Data, Exit, complain, fail, moved_in_words, open, tell_wounds};
use crate::buffer;

/// From where to where.
#[derive(Args, Debug)]
pub(crate) struct ExportOptions {
    /// The file to write, which must not be there yet; `-` for standard output.
    #[arg(value_name = "FILE")]
    to: PathBuf,

    /// A data directory, or the buffer in one, instead of the configured one.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["config", "data_dir"])]
    from: Option<PathBuf>,

    #[command(flatten)]
    data: Data,
}

/// Writes it. Failed where something could not be read; what could be is in the file all the same.
pub(super) fn export(options: &ExportOptions) -> Exit {
    let to = (options.to != Path::new("-")).then_some(options.to.as_path());
    if to.is_none() && std::io::stdout().is_terminal() {
        complain("an export is no text: name a file, or send standard output to one");
        return Exit::Refused;
    }
    let snapshot = match open(options.from.as_deref(), &options.data) {
        Ok(snapshot) => snapshot,
        Err(exit) => return exit,
    };
    let moved = match buffer::export(&snapshot, to) {
        Ok(moved) => moved,
        Err(fault) if fault.is_broken_pipe() => return fail("nobody reads the export any more"),
        Err(fault) => return fail(fault),
    };
    complain(&format!("exported {}", moved_in_words(&moved)));
    if snapshot.is_in_use() {
        complain(
            "a daemon runs on this buffer and goes on delivering: what it delivers is in the export too",
        );
    }
    tell_wounds(&moved.wounds)
}
