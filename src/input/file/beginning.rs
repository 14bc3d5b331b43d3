//! How a content begins, so that its copies are known wherever they lie and whatever they are called.
//!
//! Kept are the hashes of its first 1, 2, 4, … lines, as far as they stand in its head, and of all lines in that. Two contents
//! begin alike if they are the same as far as their heads go, or if the longest beginning that can be compared is the same and
//! has [`FEWEST`] lines at least: fewer are a banner, or the names of columns, which logs have that are no copies.

use serde::{Deserialize, Serialize};

use super::{HEAD, Lines, Mark, Rest};

/// Lines by which a copy is known that is longer or shorter.
const FEWEST: u64 = 8;

/// See the module.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Beginning {
    /// The hashes of the first 1, 2, 4, … lines.
    chains: Vec<u64>,
    /// How many lines there are in the head…
    lines: u64,
    /// …and the hash of all of them.
    chain: u64,
}

impl Beginning {
    /// That of a content with this head; of none of its lines where the first has no end in it.
    pub(crate) fn of(head: &[u8]) -> Self {
        let (mut lines, mut beginning) = (Lines::new(head, Mark::default(), HEAD), Self::default());
        while let Ok(Some(line)) = lines.next(Rest::Waits) {
            (beginning.lines, beginning.chain) = (line.end.lines, line.end.chain);
            if line.end.lines.is_power_of_two() {
                beginning.chains.push(line.end.chain);
            }
        }
        beginning
    }

    /// Whether nothing is known of it.
    pub(crate) fn is_none(&self) -> bool {
        self.chains.is_empty()
    }

    /// The hash of its first line, by which files are looked up.
    pub(crate) fn file(&self) -> Option<u64> {
        self.chains.first().copied()
    }

    /// Whether the two begin alike.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        if self.lines == other.lines {
            return !self.is_none() && self.chain == other.chain;
        }
        let fewer = self.lines.min(other.lines);
        let chain = |beginning: &Self| beginning.chains.get(fewer.ilog2() as usize).copied();
        fewer >= FEWEST && chain(self) == chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

    fn of(lines: &[&str]) -> Beginning {
        Beginning::of(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes())
    }

    #[test]
    fn a_copy_begins_alike_however_far_it_goes_and_however_its_lines_end() {
        let whole = of(&LINES);
        for lines in FEWEST as usize..=LINES.len() {
            let copy = &LINES[..lines];
            assert!(of(copy).agrees(&whole) && whole.agrees(&of(copy)), "{copy:?}");
            assert!(Beginning::of((copy.join("\r\n") + "\r\n").as_bytes()).agrees(&whole), "{copy:?}");
        }
    }

    #[test]
    fn a_short_log_begins_alike_with_none_but_its_exact_copy() {
        let whole = of(&LINES);
        for lines in 1..FEWEST as usize {
            let short = of(&LINES[..lines]);
            assert!(short.agrees(&of(&LINES[..lines])), "{lines}");
            assert!(!short.agrees(&whole) && !whole.agrees(&short), "{lines}");
            assert!(!short.agrees(&of(&LINES[..lines + 1])), "{lines}");
        }
    }

    #[test]
    fn logs_with_one_banner_or_the_same_columns_do_not_begin_alike() {
        let (banner, header) = (["banner", "version 1"], ["time,level,text"]);
        let log = |head: &[&str], text: &str| of(&[head, &[text; 9][..]].concat());
        for head in [&banner[..], &header[..]] {
            assert!(!of(head).agrees(&log(head, "else")), "{head:?}");
            assert!(!of(&[head, &["one"]].concat()).agrees(&log(head, "else")), "{head:?}");
            assert!(!log(head, "one").agrees(&log(head, "else")), "{head:?}");
        }
    }

    #[test]
    fn what_goes_on_otherwise_or_has_no_line_yet_does_not_begin_alike() {
        let whole = of(&LINES);
        let mut other = LINES;
        other[7] = "x";
        for other in [of(&other), of(&other[..9]), of(&["else"]), Beginning::of(b"a"), Beginning::of(b"")] {
            assert!(!other.agrees(&whole) && !whole.agrees(&other), "{other:?}");
        }
        assert!(!Beginning::of(b"").agrees(&Beginning::of(b"a")));
        assert_eq!(of(&["a", "x"]).file(), whole.file());
    }
}
