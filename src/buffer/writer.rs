//! The writer thread: owns the segments, writes and syncs all that waits as one group, and looks after age and pressure.
//!
//! Invariants: nothing is told to be safe before its group is synced; after a fault the whole group is written again,
//! in order; a fault never ends the thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::{DiskError, Packer, Place, Store};
use super::held::{Held, Standing};
use super::shared::Shared;
use super::teller::Teller;
use super::writes::{Orders, Write};
use super::{PartId, Receipt};
use crate::metrics::kind;

/// A group is closed at this size, so that those who wait for a receipt do not wait for a whole segment.
const GROUP_BYTES: u64 = 8 << 20;
/// How long the disk is left alone after a fault.
const REST: Duration = Duration::from_secs(1);
/// An active segment without an unsettled record is deleted when nothing was written for so long.
const IDLE: Duration = Duration::from_secs(1);
/// At most one warning in so long.
const WARN_EVERY: Duration = Duration::from_secs(10);

/// What follows from a group that is synced.
#[derive(Default)]
struct Outcome {
    safe: Vec<Receipt>,
    release: Vec<Arc<Held>>,
    settled: Vec<(u64, u64)>,
    obsolete: Vec<PartId>,
}

/// See the module.
pub(super) struct Writer {
    shared: Arc<Shared>,
    store: Store,
    teller: Teller,
    /// None if payloads are stored as they are.
    packer: Option<Packer>,
    backlog: VecDeque<Write>,
    /// The group under way.
    placed: Vec<(Write, Place)>,
    /// How many asked for the last one.
    last: usize,
    rest_until: Option<Instant>,
    /// When it was last told that nothing can be spilled, and whether it was told that it can again.
    warned: Option<Instant>,
    is_told_well: bool,
    wrote: Instant,
    ticked: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, store: Store, teller: Teller, packed: bool) -> Self {
        let now = Instant::now();
        let (backlog, placed) = (VecDeque::new(), Vec::new());
        let packer = packed.then(Packer::default);
        Self {
            shared,
            store,
            teller,
            packer,
            backlog,
            placed,
            last: 0,
            rest_until: None,
            warned: None,
            is_told_well: true,
            wrote: now,
            ticked: now,
        }
    }

    /// Works until it is told to end.
    pub(super) fn run(mut self) {
        let tick = self.shared.tick_every();
        loop {
            self.shared.writes.wait(tick, self.last);
            let (orders, closing) = self.shared.take_orders();
            if closing {
                // why: writes that still wait are lost with the caller's knowledge, but what was delivered stays so.
                self.settle(orders.settled, &orders.obsolete);
                break;
            }
            self.take(orders);
            self.write();
            self.tick();
            self.shared.set_disk_bytes(self.store.bytes());
        }
        self.store.sweep(true);
        self.store.tend();
        self.store.close();
        self.shared.set_disk_bytes(self.store.bytes());
        self.backlog.clear();
        // why: nobody who hears of the end is still to be told of anything.
        drop(self.teller);
        self.shared.ended();
    }

    fn take(&mut self, mut orders: Orders) {
        if orders.asked > 0 {
            self.last = orders.asked;
        }
        // why: sealed in this order, though two threads may have asked in another.
        orders.writes.sort_by_key(Write::sequence);
        self.backlog.extend(orders.writes);
        self.settle(orders.settled, &orders.obsolete);
        orders.unreadable.into_iter().for_each(|segment| self.store.withdraw(segment));
    }

    fn settle(&mut self, settled: Vec<(u64, u64)>, obsolete: &[u64]) {
        if settled.is_empty() && obsolete.is_empty() {
            return;
        }
        let mut by_segment: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (segment, sequence) in settled {
            by_segment.entry(segment).or_default().push(sequence);
        }
        for (segment, sequences) in by_segment {
            self.store.settle(segment, &sequences);
        }
        for part in obsolete {
            self.settle_part(*part);
        }
        self.store.sweep(false);
    }

    /// A part that was not written yet need not be any more: its whole is safe.
    fn settle_part(&mut self, part: u64) {
        if self.store.settle_part(part) {
            return;
        }
        let waiting =
            self.backlog.iter().position(|write| matches!(write, Write::Part { id, .. } if *id == part));
        if let Some(Write::Part { receipt, .. }) = waiting.and_then(|at| self.backlog.remove(at)) {
            receipt.into_iter().for_each(Receipt::resolve);
            self.shared.writes.done(1);
        }
    }

    fn write(&mut self) {
        if self.rest_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        if self.shared.queue().stopping {
            self.store.lift_budget(self.shared.options.stop_budget());
        }
        while !self.backlog.is_empty() {
            match self.group() {
                Ok(()) => self.complete(),
                Err(fault) => {
                    self.fail(&fault);
                    if !self.make_room(&fault) {
                        return;
                    }
                }
            }
        }
    }

    /// Gives up what is oldest, if it may and somebody waits; true if there is room on disk now.
    fn make_room(&mut self, fault: &DiskError) -> bool {
        if !self.shared.drops_oldest() {
            return false;
        }
        let has_room = self.shared.memory.has_room();
        let is_awaited = self.backlog.iter().any(Write::is_awaited);
        let segments = self.store.oldest();
        // why: what was spilled for pressure is the youngest of memory, so that the oldest of all may be there still. Who
        // waits for an ack needs room on disk.
        if !has_room && !is_awaited && segments.first().is_some_and(|id| self.drop_from_memory(Some(*id))) {
            return false;
        }
        if (is_awaited || !has_room)
            && fault.wants_room()
            && let Some(segment) = segments.into_iter().find(|id| self.shared.drop_segment(*id))
        {
            self.store.discard(segment);
            self.rest_until = None;
            return true;
        }
        if !has_room {
            self.drop_from_memory(None);
        }
        false
    }

    fn drop_from_memory(&mut self, segment: Option<u64>) -> bool {
        let is_dropped = self.shared.drop_from_memory(segment);
        let waiting = self.backlog.len();
        self.backlog.retain(|write| !write.is_moot());
        self.shared.writes.done(waiting - self.backlog.len());
        is_dropped
    }

    /// Appends what fits into one group and syncs it.
    fn group(&mut self) -> Result<(), DiskError> {
        let mut bytes = 0;
        while let Some(write) = self.backlog.pop_front_if(|write| bytes < GROUP_BYTES || write.is_moot()) {
            if write.is_moot() {
                self.shared.writes.done(1);
                continue;
            }
            match self.append(&write) {
                Ok(Some(place)) => {
                    bytes += place.to - place.from;
                    self.placed.push((write, place));
                }
                outcome => {
                    self.backlog.push_front(write);
                    outcome?;
                    break;
                }
            }
        }
        if self.placed.is_empty() { Ok(()) } else { self.store.commit() }
    }

    /// Appends one record; none if the group must be closed before it.
    fn append(&mut self, write: &Write) -> Result<Option<Place>, DiskError> {
        if self.placed.is_empty() {
            self.store.begin(self.shared.next_sequence())?;
        } else if self.store.is_full() {
            return Ok(None);
        }
        let record = match &mut self.packer {
            Some(packer) => packer.pack(write.record()),
            None => write.record(),
        };
        match self.store.admit(&record) {
            Err(fault) if fault.is_full() && !self.placed.is_empty() => return Ok(None),
            admitted => admitted?,
        }
        self.store.append(&record).map(Some)
    }

    /// The group is synced: says so to everybody who waited for that.
    fn complete(&mut self) {
        let placed = std::mem::take(&mut self.placed);
        if placed.is_empty() {
            return;
        }
        self.recovered();
        self.shared.metrics.syncs.inc();
        let bytes = placed.iter().map(|(_, place)| place.to - place.from).sum();
        self.shared.metrics.spilled_bytes.inc_by(bytes);
        let count = placed.len();
        let mut outcome = Outcome::default();
        for (write, place) in placed {
            self.store.confirm(place);
            self.written(write, place, &mut outcome);
        }
        self.teller.resolve(outcome.safe);
        self.shared.release(&outcome.release);
        // why: memory is free before anybody hears that nothing is outstanding.
        drop(outcome.release);
        self.settle(outcome.settled, &outcome.obsolete);
        self.shared.writes.done(count);
        self.wrote = Instant::now();
    }

    fn written(&mut self, write: Write, place: Place, outcome: &mut Outcome) {
        match write {
            Write::Part { id, receipt, .. } => {
                self.store.keep_part(id, place);
                outcome.safe.extend(receipt);
            }
            Write::Batch(held) => {
                outcome.obsolete.extend_from_slice(&held.parts);
                match held.written(place, &mut outcome.safe) {
                    Standing::Delivered => outcome.settled.push((place.segment, held.sequence)),
                    Standing::Waiting { release: true } => outcome.release.push(held),
                    _ => (),
                }
            }
        }
    }

    /// Nothing of the group is safe: all of it again, later.
    fn fail(&mut self, fault: &DiskError) {
        for (write, _) in std::mem::take(&mut self.placed).into_iter().rev() {
            self.backlog.push_front(write);
        }
        if !fault.is_full() {
            self.store.abandon();
            self.store.sweep(false);
            self.rest_until = Some(Instant::now() + REST);
        }
        if self.shared.set_fault(Some(fault.to_string())) || !fault.is_full() {
            kind(&self.shared.metrics.disk_faults, fault.kind()).inc();
        }
        if self.warned.is_none_or(|warned| warned.elapsed() >= WARN_EVERY) {
            (self.warned, self.is_told_well) = (Some(Instant::now()), false);
            tracing::warn!(%fault, waiting = self.backlog.len(), "cannot spill; trying again");
        }
    }

    fn recovered(&mut self) {
        self.rest_until = None;
        // why: on a disk that is full and empties bit by bit the two follow each other many times a second.
        if self.shared.set_fault(None) && !self.is_told_well {
            self.is_told_well = true;
            tracing::info!("spilling again");
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.shared.relieve();
        if now.saturating_duration_since(self.ticked) < self.shared.tick_every() {
            return;
        }
        self.ticked = now;
        self.shared.tick(now);
        self.shared.tell_dropped();
        self.store.tend();
        if self.backlog.is_empty() && now.saturating_duration_since(self.wrote) >= IDLE {
            self.store.sweep(true);
            // why: a full disk is no fault any more once nothing waits to be written.
            self.recovered();
        }
    }
}
