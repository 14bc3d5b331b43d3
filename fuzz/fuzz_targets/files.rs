//! Any bytes as a file that is more than lines, read as what they are and as what they are not.
//!
//! - What is handed on is the same whatever room a reader has, and a break of the file at any byte changes nothing of what
//!   stands whole before it.
//! - Places only grow, and none lies behind the end; a document has no end of a line in it, and nothing is longer than it may be.
//! - No two events have one id.
//!
//! Input: a byte for the kind, one for the room; then the bytes.
#![no_main]

use std::collections::HashSet;
use std::io::Read;

use forebay::input::file::fuzzing::{All, LONGEST, read};
use forebay_fuzz::input::Input;

/// Bytes that an own id of 16 has in place of a document's.
const PLACE: usize = 16;

/// Gives a few bytes at a time.
struct Drip<'b>(&'b [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (kind, room) = (input.byte(), usize::from(input.byte()) + 1);
    let bytes = input.0;
    let all = read(kind, bytes, &mut Drip(bytes, room));
    assert_eq!(all, read(kind, bytes, &mut &*bytes), "another room");
    is_sound(&all, bytes.len());
    let cut = &bytes[..bytes.len() - bytes.len().min(room)];
    let before = read(kind, bytes, &mut &*cut);
    is_sound(&before, cut.len());
    // What came last may be what was cut.
    let whole = before.taken.len().saturating_sub(1);
    let same = before.taken.iter().zip(&all.taken).take(whole).filter(|(cut, all)| cut.bytes == all.bytes);
    assert_eq!(same.count(), whole, "{before:?} of {all:?}");
});

fn is_sound(all: &All, length: usize) {
    assert!(all.ends.is_sorted(), "{:?}", all.ends);
    assert!(all.ends.iter().all(|end| *end <= length as u64), "{:?} of {length}", all.ends);
    let mut ids = HashSet::new();
    for taken in &all.taken {
        assert!(taken.bytes.len() <= 8 * LONGEST, "{taken:?}");
        if taken.what == "document" {
            assert!(!taken.bytes.contains(&b'\n'), "{taken:?}");
        }
        if taken.what == "event" {
            assert!(taken.place.1.len() == PLACE && ids.insert(&taken.place.1), "{taken:?}");
        }
    }
}
