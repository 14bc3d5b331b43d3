//! What a table would follow if it were started now; nothing is read but beginnings.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::TailOptions;
use super::globs::Globs;

/// What was found.
#[derive(Debug)]
pub(crate) struct Survey {
    /// How many files there are.
    pub(crate) files: usize,
    /// Files and folders that cannot be read, and why.
    pub(crate) troubles: Vec<(PathBuf, io::Error)>,
}

/// Looks for the files of `options`.
pub(crate) fn survey(options: &TailOptions) -> Result<Survey, String> {
    let found = Globs::new(&options.paths, &options.exclude)?.find();
    let files = found.files.len();
    let opened = found.files.into_iter().filter_map(|(path, _)| {
        let fault = File::open(&path).and_then(|mut file| file.read(&mut [0])).err()?;
        Some((path, fault))
    });
    let troubles = found.troubles.into_iter().chain(opened).collect();
    Ok(Survey { files, troubles })
}

/// Says what is wrong with patterns, if anything is.
pub(crate) fn check_paths(paths: &[String]) -> Result<(), String> {
    Globs::new(paths, &[]).map(drop)
}

/// The same of patterns of what is left out, which may be names alone.
pub(crate) fn check_excluded(patterns: &[String]) -> Result<(), String> {
    Globs::new(&[], patterns).map(drop)
}
