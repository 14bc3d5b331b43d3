//! Delivery marks: which records of a segment are settled.
//!
//! A mark that is lost or damaged costs a second delivery under the same ids, never a document; so marks
//! are appended without a sync unless one is asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;

use super::files::{remove_if_there, sync_dir};
use super::header::{take_u32, take_u64};

const HEADER: usize = 16;
const MARK: usize = 12;
const MAGIC: &[u8; 8] = b"FOREBAYD";
const VERSION: u32 = 1;

/// What the name of a file ends in that is to take the place of another.
pub(super) const ANEW: &str = "new";

/// The marks of one segment, open for more.
pub(super) struct Marks {
    file: File,
    /// Whether a power cut may still take the file's name away.
    is_new: bool,
}

impl Marks {
    /// Opens the marks of a segment for appending, behind the last whole one; starts them where there are none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let mut marks = Self { file, is_new: false };
        let length = marks.length()?;
        marks.is_new = length < HEADER as u64;
        if marks.is_new {
            marks.file.set_len(0)?;
            (&marks.file).write_all(&header())?;
        } else {
            marks.file.set_len(length - (length - HEADER as u64) % MARK as u64)?;
        }
        Ok(marks)
    }

    /// Says that the record with this sequence is settled.
    pub(super) fn append(&mut self, sequences: &[u64]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(sequences.len() * MARK);
        for sequence in sequences.iter().map(|sequence| sequence.to_le_bytes()) {
            bytes.extend_from_slice(&sequence);
            bytes.extend_from_slice(&crc32c::crc32c(&sequence).to_le_bytes());
        }
        self.file.write_all(&bytes)
    }

    /// Everything appended is on disk afterwards, and the file is in `dir`, where it was opened.
    pub(super) fn sync(&mut self, dir: &Path) -> io::Result<()> {
        self.file.sync_data()?;
        if self.is_new {
            sync_dir(dir)?;
        }
        self.is_new = false;
        Ok(())
    }

    /// Puts a file with what can be read of the marks at `path`, and `sequences`, in their place, durable in `dir`.
    pub(super) fn anew(path: &Path, sequences: &[u64], dir: &Path) -> io::Result<Self> {
        let mut settled = read(path)?;
        settled.extend_from_slice(sequences);
        settled.sort_unstable();
        settled.dedup();
        let fresh = path.with_extension(ANEW);
        let made = Self::replacing(path, &fresh, &settled).and_then(|mut marks| {
            marks.sync(dir)?;
            Ok(marks)
        });
        if made.is_err() {
            // why: the fault that is reported is the first one, and a start removes what is left.
            remove_if_there(&fresh).ok();
        }
        made
    }

    fn replacing(path: &Path, fresh: &Path, settled: &[u64]) -> io::Result<Self> {
        remove_if_there(fresh)?;
        let mut marks = Self::open(fresh)?;
        marks.append(settled)?;
        marks.file.sync_data()?;
        fs::rename(fresh, path)?;
        Ok(marks)
    }

    /// Bytes on disk.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

fn header() -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[0..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..12]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The settled sequences of a segment, sorted; none where there is no file. Marks that cannot be believed are
/// left out, and a file with a header that cannot be is removed, so that new marks can be trusted again.
pub(super) fn read(path: &Path) -> io::Result<Vec<u64>> {
    let look = look(path)?;
    if look.is_headless {
        remove_if_there(path)?;
    }
    Ok(look.settled)
}

/// A file of marks as it is.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The settled sequences, sorted.
    pub(super) settled: Vec<u64>,
    /// Where there are bytes that are no marks.
    pub(super) damaged: Vec<Range<u64>>,
    /// Whether it ends within a mark, or the header.
    pub(super) is_torn: bool,
    /// Whether the header is none, so that nothing is believed.
    is_headless: bool,
}

/// As [`read`], and leaves the file alone.
pub(super) fn look(path: &Path) -> io::Result<Look> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Look::default()),
        Err(fault) => return Err(fault),
    };
    let mut look = Look::default();
    match bytes.strip_prefix(&header()) {
        Some(marks) => look.take(marks),
        None => {
            look.is_headless = true;
            look.is_torn = bytes.len() < HEADER;
            look.damaged.push(0..bytes.len() as u64);
        }
    }
    look.settled.sort_unstable();
    Ok(look)
}

impl Look {
    fn take(&mut self, marks: &[u8]) {
        self.is_torn = !marks.len().is_multiple_of(MARK);
        let mut at = HEADER as u64;
        for mark in marks.chunks(MARK) {
            let end = at + mark.len() as u64;
            match parse(mark) {
                Some(sequence) => self.settled.push(sequence),
                None => match self.damaged.last_mut().filter(|last| last.end == at) {
                    Some(last) => last.end = end,
                    None => self.damaged.push(at..end),
                },
            }
            at = end;
        }
    }
}

fn parse(mut mark: &[u8]) -> Option<u64> {
    let crc = crc32c::crc32c(mark.get(..8)?);
    let sequence = take_u64(&mut mark)?;
    (take_u32(&mut mark)? == crc).then_some(sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_cut_or_flipped_anywhere_are_a_subset_of_the_true_ones() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("7.done");
        Marks::open(&path).and_then(|mut marks| marks.append(&[3, 4, 900])).expect("three marks");
        let whole = std::fs::read(&path).expect("the marks");
        assert_eq!(read(&path).expect("whole"), [3, 4, 900]);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            for bytes in [&whole[..at], &flipped] {
                std::fs::write(&path, bytes).expect("a damaged file");
                let look = look(&path).expect("no error");
                assert_eq!(
                    look.damaged.iter().filter(|range| range.is_empty()).count(),
                    usize::from(at == 0 && bytes.is_empty())
                );
                assert!(bytes.len() < whole.len() || look.damaged.len() == 1, "at {at}: {look:?}");
                let marks = read(&path).expect("no error");
                assert_eq!(marks, look.settled);
                assert!(marks.len() < 3 && marks.iter().all(|mark| [3, 4, 900].contains(mark)), "at {at}");
            }
        }
    }

    #[test]
    fn marks_that_are_written_anew_are_all_there_and_go_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("7.done");
        Marks::open(&path).and_then(|mut marks| marks.append(&[4, 2])).expect("two marks");
        let mut marks = Marks::anew(&path, &[4, 9], dir.path()).expect("four marks, one of them twice");
        marks.append(&[11]).and_then(|()| marks.sync(dir.path())).expect("one more");
        assert_eq!(read(&path).expect("readable"), [2, 4, 9, 11]);
        assert_eq!(fs::read_dir(dir.path()).expect("the directory").count(), 1);
    }

    #[test]
    fn marks_go_on_behind_the_last_whole_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("7.done");
        Marks::open(&path).and_then(|mut marks| marks.append(&[1, 2])).expect("two marks");
        let torn = std::fs::read(&path).expect("the marks");
        std::fs::write(&path, &torn[..torn.len() - 5]).expect("a torn mark");
        Marks::open(&path).and_then(|mut marks| marks.append(&[3])).expect("one more");
        assert_eq!(read(&path).expect("readable"), [1, 3]);
    }
}
