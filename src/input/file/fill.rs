//! How buffers are filled: little at first, and more from a reader that gives as much as is asked for.

use std::io::{self, Read};

use super::ahead::read_uninterrupted;

/// Bytes that are read at once, at most…
const MOST: usize = 128 << 10;

/// …and to begin with: most of what a file has grown by is little.
const FIRST: usize = 8 << 10;

/// How much is asked for next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill(usize);

impl Default for Fill {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Fill {
    /// Reads once, behind what is in `buffer`; 0 at the end. A failure leaves the buffer as it was.
    pub(super) fn read(&mut self, from: &mut dyn Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let filled = buffer.len();
        buffer.resize(filled + self.0, 0);
        let read = read_uninterrupted(from, buffer.get_mut(filled..).unwrap_or_default());
        let count = read.as_ref().map_or(0, |read| *read);
        buffer.truncate(filled + count);
        if count == self.0 {
            self.0 = (2 * self.0).min(MOST);
        }
        read
    }
}
