//! Takes one delivery to its end: every document delivered, delivered before, or a dead letter.
//! One that is refused for a field of it may get another try with that field as text; see `heal`.
//!
//! Invariants: a document is in exactly one place — settled in the tally, among the letters, or in one part of the way.
//! The counters are bumped, and the letters written, only when all parts are done: a delivery that goes back to the
//! queue has left no trace in the books, and its documents keep their ids, so that sending them again doubles nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::answer::{Outcome, Refusal};
use super::heal::{self, Healed, Remedy};
use super::part::{self, Part};
use super::target::{Attempt, Stopped, Target, resting, unless};
use super::verdict::Obstacle;
use crate::buffer::{Delivery, Recall};
use crate::encode::is_for_files;
use crate::metrics::{self, Verdict};
use crate::output::dead_letters::{DeadLetters, Letter, destination};
use crate::output::file::FileOutput;

/// Attends to `delivery` until it is settled; a stop returns it, and so does the buffer that takes it back.
pub(super) async fn deliver(
    target: &Target,
    dead_letters: &DeadLetters,
    files: Option<&FileOutput>,
    delivery: Delivery,
    stop: &CancellationToken,
) -> Result<(), Stopped> {
    let mut way = Way::new(target, delivery, files.is_some());
    while let Some(part) = way.next() {
        let recall = way.recall();
        resting(recall.as_deref(), stop, tokio::time::sleep_until(part.due.into())).await?;
        way.go(part, recall.as_deref(), stop).await?;
    }
    way.bury(dead_letters, stop).await?;
    // why: last, since files know no ids: should the delivery go back, they have nothing of it yet. Its letters are there
    // then, and come again under their ids.
    way.file(files, stop).await?;
    way.tally.count(target, way.letters.len());
    way.tell_ledger();
    way.delivery.delivered();
    Ok(())
}

/// Verdicts so far.
#[derive(Default)]
struct Tally {
    indexed: u64,
    failure_store: u64,
    duplicate: u64,
    /// Their places, where a ledger wants to know.
    duplicates: Vec<usize>,
    healed: Vec<Remedy>,
}

impl Tally {
    fn count(&self, target: &Target, letters: usize) {
        let metrics = &target.metrics;
        metrics.events_indexed.inc_by(self.indexed);
        metrics.events_failure_store.inc_by(self.failure_store);
        metrics.events_duplicate.inc_by(self.duplicate);
        metrics.events_dead_letter.inc_by(letters as u64);
        for remedy in &self.healed {
            metrics::kind(&metrics.events_healed, remedy.word()).inc();
        }
    }
}

struct Way<'a> {
    target: &'a Target,
    /// Owned, not borrowed: it may be sent to another thread but not shared with one.
    delivery: Delivery,
    parts: Vec<Part>,
    /// Documents that are not for the target, by their place.
    for_files: Vec<usize>,
    /// Documents on a further try, by their place.
    healed: BTreeMap<usize, Healed>,
    tally: Tally,
    letters: Vec<(usize, Refusal)>,
    /// Whether some of it was sent and no answer was read.
    may_be_taken: bool,
}

impl<'a> Way<'a> {
    fn new(target: &'a Target, delivery: Delivery, has_files: bool) -> Self {
        let is_for_files = |place: &usize| has_files && is_for_files(part::lines(&delivery, *place).0);
        let (for_files, others): (Vec<_>, Vec<_>) = (0..delivery.ends().len()).partition(is_for_files);
        let parts = Part::first(others).into_iter().collect();
        let (healed, tally) = (BTreeMap::new(), Tally::default());
        Self { target, delivery, parts, for_files, healed, tally, letters: Vec::new(), may_be_taken: false }
    }

    /// The part that is due first.
    fn next(&mut self) -> Option<Part> {
        let first = self.parts.iter().enumerate().min_by_key(|(_, part)| part.due)?.0;
        Some(self.parts.swap_remove(first))
    }

    /// By which the buffer may take it back; none once a document has a verdict, which would be counted twice, or may be
    /// with the target, though its answer was lost.
    fn recall(&self) -> Option<Arc<Recall>> {
        let is_untouched =
            !self.may_be_taken && self.tally.indexed + self.tally.duplicate == 0 && self.letters.is_empty();
        is_untouched.then(|| Arc::clone(self.delivery.recall()))
    }

    async fn go(
        &mut self,
        part: Part,
        recall: Option<&Recall>,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let body = part.body(&self.delivery, &self.healed);
        let (size, count) = (body.len(), part.count());
        if count > 1 && size > self.target.body_most.load(Ordering::Relaxed) {
            self.parts.extend(part.halves().into_iter().flatten());
            return Ok(());
        }
        if part.again {
            self.target.metrics.retries.inc_by(count as u64);
        }
        match self.target.attempt(body, count, recall, stop).await? {
            Attempt::ByItem(outcomes) => self.settle(&part, outcomes, stop).await?,
            Attempt::Elsewhere { may_be_taken } => {
                self.may_be_taken |= may_be_taken;
                self.parts.push(part.at_once());
            }
            Attempt::Again(least) => {
                let pause = self.target.backoff.full(part.attempt).max(least.min(self.target.backoff.max));
                self.parts.extend(Part::later(part.places(), part.attempt + 1, pause, None));
            }
            Attempt::TooLarge(refusal) => {
                if count > 1 {
                    self.target.body_most.fetch_min(size / 2, Ordering::Relaxed);
                }
                self.split(part, refusal);
            }
            Attempt::Malformed(refusal) => self.split(part, refusal),
            Attempt::Hold(obstacle, told) => {
                self.hold(part.places().collect(), part.attempt, obstacle, &told)
            }
        }
        Ok(())
    }

    fn split(&mut self, part: Part, refusal: Refusal) {
        if part.count() > 1 {
            self.parts.extend(part.halves().into_iter().flatten());
        } else {
            for place in part.places() {
                self.give_up(place, refusal.clone());
            }
        }
    }

    async fn settle(
        &mut self,
        part: &Part,
        outcomes: Vec<Outcome>,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        let (mut again, mut held, mut refused, mut why) = (Vec::new(), Vec::new(), Vec::new(), None);
        let count = outcomes.len();
        for (place, outcome) in part.places().zip(outcomes) {
            match outcome {
                Outcome::Delivered { failure_store } => {
                    self.tally.indexed += 1;
                    self.tally.failure_store += u64::from(failure_store);
                    self.tally.healed.extend(self.healed.get(&place).map(|healed| healed.remedy));
                }
                Outcome::Duplicate => {
                    self.tally.duplicate += 1;
                    self.tally.duplicates.extend(self.target.metrics.ledger.get().map(|_| place));
                }
                Outcome::Refused(refusal) => refused.push((place, *refusal)),
                Outcome::Again { .. } => again.push(place),
                Outcome::Hold(obstacle, told) => {
                    held.push(place);
                    why.get_or_insert((obstacle, told));
                }
            }
        }
        // why: as long as documents get through, pauses need not grow.
        let attempt = if again.len() < count { 0 } else { part.attempt };
        let pause = self.target.backoff.full(attempt);
        self.parts.extend(Part::later(again, attempt + 1, pause, None));
        if let Some((obstacle, told)) = why {
            self.hold(held, part.attempt, obstacle, &told);
        }
        let healed = self.heal_all(refused, stop).await?;
        self.parts.extend(Part::later(healed, 0, Duration::ZERO, None));
        Ok(())
    }

    /// Makes those ready for a further try that get one: their places.
    async fn heal_all(
        &mut self,
        refused: Vec<(usize, Refusal)>,
        stop: &CancellationToken,
    ) -> Result<Vec<usize>, Stopped> {
        let mut healed = Vec::new();
        for (place, refusal) in refused {
            if self.target.healer.treats(&refusal) {
                let (action, _) = part::lines(&self.delivery, place);
                let index = destination(action).0.into_owned();
                heal::learn(self.target, &index, stop).await?;
            }
            healed.extend(self.heal(place, refusal));
        }
        Ok(healed)
    }

    /// Makes the document ready for its next try, if there is one: its place then.
    fn heal(&mut self, place: usize, refusal: Refusal) -> Option<usize> {
        let (action, document) = part::lines(&self.delivery, place);
        match self.target.healer.heal(action, document, self.healed.get(&place), refusal) {
            Ok(healed) => {
                self.healed.insert(place, healed);
                Some(place)
            }
            Err(refusal) => {
                self.give_up(place, refusal);
                None
            }
        }
    }

    /// It becomes a letter, which says why it was refused as it came.
    fn give_up(&mut self, place: usize, refusal: Refusal) {
        let first = self.healed.remove(&place).map(|healed| healed.refusal);
        self.letters.push((place, first.unwrap_or(refusal)));
    }

    fn hold(&mut self, places: Vec<usize>, attempt: u32, obstacle: Obstacle, told: &str) {
        let held = self.target.troubles.hold(obstacle, told, places.len());
        let pause = self.target.backoff.long();
        self.parts.extend(Part::later(places, attempt, pause, Some(held)));
    }

    /// Keeps what will never be taken, for as many attempts as it needs.
    async fn bury(&mut self, dead_letters: &DeadLetters, stop: &CancellationToken) -> Result<(), Stopped> {
        let Some((_, first)) = self.letters.first() else { return Ok(()) };
        let troubles = Arc::clone(&self.target.troubles);
        if troubles.is_time("dead letters") {
            let (count, reason) = (self.letters.len(), first.reason);
            tracing::warn!(count, reason, r#type = first.kind, "documents become dead letters");
        }
        let (mut attempt, mut held) = (0, None);
        while let Err(fault) = dead_letters.write(self.lines(dead_letters)).await {
            self.target.count_error(Obstacle::DeadLetters.word());
            held = Some(troubles.hold(Obstacle::DeadLetters, &fault.to_string(), self.letters.len()));
            unless(stop, tokio::time::sleep(self.target.backoff.rest(attempt))).await?;
            attempt += 1;
        }
        drop(held);
        Ok(())
    }

    /// Writes what is for files.
    async fn file(&mut self, files: Option<&FileOutput>, stop: &CancellationToken) -> Result<(), Stopped> {
        let Some((files, part)) = files.zip(Part::first(self.for_files.iter().copied())) else {
            return Ok(());
        };
        let body = part.body(&self.delivery, &BTreeMap::new());
        files.put(body, part.ends(&self.delivery), stop).await.ok_or(Stopped)?;
        files.count(self.for_files.len());
        self.tally.indexed += self.for_files.len() as u64;
        Ok(())
    }

    fn tell_ledger(&self) {
        let Some(ledger) = self.target.metrics.ledger.get() else { return };
        let letters = self.letters.iter().map(|(place, _)| (*place, Verdict::DeadLetter));
        let before = self.tally.duplicates.iter().map(|place| (*place, Verdict::Before));
        let mut verdicts: Vec<_> = before.chain(letters).collect();
        verdicts.sort_unstable_by_key(|(place, _)| *place);
        ledger.settle(self.delivery.tags().iter().map(|run| (&run.tag, run.documents)), &verdicts);
    }

    fn lines(&self, dead_letters: &DeadLetters) -> Vec<u8> {
        let line = |(place, refusal)| dead_letters.line(&letter(&self.delivery, place, refusal));
        self.letters.iter().map(|(place, refusal)| (*place, refusal)).flat_map(line).collect()
    }
}

fn letter<'a>(delivery: &'a Delivery, place: usize, refusal: &'a Refusal) -> Letter<'a> {
    let (action, document) = part::lines(delivery, place);
    Letter {
        reason: refusal.reason,
        kind: &refusal.kind,
        status: refusal.status,
        error: &refusal.error,
        action,
        tag: tag(delivery, place),
        document,
    }
}

fn tag(delivery: &Delivery, place: usize) -> &str {
    let mut end = 0;
    let run = delivery.tags().iter().find(|run| {
        end += run.documents as usize;
        place < end
    });
    run.map_or("", |run| &run.tag)
}
