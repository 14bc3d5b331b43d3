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

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::options::Options;
use super::{Exit, complain, refuse, say};
use crate::buffer::{Moved, Snapshot, Wound};
use crate::config::Config;

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

/// The daemon's own data directory.
#[derive(Args, Debug)]
struct Data {
    /// The daemon's configuration file, for its data directory. [env: FOREBAY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The daemon's data directory.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

impl Data {
    fn load(&self) -> Result<Config, Exit> {
        let options = Options::of_data(self.config.clone(), self.data_dir.clone());
        options.load().map_err(|faults| refuse(&faults))
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

pub(super) fn fail(why: impl Display) -> Exit {
    complain(&why.to_string());
    Exit::Failed
}

/// Tells of each wound; whether there was none.
fn tell_wounds(wounds: &[Wound]) -> Exit {
    wounds.iter().for_each(|wound| complain(&wound.to_string()));
    if wounds.is_empty() { Exit::Clean } else { Exit::Failed }
}

/// `1 document`, `2 documents`.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = match what.strip_suffix("ch") {
        _ if number == 1 => what.to_owned(),
        Some(stem) => format!("{stem}ches"),
        None => format!("{what}s"),
    };
    format!("{number} {plural}")
}

/// A size as people read it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    // why: a size that is read by people need not be exact beyond three digits.
    #[allow(clippy::cast_precision_loss)]
    let mut value = bytes as f64 / 1024.0;
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = UNITS.iter();
    let mut name = unit.next();
    while value >= 1024.0 && unit.len() > 0 {
        value /= 1024.0;
        name = unit.next();
    }
    format!("{value:.1} {}", name.unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_read_as_people_write_them() {
        let sizes = [0, 1023, 1024, 1536, 1 << 20, 5 << 40, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "5.0 TiB", "16777216.0 TiB"]);
        let counts = [count(1, "batch"), count(2, "batch"), count(0, "document"), count(1, "document")];
        assert_eq!(counts, ["1 batch", "2 batches", "0 documents", "1 document"]);
    }
}
