//! Where the next record of a segment begins, behind damage that tells nothing about it.
//!
//! What is found was written by the segment's own writer: it has a sound head, and carries the segment's salt where that
//! head says. The work is one pass over the bytes and two small reads for each marker among them, however many a peer
//! has put there; no body is read on the word of a head that nothing vouches for.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memmem;

use super::record::{HEAD, Head, MARKER};
use super::salt::Salt;

/// Bytes looked through at once.
const WINDOW: u64 = 128 << 10;

/// A search in one segment, up to `end`.
pub(super) struct Search<'a> {
    pub(super) file: &'a File,
    pub(super) salt: Salt,
    pub(super) end: u64,
}

impl Search<'_> {
    /// The first record at `from` or behind it.
    pub(super) fn next(&self, mut from: u64) -> io::Result<Option<u64>> {
        let mut window = Vec::new();
        while from.saturating_add(HEAD as u64) <= self.end {
            let length = WINDOW.min(self.end - from);
            window.resize(usize::try_from(length).unwrap_or_default(), 0);
            self.file.read_exact_at(&mut window, from)?;
            for at in memmem::find_iter(&window, MARKER) {
                let at = from + at as u64;
                if self.vouches(at)? {
                    return Ok(Some(at));
                }
            }
            // why: a marker may lie across the end of the window.
            from += length - (MARKER.len() as u64 - 1);
        }
        Ok(None)
    }

    /// Whether a record of this segment begins at `at`, and ends before the end.
    pub(super) fn vouches(&self, at: u64) -> io::Result<bool> {
        let Some(bytes) = self.bytes::<HEAD>(at)? else { return Ok(false) };
        let Ok(head) = Head::parse(&bytes) else { return Ok(false) };
        let voucher = head.voucher_at().filter(|_| at.saturating_add(u64::from(head.length)) <= self.end);
        let Some(voucher) = voucher else { return Ok(false) };
        let found = self.bytes(at + voucher)?;
        Ok(found.map(u64::from_le_bytes) == Some(Salt::voucher(Some(self.salt))))
    }

    fn bytes<const N: usize>(&self, at: u64) -> io::Result<Option<[u8; N]>> {
        if at.saturating_add(N as u64) > self.end {
            return Ok(None);
        }
        let mut bytes = [0; N];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(Some(bytes))
    }
}
