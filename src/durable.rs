//! Directories that are still there after a power cut, with the names in them.
//!
//! A file that is synced is lost all the same if the name that leads to it is not: a name is the business of the
//! directory that it stands in, and of no other.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes `dir` and what is missing above it, each name durable in the directory that it stands in.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    create(dir, &DirBuilder::new())
}

/// The same, where `dir` itself, if it is missing, gets a mode that keeps others out: logs are in it.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    create(dir, DirBuilder::new().mode(0o700))
}

fn create(dir: &Path, builder: &DirBuilder) -> io::Result<()> {
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    if !dir.is_dir() {
        create_dir(parent)?;
        match builder.create(dir) {
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_directory_is_its_owners_alone_and_one_that_is_there_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (above, private) = (folder.path().join("a"), folder.path().join("a/b"));
        let mode = |dir: &Path| fs::metadata(dir).expect("a directory").permissions().mode() & 0o777;
        create_private_dir(&private).expect("made");
        assert_eq!(mode(&private), 0o700);
        let before = mode(&above);
        create_private_dir(&above).expect("there");
        assert_eq!(mode(&above), before);
    }

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
