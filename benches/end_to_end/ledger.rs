//! Which sequence numbers have arrived, and under which document id each came first.
//!
//! Invariants: a number arrives once, whoever asks at the same time; one that comes again is known by its id, as
//! Elasticsearch knows it, and under another id it is a doubled event. What is kept grows with the numbers that are in use.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

/// Numbers that are kept together.
const PAGE: usize = 1 << 16;

type Page = Box<[AtomicU16]>;

/// What has arrived, in pages that are made when they are needed.
pub(crate) struct Ledger {
    /// The hash of the id, never 0, of each number that has arrived.
    pages: Vec<OnceLock<Page>>,
    arrived: AtomicU64,
    doubled: AtomicU64,
    foreign: AtomicU64,
}

/// What a document is to the ledger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was not there.
    New,
    /// It was, under this id.
    Known,
}

impl Ledger {
    /// Nothing has arrived.
    pub(crate) fn new() -> Self {
        let pages = (0..PAGE).map(|_| OnceLock::new()).collect();
        Self { pages, arrived: AtomicU64::new(0), doubled: AtomicU64::new(0), foreign: AtomicU64::new(0) }
    }

    /// Takes the document of `number`, if it has one, under the id `id`.
    pub(crate) fn take(&self, number: Option<u64>, id: &[u8]) -> Taken {
        let Some(place) = number.and_then(|number| self.place(number)) else {
            self.foreign.fetch_add(1, Ordering::AcqRel);
            return Taken::New;
        };
        // why 16 bits: an id that is another one passes for the same once in thirty thousand times.
        let id = (xxh3_64(id) as u16) | 1;
        match place.compare_exchange(0, id, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                self.arrived.fetch_add(1, Ordering::AcqRel);
                Taken::New
            }
            Err(known) => {
                self.doubled.fetch_add(u64::from(known != id), Ordering::AcqRel);
                Taken::Known
            }
        }
    }

    /// Different numbers that have arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Acquire)
    }

    /// Numbers that came again under another id.
    pub(crate) fn doubled(&self) -> u64 {
        self.doubled.load(Ordering::Acquire)
    }

    /// Documents with no number, or one that nobody would send.
    pub(crate) fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Acquire)
    }

    fn place(&self, number: u64) -> Option<&AtomicU16> {
        let number = usize::try_from(number).ok()?;
        let page = self.pages.get(number / PAGE)?;
        page.get_or_init(|| (0..PAGE).map(|_| AtomicU16::new(0)).collect()).get(number % PAGE)
    }
}
