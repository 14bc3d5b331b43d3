//! The buffer beside a model: whatever is done to it, in whatever order, it holds what the model holds.
//!
//! Nothing is persisted of a failure: what it shrinks to is printed, and becomes a story with a name, in the file of its
//! subject, which says what went wrong. A seed would say nothing, and stand for other operations once one is added.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::buffer::{SegmentCompression, WhenFull};

#[derive(Clone, Debug)]
enum Op {
    /// Gives so many documents, and waits for their receipt if asked to.
    Push { documents: u8, promised: bool },
    /// Lends what is next.
    Pop,
    /// The n-th loan is delivered.
    Deliver(u8),
    /// The n-th loan is dropped.
    Return(u8),
    /// Keeps a part of a docker line, which lies between batches.
    Part,
    /// A clean stop and start.
    Reopen,
    /// Gives so many long documents, each a batch that is worth compressing.
    Fill(u8),
    /// A crash: only what was promised survives for certain.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1..6u8, any::<bool>()).prop_map(|(documents, promised)| Op::Push { documents, promised }),
        4 => Just(Op::Pop),
        3 => any::<u8>().prop_map(Op::Deliver),
        2 => any::<u8>().prop_map(Op::Return),
        1 => (1..8u8).prop_map(Op::Fill),
        2 => Just(Op::Part),
        1 => Just(Op::Reopen),
        1 => Just(Op::Crash),
    ]
}

/// What ought to be in the buffer, and the buffer.
struct Beside {
    dir: TempDir,
    options: BufferOptions,
    buffer: Buffer,
    lent: Vec<Delivery>,
    /// Documents not delivered, in order, and whether each is known to be safe.
    model: VecDeque<(u32, bool)>,
    next: u32,
}

impl Beside {
    fn new(memory: u64) -> Self {
        let options = BufferOptions { memory: ByteSize(memory), segment_bytes: ByteSize(400), ..options() };
        let dir = directory();
        let buffer = open(options.clone(), dir.path());
        Self { dir, options, buffer, lent: Vec::new(), model: VecDeque::new(), next: 0 }
    }

    async fn apply(&mut self, op: &Op) {
        match op {
            Op::Push { documents, promised } => self.push(u32::from(*documents), *promised).await,
            Op::Fill(documents) => self.fill(u32::from(*documents)),
            Op::Pop => self.pop().await,
            Op::Deliver(n) => self.deliver(*n),
            Op::Return(n) => drop(self.take_loan(*n)),
            Op::Part => _ = self.buffer.keep_part(vec![b'p'; 50], None),
            Op::Reopen => self.reopen().await,
            Op::Crash => self.crash().await,
        }
        assert_eq!(self.buffer.stats().events, self.model.len() as u64, "after {op:?}");
    }

    async fn push(&mut self, count: u32, promised: bool) {
        // why: `ready` is not awaited, since the only one who could make room is this very task.
        let new = self.next..self.next + count;
        self.next += count;
        let (receipt, waiter) = Receipt::new();
        // why: an open batch is promised as a whole, with what others wrote into it.
        give(&self.buffer, new.clone(), promised.then_some(&receipt));
        receipt.resolve();
        self.model.extend(new.map(|document| (document, promised)));
        if promised {
            assert!(waiter.safe().await);
        }
    }

    fn fill(&mut self, count: u32) {
        for document in self.next..self.next + count {
            give_long(&self.buffer, document);
            self.model.push_back((document, false));
        }
        self.next += count;
    }

    async fn pop(&mut self) {
        let lent: usize = self.lent.iter().map(|loan| loan.ends().len()).sum();
        // why: no more is lent while half of memory is on loan.
        if lent < self.model.len() && self.buffer.shared().lent.has_room() {
            let loan = pop(&self.buffer).await;
            self.check_order(&documents(&loan));
            self.lent.push(loan);
        }
    }

    /// A loan is the oldest of what is not lent.
    fn check_order(&self, loan: &[u32]) {
        let lent: Vec<u32> = self.lent.iter().flat_map(documents).collect();
        let free =
            self.model.iter().map(|(document, _)| *document).filter(|document| !lent.contains(document));
        assert_eq!(loan, free.take(loan.len()).collect::<Vec<_>>());
    }

    fn take_loan(&mut self, n: u8) -> Option<Delivery> {
        let at = usize::from(n).checked_rem(self.lent.len())?;
        Some(self.lent.remove(at))
    }

    fn deliver(&mut self, n: u8) {
        if let Some(loan) = self.take_loan(n) {
            let gone = documents(&loan);
            loan.delivered();
            self.model.retain(|(document, _)| !gone.contains(document));
        }
    }

    async fn reopen(&mut self) {
        assert_eq!(self.buffer.stop(LONG).await.lost_events, 0);
        self.lent.clear();
        self.buffer = open(self.options.clone(), self.dir.path());
        self.model.iter_mut().for_each(|(_, safe)| *safe = true);
    }

    /// What was promised is there; what was not may be; what was delivered may come again, as its mark may be lost.
    async fn crash(&mut self) {
        let dir = crash(self.dir.path());
        self.lent.clear();
        self.buffer = open(self.options.clone(), dir.path());
        self.dir = dir;
        let found = drain(&self.buffer).await;
        assert!(found.is_sorted(), "{found:?}");
        assert!(found.iter().all(|document| *document < self.next), "{found:?}");
        let lost: Vec<_> =
            self.model.iter().filter(|(document, safe)| *safe && !found.contains(document)).collect();
        assert!(lost.is_empty(), "{lost:?} of {:?} lost, found {found:?}", self.model);
        self.model.clear();
    }
}

/// A document of six thousand bytes, sealed by its size.
fn give_long(buffer: &Buffer, document: u32) {
    let mut batch = buffer.take_open();
    batch.bytes().extend_from_slice(format!("{document:06000}\n").as_bytes());
    batch.end_document(&Arc::from("long"));
    buffer.give_open(batch);
}

/// What becomes of `ops` in a buffer that is soon full and gives up what `when_full` says: each document comes out once, in
/// order, or is counted as given up.
async fn overfill(ops: &[Op], when_full: WhenFull, compression: SegmentCompression) {
    let (memory, disk, segment_bytes) = (ByteSize(20_000), ByteSize::kib(24), ByteSize::kib(8));
    let options = BufferOptions { memory, disk, segment_bytes, when_full, compression, ..options() };
    let dir = directory();
    let buffer = open(options, dir.path());
    let (mut given, mut lent, mut out) = (0, Vec::new(), Vec::new());
    for op in ops {
        let count = match op {
            Op::Fill(count) => 4 * u32::from(*count),
            Op::Push { documents, .. } => u32::from(*documents),
            Op::Pop
                if buffer.shared().lent.has_room()
                    && buffer.stats().events
                        > lent.iter().map(|loan: &Delivery| loan.ends().len() as u64).sum() =>
            {
                lent.push(pop(&buffer).await);
                0
            }
            Op::Deliver(n) if !lent.is_empty() => {
                let loan = lent.remove(usize::from(*n) % lent.len());
                out.extend(documents(&loan));
                loan.delivered();
                0
            }
            Op::Return(_) => {
                lent.clear();
                0
            }
            _ => 0,
        };
        for document in given..given + count {
            if tokio::time::timeout(Duration::from_millis(400), buffer.ready_or_full()).await.is_err() {
                // why: loans pin memory and segments; a reader waits for them, and here there is nobody else to end them.
                lent.clear();
                assert!(
                    tokio::time::timeout(LONG, buffer.ready_or_full()).await.is_ok(),
                    "{:?}",
                    buffer.stats()
                );
            }
            give_long(&buffer, document);
        }
        given += count;
    }
    lent.clear();
    out.extend(drain(&buffer).await);
    let dropped = crate::metrics::reason(&buffer.shared().metrics.events_dropped, "buffer_full").get();
    out.sort_unstable();
    let came = out.len();
    out.dedup();
    assert_eq!((out.len(), out.len() as u64 + dropped), (came, u64::from(given)), "{out:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_buffer_holds_what_the_model_holds(
        ops in prop::collection::vec(op(), 1..60),
        memory in prop_oneof![Just(40u64), Just(300), Just(1 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut beside = Beside::new(memory);
            for op in &ops {
                beside.apply(op).await;
            }
            let rest: Vec<u32> = beside.model.iter().map(|(document, _)| *document).collect();
            beside.lent.clear();
            assert_eq!(drain(&beside.buffer).await, rest);
        });
    }

    #[test]
    fn a_full_buffer_gives_up_what_it_counts_and_nothing_else(
        ops in prop::collection::vec(op(), 1..25),
        when_full in prop_oneof![Just(WhenFull::DropOldest), Just(WhenFull::DropNewest)],
        compression in prop_oneof![Just(SegmentCompression::None), Just(SegmentCompression::Zstd)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(overfill(&ops, when_full, compression));
    }
}
