//! What tells the records of a segment from bytes of peers that look like records.
//!
//! A payload may hold any bytes, a whole record with fitting checksums too: a part of a docker line is stored as it came.
//! A reader that goes from record to record never looks there. One that lost its way, and searches for the next record,
//! would take it for one, and send what a peer chose, actions included. So each segment has a random number, which its
//! records carry and no peer gets to see, and a search believes nothing without it.

use std::num::NonZeroU32;

/// The upper half of a voucher. As the number of a part, which is below 2^63, it would be nobody's, so that releases that
/// know no salt read such a record as any other.
const VOUCHER: u64 = 0xffff_ffff << 32;

/// The number of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Salt(NonZeroU32);

impl Salt {
    /// One for a new segment; none where the system has no random numbers, so that nothing is searched for in it.
    pub(super) fn random() -> Option<Self> {
        getrandom::u32().ok().and_then(Self::of)
    }

    /// As a header has it: 0 is none.
    pub(super) fn of(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    pub(super) fn number(self) -> u32 {
        self.0.get()
    }

    /// What each record of a segment with this salt carries, as the last number of the parts that it made obsolete.
    pub(super) fn voucher(salt: Option<Self>) -> u64 {
        VOUCHER | u64::from(salt.map_or(0, Self::number))
    }

    /// As a record carries it.
    pub(super) fn of_voucher(number: u64) -> Option<Self> {
        u32::try_from(number.checked_sub(VOUCHER)?).ok().and_then(Self::of)
    }

    /// Whether what has the place of a part's number is none.
    pub(super) fn is_voucher(number: u64) -> bool {
        number >= VOUCHER
    }
}
