//! The values of a file, one after the other: of msgpack, or of JSON with blanks between.
//!
//! Invariants: the window is no larger than a value may be plus a read, whatever comes; nothing is reserved by what bytes declare.

use std::io::{self, Read};

use super::Mark;
use super::window::Window;
use crate::decode::{DecodeError, FrameScan, JsonScan, Scanned, blanks};

/// As long as a frame may be that a listener takes by default, and so any entry that has come in one.
const LONGEST: u64 = 32 << 20;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole<'v> {
    pub(super) bytes: &'v [u8],
    /// Where it begins.
    pub(super) start: Mark,
    /// Where the next one begins.
    pub(super) end: Mark,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Msgpack,
    /// Arrays and objects.
    Json,
}

/// The scan of one value.
enum Scan {
    Msgpack(FrameScan),
    Json(JsonScan),
}

impl Scan {
    fn advance(&mut self, bytes: &[u8]) -> Result<Scanned, DecodeError> {
        match self {
            Self::Msgpack(scan) => scan.advance(bytes),
            Self::Json(scan) => scan.advance(bytes),
        }
    }
}

/// Why there is no next value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The end, or an error of the file system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The content ends inside of a value, of which so many bytes are there.
    #[error("it ends inside of an entry, of which {0} bytes are there")]
    Torn(u64),
    /// What follows is no msgpack, or a value that is too large.
    #[error("{0}")]
    Refused(#[from] DecodeError),
}

/// Values cut out of `R`.
pub(super) struct Values<R> {
    from: R,
    written: Written,
    /// No value may be longer.
    limit: u64,
    /// The next value is at its beginning.
    window: Window,
    /// Blanks that stand before it.
    blanks: u64,
    mark: Mark,
}

impl<R: Read> Values<R> {
    /// The values in `from`, from its beginning on.
    pub(super) fn new(from: R, written: Written) -> Self {
        Self { from, written, limit: LONGEST, window: Window::default(), blanks: 0, mark: Mark::default() }
    }

    /// Where the next value begins.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// The next value; `None` at the end. After an error there is no next one.
    pub(super) fn next(&mut self) -> Result<Option<Whole<'_>>, Stop> {
        let mut scan = self.begin();
        loop {
            self.skip_blanks();
            let rest = self.window.rest();
            let length = rest.len();
            if length > 0
                && let Scanned::Complete(length) = scan.advance(rest)?
            {
                return Ok(Some(self.take(length)));
            }
            if self.window.read(&mut self.from)? == 0 {
                return if length == 0 { Ok(None) } else { Err(Stop::Torn(length as u64)) };
            }
        }
    }

    fn begin(&self) -> Scan {
        match self.written {
            Written::Msgpack => Scan::Msgpack(FrameScan::new(self.limit)),
            Written::Json => Scan::Json(JsonScan::new(self.limit)),
        }
    }

    /// Steps over blanks before a value; one that has begun begins with none.
    fn skip_blanks(&mut self) {
        if self.written == Written::Json {
            let blanks = blanks(self.window.rest());
            self.blanks += self.window.take(blanks).len() as u64;
        }
    }

    fn take(&mut self, length: usize) -> Whole<'_> {
        let (start, bytes) = (self.mark, self.window.take(length));
        self.mark = start.behind(bytes, length as u64 + std::mem::take(&mut self.blanks));
        Whole { bytes, start, end: self.mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], written: Written, limit: u64) -> (Vec<Vec<u8>>, Option<String>) {
        let mut values = Values { limit, ..Values::new(bytes, written) };
        let mut all = Vec::new();
        loop {
            match values.next() {
                Ok(Some(value)) => all.push(value.bytes.to_vec()),
                Ok(None) => return (all, None),
                Err(stop) => return (all, Some(stop.to_string())),
            }
        }
    }

    #[test]
    fn values_come_whole_and_what_is_torn_is_told() {
        let bytes = b"\x92\x01\x80\xa3abc\x92\x02\x80";
        let whole: Vec<Vec<u8>> = vec![b"\x92\x01\x80".into(), b"\xa3abc".into(), b"\x92\x02\x80".into()];
        assert_eq!(all(bytes, Written::Msgpack, 100), (whole.clone(), None));
        let torn = "it ends inside of an entry, of which 2 bytes are there".to_owned();
        assert_eq!(all(&bytes[..9], Written::Msgpack, 100), (whole[..2].to_vec(), Some(torn)));
    }

    #[test]
    fn blanks_between_values_of_json_count_for_places_alone() {
        let whole: Vec<Vec<u8>> = vec![b"[1]".into(), b"{ }".into(), b"[2]".into()];
        assert_eq!(all(b" [1]\n\n{ }[2]\n", Written::Json, 100), (whole, None));
        let mut values = Values::new(&b" [1]\n [2] "[..], Written::Json);
        let places: Vec<_> = std::iter::from_fn(|| Some(values.next().ok()??.end.place)).collect();
        assert_eq!(places, [4, 9]);
    }

    #[test]
    fn no_value_is_longer_than_the_limit_and_none_is_read_behind_garbage() {
        let limited = all(b"\x01\xdb\xff\xff\xff\xff", Written::Msgpack, 100);
        assert_eq!(limited, (vec![vec![1]], Some("frame_bytes is limited to 100".to_owned())));
        let garbage = all(b"\x01\xc1", Written::Msgpack, 100);
        assert_eq!(garbage, (vec![vec![1]], Some("the reserved byte 0xc1 at byte 0".to_owned())));
    }

    #[test]
    fn equal_values_stay_apart() {
        let mut values = Values::new(&b"\x01\x01"[..], Written::Msgpack);
        let mut id = || values.next().ok().flatten().map(|value| value.end.id(value.start).id(0));
        assert_ne!(id(), id());
    }
}
