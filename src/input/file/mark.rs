//! How far into a file, told by what the file holds.
//!
//! A [`Mark`] knows the hash of all lines before it, chained line by line, and so what stands behind it gets the same ids
//! wherever the file lies, whatever its name and packing, and however it came to be read up to there: a rotated, renamed or
//! packed copy brings nothing that is new, and two lines that say the same stay two. Files are the same as far as they hold the
//! same bytes from their beginning on; ends of lines do not count.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::encode::IdBase;

/// A place between two lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Mark {
    /// Bytes before it, unpacked and decoded.
    pub(crate) place: u64,
    /// Lines before it.
    pub(crate) lines: u64,
    /// The hash of all of them.
    pub(crate) chain: u64,
    /// The hash of the first line; 0 where there is none yet.
    pub(crate) file: u64,
}

impl Mark {
    /// What the id of the line that ends with `self` is made of, where it began at `start`. It is the number of the line that
    /// counts, and not that of its first byte, which tells how lines end.
    pub(crate) fn id(&self, start: Self) -> IdBase {
        IdBase::of_place(self.file, start.lines, self.chain)
    }

    /// The mark behind a line of these bytes, which with its end takes `length`.
    pub(crate) fn behind(&self, line: &[u8], length: u64) -> Self {
        self.with(xxh3_64_with_seed(line, self.chain), length)
    }

    /// The same of a line that is read in pieces.
    pub(crate) fn begin_long(&self) -> Xxh3 {
        Xxh3::with_seed(self.chain)
    }

    /// The mark behind the long line whose bytes went into `hash`.
    pub(crate) fn behind_long(&self, hash: &Xxh3, length: u64) -> Self {
        self.with(hash.digest(), length)
    }

    fn with(&self, chain: u64, length: u64) -> Self {
        let file = if self.place == 0 { chain } else { self.file };
        Self { place: self.place + length, lines: self.lines + 1, chain, file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_pieces_is_the_same_as_in_one() {
        let before = Mark::default().behind(b"first", 6);
        let mut hash = before.begin_long();
        hash.update(b"sec");
        hash.update(b"ond");
        assert_eq!(before.behind_long(&hash, 7), before.behind(b"second", 7));
    }

    #[test]
    fn equal_lines_have_ids_of_their_own_and_so_have_lines_behind_others() {
        let first = Mark::default().behind(b"same", 5);
        let second = first.behind(b"same", 5);
        let other = Mark::default().behind(b"else", 5).behind(b"same", 5);
        let ids = [first.id(Mark::default()), second.id(first), other.id(first)].map(|id| id.id(0));
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_eq!(second.file, first.file);
    }
}
