//! Some documents of a delivery on their way: which ones, when to send them next, and the bytes to send.
//!
//! A part names documents by their place in the delivery; its body is a slice of the delivery's bytes where they
//! are neighbours, and a new one only where verdicts have torn them apart. Spans are ascending and never empty.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::heal::Healed;
use super::trouble::Held;
use crate::buffer::Delivery;

pub(super) struct Part {
    spans: Vec<Range<usize>>,
    /// Attempts in a row that settled nothing.
    pub(super) attempt: u32,
    /// Whether its documents were sent before.
    pub(super) again: bool,
    /// Not to be sent before this.
    pub(super) due: Instant,
    /// What it waits for an operator to mend, until the next attempt has its answer.
    _held: Option<Held>,
}

impl Part {
    /// The documents at `places`, ascending, for the first time; nothing where there are none.
    pub(super) fn first(places: impl IntoIterator<Item = usize>) -> Option<Self> {
        let part = Self::later(places, 0, Duration::ZERO, None);
        part.map(|part| Self { again: false, ..part })
    }

    /// The documents at `places`, ascending, after a pause; nothing where there are none.
    pub(super) fn later(
        places: impl IntoIterator<Item = usize>,
        attempt: u32,
        pause: Duration,
        held: Option<Held>,
    ) -> Option<Self> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        for place in places {
            match spans.last_mut() {
                Some(span) if span.end == place => span.end += 1,
                _ => spans.push(place..place + 1),
            }
        }
        let due = Instant::now() + pause;
        (!spans.is_empty()).then_some(Self { spans, attempt, again: true, due, _held: held })
    }

    /// The same documents, due now: what happened was no verdict on them.
    pub(super) fn at_once(self) -> Self {
        Self { due: Instant::now(), again: true, ..self }
    }

    pub(super) fn count(&self) -> usize {
        self.spans.iter().map(ExactSizeIterator::len).sum()
    }

    /// The places of its documents in the delivery, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.spans.iter().flat_map(Clone::clone)
    }

    /// Both halves, due now; the second is empty for a single document.
    pub(super) fn halves(&self) -> [Option<Self>; 2] {
        let half = self.count().div_ceil(2);
        let part = |places: &mut dyn Iterator<Item = usize>| {
            let part = Self::later(places, self.attempt, Duration::ZERO, None);
            part.map(|part| Self { again: self.again, ..part })
        };
        [part(&mut self.places().take(half)), part(&mut self.places().skip(half))]
    }

    /// Action and document lines of its documents; of those on a further try, the lines in `healed`.
    pub(super) fn body(&self, delivery: &Delivery, healed: &BTreeMap<usize, Healed>) -> Bytes {
        if !healed.is_empty() {
            return self.mixed_body(delivery, healed);
        }
        if let [span] = self.spans.as_slice() {
            return delivery.bytes().slice(extent(delivery, span));
        }
        let mut body = Vec::with_capacity(self.spans.iter().map(|span| extent(delivery, span).len()).sum());
        for span in &self.spans {
            body.extend_from_slice(delivery.bytes().get(extent(delivery, span)).unwrap_or_default());
        }
        body.into()
    }

    /// Where its documents end in its body, as long as none is on a further try.
    pub(super) fn ends(&self, delivery: &Delivery) -> Vec<u32> {
        let lengths = self.places().map(|place| extent(delivery, &(place..place + 1)).len());
        let end = lengths.scan(0, |end, length| {
            *end += u32::try_from(length).unwrap_or(u32::MAX);
            Some(*end)
        });
        end.collect()
    }

    fn mixed_body(&self, delivery: &Delivery, healed: &BTreeMap<usize, Healed>) -> Bytes {
        let mut body = Vec::new();
        for place in self.places() {
            let as_it_came =
                || delivery.bytes().get(extent(delivery, &(place..place + 1))).unwrap_or_default();
            body.extend_from_slice(healed.get(&place).map_or_else(as_it_came, |healed| &healed.lines));
        }
        body.into()
    }
}

/// The two lines of the document at `place`: its action and itself, without their line ends.
pub(super) fn lines(delivery: &Delivery, place: usize) -> (&[u8], &[u8]) {
    let bytes = delivery.bytes().get(extent(delivery, &(place..place + 1))).unwrap_or_default();
    let (action, document) = bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1));
    (action.trim_ascii_end(), document.trim_ascii_end())
}

/// Where `documents` lie in the delivery's bytes.
fn extent(delivery: &Delivery, documents: &Range<usize>) -> Range<usize> {
    let ends = delivery.ends();
    let end_of = |count: usize| match count.checked_sub(1) {
        None => 0,
        Some(last) => ends.get(last).map_or(delivery.bytes().len(), |end| *end as usize),
    };
    let end = end_of(documents.end).min(delivery.bytes().len());
    end_of(documents.start).min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        let text = b"a0\nd0\na1\nd1\na2\nd2\na3\nd3\n";
        Delivery::new(Bytes::from_static(text), vec![6, 12, 18, 24], Vec::new(), drop)
    }

    #[test]
    fn neighbours_are_a_slice_and_others_are_joined() {
        let delivery = delivery();
        let whole = Part::first(0..delivery.ends().len()).expect("documents");
        assert_eq!(whole.body(&delivery, &BTreeMap::new()).as_ptr(), delivery.bytes().as_ptr());
        let apart = Part::later([0, 1, 3], 0, Duration::ZERO, None).expect("documents");
        assert_eq!(apart.count(), 3);
        assert_eq!(apart.body(&delivery, &BTreeMap::new()), "a0\nd0\na1\nd1\na3\nd3\n");
    }

    #[test]
    fn halves_hold_every_document_once() {
        let part = Part::later([0, 2, 3], 0, Duration::ZERO, None).expect("documents");
        let halves: Vec<Vec<usize>> =
            part.halves().iter().flatten().map(|half| half.places().collect()).collect();
        assert_eq!(halves, [vec![0, 2], vec![3]]);
        let single = Part::later([2], 0, Duration::ZERO, None).expect("a document");
        assert!(single.halves()[1].is_none());
    }

    #[test]
    fn a_document_is_told_from_its_action() {
        assert_eq!(lines(&delivery(), 2), (&b"a2"[..], &b"d2"[..]));
    }
}
