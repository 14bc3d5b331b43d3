//! How a content begins, so that its copies are known wherever they lie and whatever they are called.
//!
//! Kept are the hashes of its first 1, 2, 4, … lines, as far as they stand in its head. Two contents begin alike if the longest
//! of these beginnings that both have is the same: at least half of the shorter one's lines have been compared then.

use serde::{Deserialize, Serialize};

use super::{HEAD, Lines, Mark, Rest};

/// See the module.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Beginning(Vec<u64>);

impl Beginning {
    /// That of a content with this head; of none of its lines where the first has no end in it.
    pub(crate) fn of(head: &[u8]) -> Self {
        let (mut lines, mut chains) = (Lines::new(head, Mark::default(), HEAD), Vec::new());
        while let Ok(Some(line)) = lines.next(Rest::Waits) {
            if line.end.lines.is_power_of_two() {
                chains.push(line.end.chain);
            }
        }
        Self(chains)
    }

    /// Whether nothing is known of it.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of its first line, by which files are looked up.
    pub(crate) fn file(&self) -> Option<u64> {
        self.0.first().copied()
    }

    /// Whether the two begin alike.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let last = self.0.len().min(other.0.len()).checked_sub(1);
        last.is_some_and(|last| self.0.get(last) == other.0.get(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Beginning {
        Beginning::of(lines.join("\n").as_bytes())
    }

    #[test]
    fn a_copy_begins_alike_however_far_it_goes_and_however_its_lines_end() {
        let whole = of(&["a", "b", "c", "d", "e", ""]);
        for copy in
            [&["a", ""][..], &["a\r", "b\r", ""], &["a", "b", "c", ""], &["a", "b", "c", "d", "e", "f", ""]]
        {
            assert!(of(copy).agrees(&whole) && whole.agrees(&of(copy)), "{copy:?}");
        }
    }

    #[test]
    fn what_goes_on_otherwise_or_has_no_line_yet_does_not_begin_alike() {
        let whole = of(&["banner", "b", "c", "d", ""]);
        for other in [&["banner", "x", ""][..], &["else", ""], &["banner"], &[]] {
            assert!(!of(other).agrees(&whole), "{other:?}");
        }
        assert_eq!(of(&["banner", "x", ""]).file(), whole.file());
    }
}
