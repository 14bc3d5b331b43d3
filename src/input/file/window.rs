//! What was read of a file and not taken yet.
//!
//! It is filled with little at first, and with more from a reader that gives as much as is asked for. Invariants: a byte is copied
//! once, from the reader into the window, and moves once more where it is a part of what is not whole when more is read; room
//! is cleared when it is made, and not again for each read.

use std::io::{self, Read};

use super::ahead::read_uninterrupted;

/// Bytes that are read at once, at most…
const MOST: usize = 128 << 10;

/// …and to begin with: most of what a file has grown by is little.
const FIRST: usize = 8 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    /// What is behind `end` is room.
    bytes: Vec<u8>,
    /// The first byte that was not taken.
    start: usize,
    /// Behind the last that was read.
    end: usize,
    /// How many are asked for next.
    next: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, next: FIRST }
    }
}

impl Window {
    /// What was read and not taken.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes the first `length` bytes of the rest.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(length).min(self.end);
        self.bytes.get(from..self.start).unwrap_or_default()
    }

    /// Takes all of the rest.
    pub(super) fn take_all(&mut self) -> &[u8] {
        self.take(self.end - self.start)
    }

    /// Reads once, behind the rest; 0 at the end. A failure leaves the rest as it was.
    pub(super) fn read(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        self.move_up();
        let room = self.end + self.next;
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        let read = read_uninterrupted(from, self.bytes.get_mut(self.end..room).unwrap_or_default())?;
        self.end += read;
        if read == self.next {
            self.next = (2 * self.next).min(MOST);
        }
        Ok(read)
    }

    /// Gives memory back that nothing is in: for one that may be read on much later.
    pub(super) fn shrink(&mut self) {
        self.move_up();
        self.bytes.truncate(self.end);
        self.bytes.shrink_to_fit();
        self.next = FIRST;
    }

    fn move_up(&mut self) {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_once_and_in_order_however_much_is_taken_between_reads() {
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let (mut from, mut window, mut taken) = (&bytes[..], Window::default(), Vec::new());
        for length in (1..).step_by(777) {
            let read = window.read(&mut from).expect("in memory");
            taken.extend_from_slice(window.take(length));
            if read == 0 && window.rest().is_empty() {
                break;
            }
            if length % 5 == 0 {
                window.shrink();
            }
        }
        assert!(taken == bytes);
    }

    #[test]
    fn a_failure_leaves_the_rest_as_it_was() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                into.fill(b'x');
                Err(io::Error::from_raw_os_error(5))
            }
        }
        let mut window = Window::default();
        window.read(&mut &b"taken, left"[..]).expect("in memory");
        assert_eq!(window.take(7), b"taken, ");
        assert_eq!(window.read(&mut Failing).expect_err("it fails").raw_os_error(), Some(5));
        assert_eq!(window.rest(), b"left");
        assert_eq!(window.take_all(), b"left");
    }
}
