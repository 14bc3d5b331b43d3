//! Where a frame ends, found while it is still arriving.
//!
//! Invariant: every byte of a frame is looked at once, however many pieces it arrives in; the limit is tested on what a
//! length field declares, before the bytes are waited for.

use super::DecodeError;
use super::msgpack::shape;

/// What is known of the frame at the front of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// It is there: this many bytes.
    Complete(usize),
    /// At least this many bytes more are needed.
    Need(usize),
}

/// The scan of one frame, carried from read to read.
#[derive(Debug)]
pub struct FrameScan {
    position: u64,
    /// Values that are still to come before the frame is whole.
    values: u64,
    limit: u64,
}

impl FrameScan {
    /// A scan at the beginning of a frame of at most `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { position: 0, values: 1, limit }
    }

    /// Goes on where the last call stopped; `frame` begins with the same bytes as then.
    pub fn advance(&mut self, frame: &[u8]) -> Result<Scanned, DecodeError> {
        self.advance_from(0, frame, |_, _| ())?;
        Ok(self.state(frame.len() as u64))
    }

    /// Goes on where the last call stopped; `bytes` are those of the frame behind the first `passed`. `see` is told of each
    /// value where it begins, and how many are still to come with it.
    pub(super) fn advance_from(
        &mut self,
        passed: u64,
        bytes: &[u8],
        mut see: impl FnMut(u64, u64),
    ) -> Result<(), DecodeError> {
        while self.values > 0 {
            let from = self.position.checked_sub(passed).and_then(|from| usize::try_from(from).ok());
            let Some(rest) = from.and_then(|from| bytes.get(from..)) else { break };
            let offset = usize::try_from(self.position).unwrap_or(usize::MAX);
            let malformed = |what| DecodeError::Malformed { what, offset };
            let Some(shape) = shape(rest).map_err(malformed)? else { break };
            see(self.position, self.values);
            self.position = self.position.saturating_add(shape.head as u64).saturating_add(shape.body);
            self.values = (self.values - 1).saturating_add(shape.members);
            // A value takes at least one byte, so a count beyond the limit cannot be met within it.
            if self.position.saturating_add(self.values) > self.limit {
                return Err(DecodeError::Limit { key: "frame_bytes", limit: self.limit });
            }
        }
        Ok(())
    }

    /// Whether the last value has been looked at.
    pub(super) fn is_whole(&self) -> bool {
        self.values == 0
    }

    /// Where the next value begins, or the frame ends.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn state(&self, have: u64) -> Scanned {
        let need = self.position + self.values;
        match usize::try_from(need.saturating_sub(have)) {
            Ok(0) if self.values == 0 => Scanned::Complete(self.position as usize),
            Ok(more) => Scanned::Need(more.max(1)),
            Err(_) => Scanned::Need(usize::MAX),
        }
    }
}

/// The length of the first `count` values of `bytes`, however deep they go; `None` where they are not all there.
pub(super) fn whole_values(bytes: &[u8], count: u64) -> Option<usize> {
    let mut scan = FrameScan { position: 0, values: count, limit: u64::MAX };
    match scan.advance(bytes) {
        Ok(Scanned::Complete(length)) if length <= bytes.len() => Some(length),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_in_one_byte_pieces_is_found_at_its_last_byte() {
        let frame = [0x93, 0xa1, b't', 0x01, 0x82, 0xa1, b'a', 0xc4, 2, 9, 9, 0xa1, b'b', 0xc0];
        let mut scan = FrameScan::new(1000);
        for end in 0..frame.len() {
            let state = scan.advance(&frame[..end]).expect("well-formed");
            assert!(matches!(state, Scanned::Need(more) if more <= frame.len() - end), "{end}: {state:?}");
        }
        assert_eq!(scan.advance(&frame), Ok(Scanned::Complete(frame.len())));
    }

    /// What was looked at is overwritten with a byte that no frame may hold: a second look would refuse it.
    #[test]
    fn no_byte_of_sixteen_mebibytes_in_small_pieces_is_looked_at_twice() {
        let entry = [0x92, 0x01, 0x81, 0xa1, b'n', 0xcd, 0x01, 0x02];
        let count = (16_u32 << 20) / 8;
        let head = [&[0x92, 0xa1, b't', 0xdd][..], &count.to_be_bytes()].concat();
        let mut frame = [head, entry.repeat(count as usize)].concat();
        let mut scan = FrameScan::new(u64::MAX);
        let mut state = Ok(Scanned::Need(1));
        let mut looked = 0;
        for end in (1_024..frame.len()).step_by(1_024).chain([frame.len()]) {
            state = scan.advance(&frame[..end]);
            let position = usize::try_from(scan.position).expect("in memory").min(end);
            frame[looked..position].fill(0xc1);
            looked = position;
        }
        assert_eq!((state, looked), (Ok(Scanned::Complete(frame.len())), frame.len()));
    }

    #[test]
    fn a_declared_length_over_the_limit_is_refused_before_its_bytes_come() {
        for head in [
            &[0xdb, 0xff, 0xff, 0xff, 0xff][..],
            &[0xc6, 0x00, 0x01, 0x00, 0x00],
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            &[0xdf, 0x80, 0x00, 0x00, 0x00],
        ] {
            let refused = FrameScan::new(65_535).advance(head);
            assert_eq!(refused, Err(DecodeError::Limit { key: "frame_bytes", limit: 65_535 }), "{head:x?}");
        }
    }

    #[test]
    fn the_reserved_byte_is_named_with_its_place() {
        let refused = FrameScan::new(100).advance(&[0x92, 0x01, 0xc1]);
        assert_eq!(refused, Err(DecodeError::Malformed { what: "the reserved byte 0xc1", offset: 2 }));
    }

    proptest! {
        #[test]
        fn cut_anywhere_the_answer_is_the_same(bytes in proptest::collection::vec(any::<u8>(), 1..300), cuts in proptest::collection::vec(0..300_usize, 0..8)) {
            let whole = FrameScan::new(200).advance(&bytes);
            let mut cuts = cuts;
            cuts.retain(|cut| *cut < bytes.len());
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut scan = FrameScan::new(200);
            let mut pieces = Ok(Scanned::Need(1));
            for cut in cuts {
                pieces = scan.advance(&bytes[..cut]);
                if !matches!(pieces, Ok(Scanned::Need(_))) {
                    break;
                }
            }
            prop_assert_eq!(whole, pieces);
        }
    }
}
