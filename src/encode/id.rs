//! Document ids: 24 characters that sort by time.
//!
//! 48 bits of the event's time in milliseconds (0 where a named chunk's event has none), then 96 bits that tell apart what falls into one millisecond. For a chunk
//! that its sender names, they are a hash of the chunk's name and payload plus the event's place in it: sent again, it gets
//! the same ids. Otherwise they are a number drawn at start plus a running one. Lucene finds ids that come in order cheaply.
//!
//! What is read from files has no time in its ids, since the same line may be given another time by another configuration:
//! 18 bits of 0, 30 that tell files apart, 48 of the place in the file, 48 of all that the file holds up to there. They come in
//! order all the same, file by file.

use std::io::{self, Read};
use std::time::{SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Length of an id in characters.
pub const ID_LENGTH: usize = 24;

/// The alphabet: `-`, the digits, `A` to `Z`, `_`, `a` to `z`, which are legal in an id and in a URL, in the order of their bytes, so
/// that ids sort as their numbers do. Said here by the first number of each run, and how much farther its characters are from
/// their numbers than those before it.
const RUNS: [(u64, u64); 5] = [(0, 45), (1, 2), (11, 7), (37, 4), (38, 1)];

/// 1 in every byte.
const ONES: u64 = u64::MAX / 255;

const LOW_BITS: u32 = 96;

/// Set where ids shall not begin with the event's time.
const UNDATED: u128 = 1 << 127;

/// Set where the number is one of a place in a file; 126 alone says nothing, as earlier releases kept any number there.
const PLACED: u128 = UNDATED | 1 << 126;

/// Bits of a place in a file.
const PLACE_BITS: u32 = 48;

/// Bits that tell files apart.
const FILE_BITS: u32 = 30;

/// The 96 bits from which the ids of one frame count on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdBase(u128);

impl IdBase {
    /// The same for the same chunk with the same tag and payload, wherever and whenever it comes.
    pub fn of_chunk(tag: &[u8], chunk: &[u8], payload: &[u8]) -> Self {
        let mut hash = Xxh3::new();
        for part in [tag, chunk, payload] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.digest128() & !PLACED)
    }

    /// The same as [`IdBase::of_chunk`] of a payload of `length` bytes that is read piece by piece.
    pub fn of_chunk_read(tag: &[u8], chunk: &[u8], length: u64, payload: &mut dyn Read) -> io::Result<Self> {
        let mut hash = Xxh3::new();
        for part in [tag, chunk] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(&length.to_le_bytes());
        let mut piece = vec![0; 64 << 10];
        loop {
            match payload.read(&mut piece) {
                Ok(0) => return Ok(Self(hash.digest128() & !PLACED)),
                Ok(read) => hash.update(piece.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// That of what stands at `place` in a file, which is the number of its line: `file` is a hash of how the file begins, `content`
    /// one of all that it holds up to the end of what stands there.
    pub fn of_place(file: u64, place: u64, content: u64) -> Self {
        let low = |number: u64, bits: u32| u128::from(number & ((1 << bits) - 1));
        let file = low(file, FILE_BITS) << (2 * PLACE_BITS);
        Self(PLACED | file | low(place, PLACE_BITS) << PLACE_BITS | low(content, PLACE_BITS))
    }

    /// One that no other run of any daemon has.
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        // why: without the system's randomness, the clock and the process tell runs apart well enough to go on.
        if getrandom::fill(&mut bytes).is_err() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            bytes = xxh3_128(&[now.to_le_bytes(), u128::from(std::process::id()).to_le_bytes()].concat())
                .to_le_bytes();
        }
        Self(u128::from_le_bytes(bytes) & !PLACED)
    }

    /// The one `places` further on.
    pub fn plus(self, places: u64) -> Self {
        Self(self.0.wrapping_add(u128::from(places)))
    }

    /// For an event that has no time of its own: the time at which it came would be another when it is sent again.
    pub fn undated(self) -> Self {
        Self(self.0 | UNDATED)
    }

    /// As 16 bytes, to be kept.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From what [`IdBase::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The id of an event of `millis` since 1970 at this very place.
    pub fn id(self, millis: u64) -> [u8; ID_LENGTH] {
        let low = self.0 & ((1 << LOW_BITS) - 1);
        let mut id = [0; ID_LENGTH];
        let (time, place) = id.split_at_mut(8);
        let (upper, lower) = place.split_at_mut(8);
        write_48_bits(time, self.prefix(millis));
        write_48_bits(upper, (low >> 48) as u64);
        write_48_bits(lower, low as u64);
        id
    }
}

impl IdBase {
    /// What an id begins with.
    fn prefix(self, millis: u64) -> u64 {
        match self.0 {
            number if number & PLACED == PLACED => (number >> LOW_BITS) as u64 & ((1 << FILE_BITS) - 1),
            number if number & UNDATED != 0 => 0,
            _ => millis,
        }
    }
}

/// Eight characters for the lower 48 bits, the highest six first: all eight at once, each in a byte of a word.
fn write_48_bits(into: &mut [u8], bits: u64) {
    // Halved three times: 24 bits in each half of the word, 12 in each quarter, 6 in each byte.
    let halves = (bits & 0xff_ffff) << 32 | bits >> 24 & 0xff_ffff;
    let quarters = (halves & 0xfff_0000_0fff) << 16 | halves >> 12 & 0xfff_0000_0fff;
    let digits = (quarters & 0x3f_003f_003f_003f) << 8 | quarters >> 6 & 0x3f_003f_003f_003f;
    let reaches = |first: u64| ((digits | ONES << 7) - ONES * first) >> 7 & ONES;
    let text = RUNS.iter().fold(digits, |text, (first, gap)| text + reaches(*first) * gap);
    into.copy_from_slice(&text.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: [u8; ID_LENGTH]) -> String {
        String::from_utf8(id.to_vec()).expect("ASCII")
    }

    #[test]
    fn ids_sort_by_time_and_then_by_place() {
        let base = IdBase::of_chunk(b"tag", b"chunk", b"payload");
        let base = IdBase(base.0 & 0xffff);
        let mut ids = Vec::new();
        for millis in [0, 1, 63, 64, 1_700_000_000_000, (1 << 48) - 1] {
            for place in [0, 1, 63, 64, 1 << 40] {
                ids.push(text(base.plus(place).id(millis)));
            }
        }
        assert!(ids.is_sorted());
        ids.dedup();
        assert_eq!(ids.len(), 30);
    }

    #[test]
    fn each_digit_is_its_character_of_the_alphabet_at_each_place() {
        let alphabet = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        for (digit, character) in alphabet.iter().enumerate() {
            let mut all = [0; 8];
            write_48_bits(&mut all, (0..8).fold(0, |bits, _| bits << 6 | digit as u64));
            assert_eq!(all, [*character; 8]);
        }
        let mut ordered = [0; 8];
        write_48_bits(&mut ordered, (1..9).fold(0, |bits, digit| bits << 6 | digit));
        assert_eq!(&ordered, b"01234567");
    }

    #[test]
    fn a_chunk_sent_again_gets_the_same_ids_and_any_other_gets_others() {
        let base = IdBase::of_chunk(b"t", b"c", b"p");
        assert_eq!(base, IdBase::of_chunk(b"t", b"c", b"p"));
        for other in [
            IdBase::of_chunk(b"t", b"c", b"q"),
            IdBase::of_chunk(b"t", b"d", b"p"),
            IdBase::of_chunk(b"tc", b"", b"p"),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(IdBase::random(), IdBase::random());
        let read = IdBase::of_chunk_read(b"t", b"c", 1, &mut &b"p"[..]);
        assert_eq!(read.expect("in memory"), base);
    }

    #[test]
    fn an_id_without_a_time_is_the_same_whenever_its_event_comes() {
        let base = IdBase::of_chunk(b"t", b"c", b"p");
        assert_eq!(base.undated().id(1), base.undated().plus(0).id(2));
        assert_ne!(base.undated().id(1), base.undated().plus(1).id(1));
        assert_ne!(base.id(1), base.id(2));
        assert_eq!(IdBase::from_bytes(base.undated().to_bytes()), base.undated());
    }

    #[test]
    fn ids_of_a_file_come_in_order_whatever_the_time_and_no_two_places_or_contents_share_one() {
        let file = |place, content| IdBase::of_place(7, place, content);
        let mut ids: Vec<_> =
            [(0, 9), (1, 3), (64, 1), (1 << 40, 5)].map(|(p, c)| text(file(p, c).id(5))).into();
        assert!(ids.is_sorted());
        assert_eq!(file(1, 3).id(5), file(1, 3).undated().id(1_700_000_000_000));
        ids.extend(
            [file(1, 4), IdBase::of_place(8, 1, 3), IdBase::of_place(7, 2, 3)].map(|base| text(base.id(5))),
        );
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 7);
    }

    #[test]
    fn the_place_carries_over_all_its_bits() {
        let base = IdBase(u128::MAX >> 2);
        assert_eq!(text(base.plus(1).id(0)), "-".repeat(24));
        assert_eq!(IdBase::from_bytes(base.to_bytes()), base);
    }
}
