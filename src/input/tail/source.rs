//! The bytes of a file that grows, read on from where they were, whether it is open meanwhile or not.
//!
//! Invariant: bytes are taken for those that follow the ones read before only where what was read last, and the beginning of the
//! file, still stand where they stood: a file that was emptied and has grown again beyond that place is no longer the same.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes of its beginning, and of those read last, by which a file is known again.
const KNOWN_BY: usize = 512;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Source {
    file: Option<File>,
    offset: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Source {
    /// From `offset` on.
    pub(super) fn new(file: File, offset: u64) -> io::Result<Self> {
        let back = offset.min(KNOWN_BY as u64);
        let head = bytes_at(&file, 0, back as usize)?;
        let tail = bytes_at(&file, offset - back, back as usize)?;
        Ok(Self { file: Some(file), offset, head, tail })
    }

    /// How far it has been read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The file, if it is open.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Gives the file away, or closes it; what is known of it stays.
    pub(super) fn release(&mut self) -> Option<File> {
        self.file.take()
    }

    /// Goes on with `file`, which is the same if [`Source::goes_on`] says so.
    pub(super) fn open(&mut self, file: File) {
        self.file = Some(file);
    }

    /// Whether the file still holds what was read of it.
    pub(super) fn goes_on(&self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(true) };
        let behind = self.offset - self.tail.len() as u64;
        Ok(bytes_at(file, behind, self.tail.len())? == self.tail
            && bytes_at(file, 0, self.head.len())? == self.head)
    }

    fn remember(&mut self, bytes: &[u8]) {
        let room = KNOWN_BY.saturating_sub(self.head.len()).min(bytes.len());
        if self.offset == self.head.len() as u64 {
            self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
        let last = bytes.get(bytes.len().saturating_sub(KNOWN_BY)..).unwrap_or_default();
        let past = (self.tail.len() + last.len()).saturating_sub(KNOWN_BY);
        self.tail.drain(..past.min(self.tail.len()));
        self.tail.extend_from_slice(last);
        self.offset += bytes.len() as u64;
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(file) = &self.file else { return Ok(0) };
        let read = file.read_at(into, self.offset)?;
        self.remember(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// As many of the bytes at `offset` as there are.
pub(super) fn bytes_at(file: &File, mut offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn rest(source: &mut Source) -> Vec<u8> {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("read");
        bytes
    }

    #[test]
    fn what_is_written_later_is_read_later_though_the_file_was_closed_meanwhile() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "one\n").expect("written");
        let mut source = Source::new(File::open(&path).expect("opened"), 0).expect("read");
        assert_eq!(rest(&mut source), b"one\n");
        drop(source.release());
        assert_eq!(rest(&mut source), b"");
        File::options().append(true).open(&path).expect("opened").write_all(b"two\n").expect("written");
        source.open(File::open(&path).expect("opened"));
        assert!(source.goes_on().expect("read"));
        assert_eq!((rest(&mut source), source.offset()), (b"two\n".to_vec(), 8));
    }

    #[test]
    fn one_that_was_emptied_and_has_grown_beyond_the_place_again_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let lines = |word: &str| -> String {
            (0..100).map(|number| format!("{word} {number:04} same end\n")).collect()
        };
        for place in [0, 5, 100, 1_500] {
            fs::write(&path, lines("one")).expect("written");
            let mut source = Source::new(File::open(&path).expect("opened"), place).expect("read");
            rest(&mut source);
            assert!(source.goes_on().expect("read"));
            fs::write(&path, lines("two") + "more").expect("written");
            assert!(!source.goes_on().expect("read"), "{place}");
        }
    }
}
