//! The lines of a file, one after the other, however long each is.
//!
//! Invariants: the window is no larger than the longest line may be plus a read, whatever comes; of a longer line the beginning is given, and the rest looked at for its end and its hash alone. Zeros
//! in place of text make no line longer than it may be.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

use super::Mark;
use super::window::Window;
use super::zeros::{self, HOLE};

/// One line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'l> {
    /// Its bytes; of one longer than the limit, the first, and of each hole in that as much as tells of it.
    pub(crate) bytes: &'l [u8],
    /// How long it is as a whole, without…
    pub(crate) length: u64,
    /// …so many zeros, which are not among its bytes.
    pub(crate) zeros: u64,
    /// Where it begins.
    pub(crate) start: Mark,
    /// Where the next one begins.
    pub(crate) end: Mark,
}

impl<'l> Line<'l> {
    /// Its bytes without blanks around them, and without what a crash leaves in front of a line in place of what was not written.
    pub(super) fn text(&self) -> &'l [u8] {
        self.bytes.get(zeros::leading(self.bytes)..).unwrap_or_default().trim_ascii()
    }
}

/// What becomes of bytes behind the last end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They wait: more may be written behind them.
    Waits,
    /// They are a line.
    IsLine,
}

/// See the module.
pub(crate) struct Lines<R> {
    from: R,
    limit: usize,
    /// The next line is at its beginning.
    window: Window,
    /// Bytes of it in which no line ends.
    searched: usize,
    mark: Mark,
    /// The line that has become longer than the limit, as far as it has come.
    long: Option<Box<Long>>,
    /// The beginning of the long line that was given last.
    head: Vec<u8>,
}

/// A line that is too long for the buffer.
struct Long {
    hash: Xxh3,
    head: Vec<u8>,
    length: u64,
    /// Zeros that were left out.
    zeros: u64,
    /// Zeros at its end, as far as it has come.
    hole: usize,
    /// Bytes of the file that it takes, as far as it has come.
    taken: u64,
    /// A `\r` that came last, which may be part of the line's end.
    has_return: bool,
}

impl Long {
    fn new(hash: Xxh3) -> Self {
        Self { hash, head: Vec::new(), length: 0, zeros: 0, hole: 0, taken: 0, has_return: false }
    }

    fn add(&mut self, piece: &[u8], limit: usize) {
        let Some((last, before)) = piece.split_last() else { return };
        self.taken += piece.len() as u64;
        if self.has_return {
            self.take(b"\r", limit);
        }
        self.has_return = *last == b'\r';
        self.take(if self.has_return { before } else { piece }, limit);
    }

    fn take(&mut self, piece: &[u8], limit: usize) {
        self.hash.update(piece);
        let mut rest = piece;
        while !rest.is_empty() {
            let (text, behind) = rest.split_at(memchr::memchr(0, rest).unwrap_or(rest.len()));
            let (zeros, behind) = behind.split_at(zeros::leading(behind));
            rest = behind;
            self.hole = if text.is_empty() { self.hole } else { 0 };
            let kept = zeros.len().min(HOLE - self.hole);
            self.hole += kept;
            self.zeros += (zeros.len() - kept) as u64;
            self.keep(text, limit);
            self.keep(zeros.get(..kept).unwrap_or_default(), limit);
        }
    }

    fn keep(&mut self, piece: &[u8], limit: usize) {
        self.length += piece.len() as u64;
        let room = limit.saturating_sub(self.head.len());
        self.head.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }
}

impl<R: Read> Lines<R> {
    /// The lines that stand in `from`, whose first byte is at `mark`; one of more than `limit` bytes is cut.
    pub(crate) fn new(from: R, mark: Mark, limit: usize) -> Self {
        Self { from, limit, window: Window::default(), searched: 0, mark, long: None, head: Vec::new() }
    }

    /// Where the next line begins.
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// Where the bytes come from.
    pub(crate) fn source(&self) -> &R {
        &self.from
    }

    /// The same, to be changed.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.from
    }

    /// Gives memory back that nothing waits in: for one who may come again much later.
    pub(crate) fn rest(&mut self) {
        self.head = Vec::new();
        self.window.shrink();
    }

    /// The next line; `None` when there is none now. Where reading fails, what has come is given when it is asked for again.
    pub(crate) fn next(&mut self, behind: Rest) -> io::Result<Option<Line<'_>>> {
        loop {
            let rest = self.window.rest();
            if let Some(at) = memchr::memchr(b'\n', rest.get(self.searched..).unwrap_or_default()) {
                return Ok(Some(self.take(self.searched + at, 1)));
            }
            self.searched = rest.len();
            if self.long.is_some() || self.searched > self.limit {
                self.set_aside();
            }
            if self.window.read(&mut self.from)? == 0 {
                let is_line = behind == Rest::IsLine && (self.long.is_some() || self.searched > 0);
                return Ok(is_line.then(|| self.take(self.searched, 0)));
            }
        }
    }

    /// What is in the window belongs to a line that is longer than any may be.
    fn set_aside(&mut self) {
        let begin = || Box::new(Long::new(self.mark.begin_long()));
        self.long.get_or_insert_with(begin).add(self.window.take_all(), self.limit);
        self.searched = 0;
    }

    /// The line of the next `length` bytes, whose own end is `ending` bytes long.
    fn take(&mut self, length: usize, ending: usize) -> Line<'_> {
        let (start, taken) = (self.mark, (length + ending) as u64);
        let piece = self.window.take(length + ending).get(..length).unwrap_or_default();
        self.searched = 0;
        let bytes = piece.strip_suffix(b"\r").unwrap_or(piece);
        let has_hole = || bytes.len() > self.limit && memchr::memchr(0, bytes).is_some();
        let long = self.long.take().or_else(|| has_hole().then(|| Box::new(Long::new(start.begin_long()))));
        if let Some(mut long) = long {
            long.add(piece, self.limit);
            self.mark = start.behind_long(&long.hash, long.taken + ending as u64);
            self.head = long.head;
            let (length, zeros) = (long.length, long.zeros);
            return Line { bytes: &self.head, length, zeros, start, end: self.mark };
        }
        self.mark = start.behind(bytes, taken);
        let kept = bytes.get(..self.limit).unwrap_or(bytes);
        Line { bytes: kept, length: bytes.len() as u64, zeros: 0, start, end: self.mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes at a time.
    struct Drip<'b>(&'b [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn all(bytes: &[u8], step: usize, limit: usize) -> Vec<(Vec<u8>, u64, Mark, Mark)> {
        let mut lines = Lines::new(Drip(bytes, step), Mark::default(), limit);
        let mut all = Vec::new();
        while let Some(line) = lines.next(Rest::IsLine).expect("in memory") {
            all.push((line.bytes.to_vec(), line.length, line.start, line.end));
        }
        all
    }

    #[test]
    fn lines_come_without_their_ends_and_the_last_may_have_none() {
        let texts: Vec<_> = all(b"a\r\n\nlong\rer\nend", 3, 100).into_iter().map(|line| line.0).collect();
        assert_eq!(texts, [&b"a"[..], b"", b"long\rer", b"end"]);
        assert!(all(b"", 1, 1).is_empty());
    }

    #[test]
    fn what_has_no_end_yet_waits_for_it() {
        let mut lines = Lines::new(Drip(b"whole\nhal", 4), Mark::default(), 100);
        assert_eq!(lines.next(Rest::Waits).expect("in memory").expect("a line").bytes, b"whole");
        assert_eq!(lines.next(Rest::Waits).expect("in memory"), None);
        *lines.reader() = Drip(b"f\n", 4);
        assert_eq!(lines.next(Rest::Waits).expect("in memory").expect("a line").bytes, b"half");
    }

    #[test]
    fn zeros_do_not_make_a_line_longer_than_it_may_be_however_they_come() {
        let bytes = [b"whole\nhalf", &[0; 5_000][..], b"the rest\nlast\n", &[0; 900]].concat();
        let kept = [b"half", &[0; HOLE][..], b"the rest"].concat();
        for step in [1, 7, 500, 10_000] {
            let lines = all(&bytes, step, 40);
            let told: Vec<_> = lines.iter().map(|line| (line.0.clone(), line.1)).collect();
            let whole = |text: &[u8]| (text.to_vec(), text.len() as u64);
            assert_eq!(told, [whole(b"whole"), whole(&kept), whole(b"last"), whole(&[0; HOLE])], "{step}");
            let unlimited = all(&bytes, step, 10_000);
            assert!(lines.iter().zip(&unlimited).all(|(line, other)| (line.2, line.3) == (other.2, other.3)));
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_come_nor_where_lines_are_cut(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            step in 1_usize..50,
            limit in 1_usize..30,
        ) {
            let (whole, cut) = (all(&bytes, 1_000, 1_000), all(&bytes, step, limit));
            prop_assert_eq!(whole.len(), cut.len());
            for (whole, cut) in whole.iter().zip(&cut) {
                prop_assert_eq!(&whole.0[..whole.0.len().min(limit)], &cut.0[..]);
                prop_assert_eq!((whole.1, whole.2, whole.3), (cut.1, cut.2, cut.3));
            }
            let end = cut.last().map_or(0, |line| line.3.place);
            prop_assert_eq!(end, bytes.len() as u64);
        }
    }
}
