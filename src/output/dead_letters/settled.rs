//! Which letters of a file are settled: `dead-letters-TIME.settled` beside `dead-letters-TIME.ndjson`, a line for each
//! letter with the byte at which it begins.
//!
//! A letter file is only ever appended to, by the daemon or by one replay, so that a place in it names a letter for good
//! and taking letters out needs no lock against who writes. Only a replay writes here, and there is one at a time. A
//! line counts once its end is there: a torn one is cut before the next is written.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The places of the letters of `file` that are settled.
pub(crate) fn read(file: &Path) -> io::Result<HashSet<u64>> {
    match std::fs::read_to_string(path(file)) {
        Ok(text) => Ok(whole(&text).lines().filter_map(|line| line.parse().ok()).collect()),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(fault) => Err(fault),
    }
}

/// Settles the letters of `file` at `places`; synced. One call at a time.
pub(super) fn add(file: &Path, places: impl IntoIterator<Item = u64>) -> io::Result<()> {
    let path = path(file);
    let mut marks = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
    let mut text = String::new();
    marks.read_to_string(&mut text)?;
    let end = whole(&text).len() as u64;
    marks.set_len(end)?;
    marks.seek(SeekFrom::Start(end))?;
    let lines: String = places.into_iter().map(|place| format!("{place}\n")).collect();
    marks.write_all(lines.as_bytes())?;
    marks.sync_all()?;
    if text.is_empty()
        && let Some(folder) = path.parent()
    {
        // why: without it a crash can lose the name of a new file.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Where the marks of a file of letters are.
pub(super) fn path(file: &Path) -> PathBuf {
    file.with_extension("settled")
}

fn whole(text: &str) -> &str {
    text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_add_up_and_a_torn_one_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dead-letters-20261123T120000.000000001Z.ndjson");
        assert!(read(&file).expect("none").is_empty());
        add(&file, [0, 120]).expect("written");
        let marks = folder.path().join("dead-letters-20261123T120000.000000001Z.settled");
        let mut torn = OpenOptions::new().append(true).open(&marks).expect("marks");
        torn.write_all(b"12").expect("a torn line");
        assert_eq!(read(&file).expect("marks"), HashSet::from([0, 120]));
        add(&file, [500]).expect("written");
        assert_eq!(read(&file).expect("marks"), HashSet::from([0, 120, 500]));
        assert_eq!(std::fs::read_to_string(&marks).expect("text"), "0\n120\n500\n");
    }
}
