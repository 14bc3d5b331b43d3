//! What became of documents, by the source that they were read from.
//!
//! Documents travel with their tag, one text for all of a source. It is the text itself that tells the source, not what it
//! says: many sources may have the same tag.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Metrics;

/// What became of the documents of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The target took them.
    pub indexed: u64,
    /// It had them.
    pub before: u64,
    /// It will never take them.
    pub dead_letters: u64,
}

/// How a document was settled otherwise than by being taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The target had it.
    Before,
    /// It will never take it.
    DeadLetter,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// By a tag's address. The tag is kept, so that no other is ever found there.
    sources: HashMap<usize, (Arc<str>, usize)>,
    settled: HashMap<usize, Settled>,
    /// The addresses of the tags of each source.
    tags: HashMap<usize, Vec<usize>>,
}

impl Settled {
    /// Adds what became of other documents.
    pub fn add(&mut self, other: &Self) {
        self.indexed += other.indexed;
        self.before += other.before;
        self.dead_letters += other.dead_letters;
    }
}

impl Ledger {
    /// From here on, documents with `tag`, this very one, are those of `source`.
    pub fn names(&self, tag: &Arc<str>, source: usize) {
        let mut pages = self.pages();
        if pages.sources.insert(address(tag), (Arc::clone(tag), source)).is_none() {
            pages.tags.entry(source).or_default().push(address(tag));
        }
    }

    /// Forgets `source`, of which no document is under way.
    pub fn forget(&self, source: usize) {
        let mut pages = self.pages();
        pages.settled.remove(&source);
        for tag in pages.tags.remove(&source).unwrap_or_default() {
            pages.sources.remove(&tag);
        }
    }

    /// Writes down what became of documents: `runs` say whose they are, in order; `verdicts` are of those at these places,
    /// ascending; all others were taken.
    pub fn settle<'r>(&self, runs: impl Iterator<Item = (&'r Arc<str>, u32)>, verdicts: &[(usize, Verdict)]) {
        let mut pages = self.pages();
        let (mut end, mut verdicts) = (0, verdicts.iter().peekable());
        for (tag, documents) in runs {
            end += documents as usize;
            let mut settled = Settled { indexed: u64::from(documents), ..Settled::default() };
            while let Some((_, verdict)) = verdicts.next_if(|(place, _)| *place < end) {
                settled.indexed -= 1;
                match verdict {
                    Verdict::Before => settled.before += 1,
                    Verdict::DeadLetter => settled.dead_letters += 1,
                }
            }
            pages.add(tag, settled);
        }
    }

    /// What became of the documents of `source` so far.
    pub fn of(&self, source: usize) -> Settled {
        self.pages().settled.get(&source).copied().unwrap_or_default()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn add(&mut self, tag: &Arc<str>, settled: Settled) {
        let Some((_, source)) = self.sources.get(&address(tag)) else { return };
        self.settled.entry(*source).or_default().add(&settled);
    }
}

impl Metrics {
    /// Counts documents that a target took, all of them: `runs` say whose they are, in order.
    pub fn settle_all<'r>(&self, runs: impl Iterator<Item = (&'r Arc<str>, u32)> + Clone) {
        self.events_indexed.inc_by(runs.clone().map(|(_, documents)| u64::from(documents)).sum());
        self.ledger.get().into_iter().for_each(|ledger| ledger.settle(runs.clone(), &[]));
    }
}

fn address(tag: &Arc<str>) -> usize {
    Arc::as_ptr(tag).cast::<u8>() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_counted_for_the_source_whose_tag_they_carry_though_others_have_the_same() {
        let tags: [Arc<str>; 3] = ["app".into(), "app".into(), "app".into()];
        let ledger = Ledger::default();
        ledger.names(&tags[0], 0);
        ledger.names(&tags[1], 1);
        let runs = [(&tags[0], 3), (&tags[2], 2), (&tags[1], 2), (&tags[0], 1)];
        let verdicts =
            [(1, Verdict::Before), (3, Verdict::Before), (6, Verdict::DeadLetter), (7, Verdict::Before)];
        ledger.settle(runs.into_iter(), &verdicts);
        assert_eq!(ledger.of(0), Settled { indexed: 2, before: 2, dead_letters: 0 });
        assert_eq!(ledger.of(1), Settled { indexed: 1, before: 0, dead_letters: 1 });
        assert_eq!(ledger.of(2), Settled::default());
        ledger.forget(0);
        ledger.settle([(&tags[0], 1), (&tags[1], 1)].into_iter(), &[]);
        assert_eq!((ledger.of(0), ledger.of(1).indexed), (Settled::default(), 2));
    }
}
