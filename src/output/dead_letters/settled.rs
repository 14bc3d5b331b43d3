//! Which letters of a file are settled: `dead-letters-TIME.settled` beside `dead-letters-TIME.ndjson`, a line for each
//! letter with the byte at which it begins.
//!
//! A letter file is only ever appended to, by the daemon or by one replay, so that a place in it names a letter for good
//! and taking letters out needs no lock against who writes. Only a replay writes here, and there is one at a time. A
//! line counts once its end is there: a torn one is cut before the next is written. One that cannot be read is passed
//! over: its letter is sent again, under the id that it had.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The places of the letters of `file` that are settled.
pub(crate) fn read(file: &Path) -> io::Result<HashSet<u64>> {
    let path = path(file);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(places(&path, &bytes)),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(fault) => Err(io::Error::new(fault.kind(), format!("{}: {fault}", path.display()))),
    }
}

fn places(path: &Path, bytes: &[u8]) -> HashSet<u64> {
    let (mut places, mut unreadable) = (HashSet::new(), 0);
    for line in whole(bytes).split_inclusive(|byte| *byte == b'\n') {
        match str::from_utf8(line).ok().and_then(|line| line.trim_end().parse().ok()) {
            Some(place) => drop(places.insert(place)),
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        tracing::warn!(file = %path.display(), lines = unreadable, "damaged marks of letters are passed over");
    }
    places
}

/// Settles the letters of `file` at `places`; synced. One call at a time.
pub(super) fn add(file: &Path, places: impl IntoIterator<Item = u64>) -> io::Result<()> {
    let path = path(file);
    let mut marks = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
    let mut before = Vec::new();
    marks.read_to_end(&mut before)?;
    let end = whole(&before).len() as u64;
    marks.set_len(end)?;
    marks.seek(SeekFrom::Start(end))?;
    let lines: String = places.into_iter().map(|place| format!("{place}\n")).collect();
    marks.write_all(lines.as_bytes())?;
    marks.sync_all()?;
    if before.is_empty()
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

fn whole(bytes: &[u8]) -> &[u8] {
    memchr::memrchr(b'\n', bytes).and_then(|end| bytes.get(..=end)).unwrap_or_default()
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

    #[test]
    fn damaged_marks_are_passed_over_and_the_others_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dead-letters-20261123T120000.000000001Z.ndjson");
        std::fs::write(path(&file), b"0\n\xff\n1 2\n120\n\xff").expect("damaged marks");
        assert_eq!(read(&file).expect("marks"), HashSet::from([0, 120]));
        add(&file, [500]).expect("written");
        assert_eq!(read(&file).expect("marks"), HashSet::from([0, 120, 500]));
    }
}
