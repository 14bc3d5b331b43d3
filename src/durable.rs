//! Directories that are still there after a power cut, with the names in them.
//!
//! A file that is synced is lost all the same if the name that leads to it is not: a name is the business of the
//! directory that it stands in, and of no other.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes `dir` and what is missing above it, each name durable in the directory that it stands in.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    if !dir.is_dir() {
        create_dir(parent)?;
        match fs::create_dir(dir) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => return Err(fault),
            _ => (),
        }
        sync_dir(parent)?;
    }
    Ok(())
}

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_made_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b/c");
        create_dir(&deep).expect("made");
        fs::write(deep.join("file"), "kept").expect("written");
        create_dir(&deep).expect("there");
        assert_eq!(fs::read(deep.join("file")).expect("read"), b"kept");
        let fault = create_dir(&deep.join("file/below")).expect_err("below a file");
        assert_eq!(fault.kind(), io::ErrorKind::NotADirectory);
    }
}
