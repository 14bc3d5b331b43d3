//! A frame over its limit, let go as it comes, so that its connection and the frames behind it go on.
//!
//! Invariants: no more of it is kept than its beginning, for the tag, and its end, for the chunk that its sender waits for:
//! [`KEPT`] bytes of each; every byte is looked at once. Only what begins as a frame does is passed over: of anything
//! else, such as another protocol, nobody knows where it ends.

use xxhash_rust::xxh3::Xxh3;

use super::frame::chunk_of;
use super::json::{self, JsonScan};
use super::msgpack::{Item, Reader};
use super::{DecodeError, Frame, FrameScan};

/// Bytes kept of either end. Options of real clients have less than 200.
const KEPT: usize = 4 << 10;

/// A frame that is being passed over.
pub struct Oversized {
    /// The first bytes of the frame.
    head: Vec<u8>,
    /// The last element's first bytes, once it has begun.
    tail: Vec<u8>,
    /// Where the last element begins, as far as is known.
    last: u64,
    /// Bytes let go.
    passed: u64,
    walk: Walk,
    hash: Xxh3,
}

/// The way to the end of the frame.
enum Walk {
    Msgpack(FrameScan),
    Json(JsonScan),
}

impl Oversized {
    /// For a frame in msgpack that begins with `bytes`, and that may be `limit` bytes long; `None` where that is no frame.
    pub fn begin(bytes: &[u8], limit: u64) -> Option<Self> {
        let begins = matches!(Reader::new(bytes).item(), Ok(Item::Array(2..=4)));
        begins.then(|| Self::new(Walk::Msgpack(FrameScan::new(limit))))
    }

    /// The same for one in JSON.
    pub fn begin_json(bytes: &[u8], limit: u64) -> Option<Self> {
        bytes.starts_with(b"[").then(|| Self::new(Walk::Json(JsonScan::new(limit))))
    }

    fn new(walk: Walk) -> Self {
        Self { head: Vec::new(), tail: Vec::new(), last: 0, passed: 0, walk, hash: Xxh3::new() }
    }

    /// Takes what has come of it, and says how many of these bytes can go. They are fewer than came where the frame ends, or
    /// where the head of a value is not all there.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<usize, DecodeError> {
        let last = &mut self.last;
        let (walked, position) = match &mut self.walk {
            Walk::Msgpack(scan) => {
                let walked = scan.advance_from(self.passed, bytes, |position, values| {
                    if values == 1 && *last == 0 {
                        *last = position;
                    }
                });
                (walked, scan.position())
            }
            Walk::Json(scan) => {
                let walked = scan.advance_from(self.passed, bytes);
                *last = scan.last_member();
                (walked, scan.position())
            }
        };
        walked.map_err(|error| match error {
            DecodeError::Limit { limit, .. } => DecodeError::Limit { key: "skip_bytes", limit },
            error => error,
        })?;
        let come = position.saturating_sub(self.passed).min(bytes.len() as u64);
        let length = usize::try_from(come).unwrap_or(bytes.len());
        self.keep(bytes.get(..length).unwrap_or_default());
        Ok(length)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = KEPT - self.head.len();
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if self.last >= self.passed {
            self.tail.clear();
        }
        if self.last > 0 {
            let from = usize::try_from(self.last.saturating_sub(self.passed)).unwrap_or(usize::MAX);
            let room = KEPT - self.tail.len();
            self.tail.extend(bytes.get(from..).unwrap_or_default().iter().take(room));
        }
        self.hash.update(bytes);
        self.passed += bytes.len() as u64;
    }

    /// Whether all of it is gone.
    pub fn is_over(&self) -> bool {
        match &self.walk {
            Walk::Msgpack(scan) => scan.is_whole() && self.passed >= scan.position(),
            Walk::Json(scan) => scan.is_whole() && self.passed >= scan.position(),
        }
    }

    /// Its length, once it is gone.
    pub fn length(&self) -> u64 {
        self.passed
    }

    /// The XXH3-128 of its bytes.
    pub fn hash(&self) -> u128 {
        self.hash.digest128()
    }

    /// Its tag, where that is one.
    pub fn tag(&self) -> Option<Vec<u8>> {
        match &self.walk {
            Walk::Msgpack(_) => Frame::remains(&self.head).0.map(<[u8]>::to_vec),
            Walk::Json(_) => json::tag_of(&self.head),
        }
    }

    /// The chunk that its sender waits for, as one msgpack value.
    pub fn chunk(&self) -> Option<Vec<u8>> {
        match &self.walk {
            Walk::Msgpack(_) => chunk_of(&self.tail).map(<[u8]>::to_vec),
            Walk::Json(_) => json::chunk_of(&self.tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(length: u32, options: &[u8]) -> Vec<u8> {
        let head = [&b"\x93\xa3tag\xc6"[..], &length.to_be_bytes()].concat();
        [head, vec![7; length as usize], options.to_vec()].concat()
    }

    fn forward(count: u16, options: &[u8]) -> Vec<u8> {
        let head = [&b"\x93\xa3tag\xdc"[..], &count.to_be_bytes()].concat();
        [head, b"\x92\x01\x81\xa1n\xc0".repeat(count.into()), options.to_vec()].concat()
    }

    /// Passes over the frame at the front of `stream` in pieces, and answers what stands behind it.
    fn pass(stream: &[u8], piece: usize) -> (Oversized, Vec<u8>) {
        let begun = Oversized::begin_json(stream, 1 << 20).or_else(|| Oversized::begin(stream, 1 << 20));
        let mut oversized = begun.expect("a frame");
        let (mut buffer, mut rest) = (Vec::new(), stream);
        while !oversized.is_over() {
            let (more, later) = rest.split_at(piece.min(rest.len()));
            buffer.extend_from_slice(more);
            rest = later;
            assert!(!buffer.is_empty(), "its end is missed");
            let gone = oversized.pass(&buffer).expect("within the limit");
            buffer.drain(..gone);
            assert!(buffer.len() < 16 + piece, "nothing is kept");
        }
        (oversized, [&buffer, rest].concat())
    }

    proptest! {
        #[test]
        fn in_any_pieces_tag_chunk_length_and_what_follows_are_found(piece in 1..3_000_usize, is_packed: bool, size in 0..2_000_u16) {
            let options = b"\x82\xa5chunk\xa4abcd\xa4size\x01";
            let frame = if is_packed { packed(size.into(), options) } else { forward(size, options) };
            let (oversized, after) = pass(&[&frame[..], b"\xc0next"].concat(), piece);
            prop_assert_eq!(oversized.length(), frame.len() as u64);
            prop_assert_eq!(oversized.hash(), xxhash_rust::xxh3::xxh3_128(&frame));
            prop_assert_eq!(oversized.tag(), Some(b"tag".to_vec()));
            prop_assert_eq!(oversized.chunk(), Some(b"\xa4abcd".to_vec()));
            prop_assert_eq!(after, b"\xc0next");
        }

        #[test]
        fn the_same_holds_of_json(piece in 1..3_000_usize, size in 0..2_000_usize) {
            let frame = format!(r#"["tag",[{}[1,{{"n":"]\""}}]], {{"size":1,"chunk":"abcd"}}]"#, r#"[1,{"n":null}],"#.repeat(size));
            let (oversized, after) = pass(format!("{frame}\n[1]").as_bytes(), piece);
            prop_assert_eq!(oversized.length(), frame.len() as u64);
            prop_assert_eq!(oversized.hash(), xxhash_rust::xxh3::xxh3_128(frame.as_bytes()));
            prop_assert_eq!(oversized.tag(), Some(b"tag".to_vec()));
            prop_assert_eq!(oversized.chunk(), Some(b"\xa4abcd".to_vec()));
            prop_assert_eq!(after, b"\n[1]");
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let json = [b"[", &bytes[..]].concat();
            if let Some(mut oversized) = Oversized::begin_json(&json, 200) {
                let gone = oversized.pass(&json);
                prop_assert!(gone.is_err() || gone.is_ok_and(|gone| gone <= json.len()));
            }
            if let Some(mut oversized) = Oversized::begin(&bytes, 1 << 16) {
                let gone = oversized.pass(&bytes);
                prop_assert!(gone.is_err() || gone.is_ok_and(|gone| gone <= bytes.len()));
            }
        }
    }

    #[test]
    fn what_is_longer_than_may_be_passed_over_or_no_frame_is_refused() {
        let mut oversized = Oversized::begin(b"\x92\xa1t\xc6\xff\xff\xff\xff", 1 << 20).expect("a frame");
        let refused = oversized.pass(b"\x92\xa1t\xc6\xff\xff\xff\xff");
        assert_eq!(refused, Err(DecodeError::Limit { key: "skip_bytes", limit: 1 << 20 }));
        for other in [&b"GET / HTTP/1.1"[..], b"\xdb\xff\xff\xff\xff", b"\x95", b"\xdd\xff\xff\xff\xff"] {
            assert!(Oversized::begin(other, 1 << 20).is_none(), "{other:x?}");
        }
    }
}
