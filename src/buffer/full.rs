//! When neither memory nor disk can take more and `when_full` says what is to be given up.
//!
//! Whatever is given up here is counted, by tag too, and said as an ERROR. A receipt that was not resolved yet fails; one that
//! was is broken by `drop_oldest` alone, which its operator has chosen.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::disk::tally;
use super::held::{Held, Standing};
use super::queue::Queue;
use super::shared::Shared;
use super::slot::Slot;
use super::{OpenBatch, TagRun, WhenFull};
use crate::log::RateLimited;
use crate::metrics::reason;

const REASON: &str = "buffer_full";

static DROPPED: RateLimited = RateLimited::every(Duration::from_secs(10));

impl Shared {
    /// Whether what comes in without asking for an ack is given up now.
    pub(super) fn drops_newest(&self) -> bool {
        self.options.when_full == WhenFull::DropNewest && self.has_fault() && !self.memory.has_room()
    }

    /// Whether the writer may give up what is oldest.
    pub(super) fn drops_oldest(&self) -> bool {
        self.options.when_full == WhenFull::DropOldest
    }

    /// Gives up what was written into `batch` since it was taken.
    pub(super) fn drop_newest(&self, batch: &mut OpenBatch) {
        let (cut, parts) = batch.cut_new();
        let mut tags = HashMap::new();
        add(&mut tags, &cut);
        self.writes.settle(&[], &parts);
        self.count_dropped(tags.values().sum(), &tags);
    }

    /// Gives up all of a segment that waits, in the queue or with an output; false, and nothing is, if some of it is on its
    /// way to the target.
    pub(super) fn drop_segment(&self, segment: u64) -> bool {
        let of_segment = |slot: &Slot| slot.segment() == Some(segment);
        let mut queue = self.queue();
        let (back, is_all) = self.loans.take_back(&queue.lent_where(of_segment));
        let is_news = !back.is_empty();
        back.into_iter().for_each(|key| _ = queue.put_back(key));
        let gone = if is_all { queue.take_where(of_segment) } else { Vec::new() };
        drop(queue);
        // why: what was taken back and stays is there for the next loan.
        if is_news {
            self.news.notify_waiters();
        }
        if !is_all {
            return false;
        }
        let documents = gone.iter().map(Slot::documents).sum();
        let tags = self.tags_of(&gone);
        gone.iter().filter_map(Slot::held).for_each(|held| held.give_up());
        self.settled(documents);
        self.count_dropped(documents, &tags);
        true
    }

    /// Gives up the oldest batches that are in memory alone, until there is room, but none that is younger than all that
    /// waits in `segment`; false if there was none.
    pub(super) fn drop_from_memory(&self, segment: Option<u64>) -> bool {
        let mut excess = self.memory.used().saturating_sub(self.memory.limit()).saturating_add(1);
        let mut queue = self.queue();
        let first = segment.and_then(|segment| queue.first_of(|slot| slot.segment() == Some(segment)));
        let first = first.unwrap_or(u64::MAX);
        let is_older =
            |held: &Held| held.sequence < first && !matches!(held.standing(), Standing::Written(_));
        self.take_back(&mut queue, excess, |slot| slot.held().is_some_and(|held| is_older(held)));
        let mut is_excess = |slot: &Slot| match slot.held() {
            Some(held) if excess > 0 && is_older(held) => {
                excess = excess.saturating_sub(held.bytes.len() as u64);
                true
            }
            _ => false,
        };
        let gone = queue.take_where(&mut is_excess);
        drop(queue);
        self.news.notify_waiters();
        for held in gone.iter().filter_map(Slot::held) {
            held.give_up();
            self.writes.settle(&[], &held.parts);
        }
        let documents = gone.iter().map(Slot::documents).sum();
        self.settled(documents);
        self.count_dropped(documents, &self.tags_of(&gone));
        documents > 0
    }

    /// Takes loans back that only wait, of what `which` picks, oldest first, until they come to `enough` bytes.
    fn take_back(&self, queue: &mut Queue, enough: u64, which: impl Fn(&Slot) -> bool) {
        let mut bytes = 0;
        for key in queue.lent_where(which) {
            if bytes >= enough {
                return;
            }
            let (back, _) = self.loans.take_back(&[key]);
            for key in back {
                bytes += queue.put_back(key);
            }
        }
    }

    fn tags_of(&self, slots: &[Slot]) -> HashMap<Arc<str>, u64> {
        let mut tags = HashMap::new();
        for slot in slots {
            match slot {
                Slot::Memory(held) => add(&mut tags, &held.tags),
                Slot::Disk(extent) => {
                    if let Err(fault) = tally(&self.files, extent.run.place, &mut tags) {
                        let file = self.files.segment(extent.segment());
                        tracing::warn!(file = %file.display(), %fault, "cannot read whose documents are given up");
                    }
                }
            }
        }
        tags
    }

    fn count_dropped(&self, documents: u64, tags: &HashMap<Arc<str>, u64>) {
        if documents == 0 {
            return;
        }
        reason(&self.metrics.events_dropped, REASON).inc_by(documents);
        self.metrics.dropped_by_tag.count(
            REASON,
            documents,
            tags.iter().map(|(tag, count)| (&**tag, *count)),
        );
        self.untold.fetch_add(documents, Ordering::Relaxed);
        self.tell_dropped();
    }

    /// Says how many were given up since it was last said, unless that was a moment ago.
    pub(super) fn tell_dropped(&self) {
        if self.untold.load(Ordering::Relaxed) > 0 && DROPPED.admit().is_some() {
            let (documents, when_full) = (self.untold.swap(0, Ordering::Relaxed), self.options.when_full);
            tracing::error!(documents, ?when_full, "memory and disk are full; documents are given up");
        }
    }
}

fn add(tags: &mut HashMap<Arc<str>, u64>, runs: &[TagRun]) {
    for run in runs {
        *tags.entry(Arc::clone(&run.tag)).or_default() += u64::from(run.documents);
    }
}
