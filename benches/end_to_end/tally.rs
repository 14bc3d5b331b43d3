//! Which sequence numbers have arrived: a bit each.
//!
//! Invariants: a number is counted in `arrived` once, and in `doubled` each time that it comes again.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the endpoint has seen.
pub(crate) struct Tally {
    expected: u64,
    bits: Vec<AtomicU64>,
    arrived: AtomicU64,
    doubled: AtomicU64,
    foreign: AtomicU64,
    /// Bulk requests answered.
    pub(crate) requests: AtomicU64,
    /// Bytes of their bodies.
    pub(crate) bytes: AtomicU64,
}

/// Numbers of one body on their way into a [`Tally`]; neighbours share one atomic step.
pub(crate) struct Ticks<'t> {
    tally: &'t Tally,
    word: u64,
    mask: u64,
}

impl Tally {
    /// Nothing seen yet of `expected` events, numbered from 0.
    pub(crate) fn new(expected: u64) -> Self {
        let words = (0..expected.div_ceil(64)).map(|_| AtomicU64::new(0));
        Self {
            expected,
            bits: words.collect(),
            arrived: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            foreign: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Starts on a body.
    pub(crate) fn ticks(&self) -> Ticks<'_> {
        Ticks { tally: self, word: 0, mask: 0 }
    }

    /// Different numbers that have arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Acquire)
    }

    /// Numbers that have not.
    pub(crate) fn lost(&self) -> u64 {
        self.expected - self.arrived()
    }

    /// Arrivals beyond the first of each number.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled.load(Ordering::Acquire)
    }

    /// Documents with no number, or one that was never sent.
    pub(crate) fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Acquire)
    }
}

impl Ticks<'_> {
    /// Ticks `number` off; `None` stands for a document that has none.
    pub(crate) fn tick(&mut self, number: Option<u64>) {
        let Some(number) = number.filter(|number| *number < self.tally.expected) else {
            self.tally.foreign.fetch_add(1, Ordering::AcqRel);
            return;
        };
        let (word, bit) = (number / 64, 1 << (number % 64));
        if word != self.word || self.mask & bit != 0 {
            self.flush();
        }
        self.word = word;
        self.mask |= bit;
    }

    fn flush(&mut self) {
        let mask = std::mem::take(&mut self.mask);
        let Some(bits) = usize::try_from(self.word).ok().and_then(|word| self.tally.bits.get(word)) else {
            return;
        };
        let before = bits.fetch_or(mask, Ordering::AcqRel);
        self.tally.arrived.fetch_add(u64::from((mask & !before).count_ones()), Ordering::AcqRel);
        self.tally.doubled.fetch_add(u64::from((mask & before).count_ones()), Ordering::AcqRel);
    }
}

impl Drop for Ticks<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}
