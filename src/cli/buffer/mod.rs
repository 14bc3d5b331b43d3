//! `forebay buffer …`: the buffer on disk, as operators look at it, move it and empty it.
//!
//! `ls`, `verify`, `cat` and `export` only read, and may be used beside a daemon that runs; `import` and `drain` take the
//! directory's lock. Each is thin: what it does is in `buffer` and in `daemon`.

mod cat;
mod drain;
mod export;
mod import;
mod ls;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::stored::Data;
use super::words::{count, size};
use super::{Exit, complain, deliver, fail, failed, say};
use crate::buffer::{Moved, Snapshot, Wound};

/// What to do with the buffer.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists segments, documents that wait, and their tags. Safe beside a daemon that runs.
    Ls(ls::LsOptions),
    /// Checks every checksum, and names segment, offset and cause of what is wrong. Changes nothing.
    Verify(Place),
    /// Prints documents, a JSON object a line: those that wait, unless told otherwise. Safe beside a daemon that runs.
    Cat(cat::CatOptions),
    /// Writes what waits to one file, for `import`. Safe beside a daemon that runs.
    Export(export::ExportOptions),
    /// Takes what waits in other buffers, or in exports of them, into this one. The daemon must be stopped.
    Import(import::ImportOptions),
    /// Delivers what waits, without listening, and ends when nothing is left. The daemon must be stopped.
    Drain(drain::DrainOptions),
}

/// Runs one of them.
pub(super) fn buffer(command: Command) -> Exit {
    match command {
        Command::Ls(options) => ls::ls(&options),
        Command::Verify(place) => verify::verify(&place),
        Command::Cat(options) => cat::cat(&options),
        Command::Export(options) => export::export(&options),
        Command::Import(options) => import::import(&options),
        Command::Drain(options) => drain::drain(&options),
    }
}

/// The buffer to be looked at.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// A data directory, the buffer in one, or an export; the configured data directory where there is none.
    #[arg(value_name = "PATH", conflicts_with_all = ["config", "data_dir"])]
    path: Option<PathBuf>,

    #[command(flatten)]
    data: Data,
}

impl Place {
    fn open(&self) -> Result<Snapshot, Exit> {
        open(self.path.as_deref(), &self.data)
    }
}

/// What is at `path`, or in the configured data directory. A path needs no configuration, which may be on another machine.
fn open(path: Option<&Path>, data: &Data) -> Result<Snapshot, Exit> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => data.load()?.data_dir,
    };
    Snapshot::open(&path).map_err(fail)
}

/// What was moved, in words.
fn moved_in_words(moved: &Moved) -> String {
    let Moved { batches, documents, parts, bytes, .. } = moved;
    let parts = if *parts > 0 { format!(" and {} of lines", count(*parts, "part")) } else { String::new() };
    format!("{} in {}{parts}, {}", count(*documents, "document"), count(*batches, "batch"), size(*bytes))
}

/// Tells of each wound; whether there was none.
fn tell_wounds(wounds: &[Wound]) -> Exit {
    wounds.iter().for_each(|wound| complain(&wound.to_string()));
    if wounds.is_empty() { Exit::Clean } else { Exit::Failed }
}
