//! The buffer's keys, with their defaults.

use std::time::Duration;

use super::disk::must_stay_free;
use crate::units::ByteSize;

/// The `[buffer]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferOptions {
    /// Bytes of encoded documents that memory may hold, queued and on their way.
    pub memory: ByteSize,
    /// Bytes that segments may take on disk; stops may exceed it, all together, by twice `memory`.
    pub disk: ByteSize,
    /// Bytes that stay free on the file system whatever `disk` allows…
    pub min_free: ByteSize,
    /// …and the part of it, in percent; of the two the more.
    pub min_free_percent: u64,
    /// What happens to events when memory and disk are both full.
    pub when_full: WhenFull,
    /// How documents are stored in segments.
    pub compression: SegmentCompression,
    /// A batch, and so a bulk request, is closed at this size, or at what one loan may take if that is less…
    pub batch_bytes: ByteSize,
    /// …or at this many documents…
    pub batch_documents: usize,
    /// …or when its oldest document has waited this long.
    pub batch_age: Duration,
    /// A document that has waited this long for the target is written to disk.
    pub max_age: Duration,
    /// A segment is closed at this size.
    pub segment_bytes: ByteSize,
    /// Whether batches may go to disk. No key: who reads what lies on disk already waits for room instead.
    pub spill: bool,
}

/// What happens when neither memory nor disk can take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Senders wait.
    Wait,
    /// The oldest documents are given up, segment by segment; acked ones too.
    DropOldest,
    /// What comes in without asking for an ack is given up; who asks for one waits.
    DropNewest,
}

/// How documents are stored in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentCompression {
    /// As they are sent.
    None,
    /// zstd, level 1.
    Zstd,
}

/// Loans that are out at once at least, however small the memory share is: several connections to the target, each of
/// which waits for an answer, take more than one.
const LOANS: u64 = 4;

impl BufferOptions {
    /// What of memory may be on loan. It cannot be spilled, and a target that is away keeps it: the other half goes on
    /// taking what comes in to the disk.
    pub(super) fn loans(&self) -> u64 {
        self.memory.0 / 2
    }

    /// What one loan may take of it, the copy that was made for it included.
    pub(super) fn loan(&self) -> usize {
        ByteSize(self.loans() / LOANS).as_usize()
    }

    /// What stops may put on disk beyond `disk`: what memory holds and, where that is short lines, as much for the heads
    /// of their records.
    pub(super) fn stop_budget(&self) -> u64 {
        self.memory.0.saturating_mul(2)
    }

    /// What has to stay free on a file system of `total` bytes.
    pub(crate) fn must_stay_free(&self, total: u64) -> u64 {
        must_stay_free(total, self.min_free.0, self.min_free_percent)
    }

    /// The size at which a batch is closed. One document alone may be larger.
    pub(crate) fn batch_limit(&self) -> usize {
        self.batch_bytes.as_usize().min(self.loan())
    }
}

impl Default for BufferOptions {
    fn default() -> Self {
        Self {
            memory: ByteSize::mib(64),
            disk: ByteSize::gib(8),
            min_free: ByteSize::mib(256),
            min_free_percent: 0,
            when_full: WhenFull::Wait,
            compression: SegmentCompression::Zstd,
            batch_bytes: ByteSize::mib(4),
            batch_documents: 20_000,
            batch_age: Duration::from_millis(500),
            max_age: Duration::from_secs(1),
            segment_bytes: ByteSize::mib(64),
            spill: true,
        }
    }
}
