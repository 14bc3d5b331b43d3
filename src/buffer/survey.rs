//! What is in a buffer, counted: for people who look at one, whether or not a daemon works on it.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::OpenError;
use super::disk::record::{Body, Kind};
use super::disk::{Found, Opened, Snapshot, Stored, Wound};

/// What every document begins with, up to its time.
const TIME: &[u8] = b"{\"@timestamp\":\"";

/// One document of a batch.
pub(crate) struct Document<'a> {
    /// The tag that its event came with.
    pub(crate) tag: &'a str,
    /// Its action, without the line's end.
    pub(crate) action: &'a [u8],
    /// The document itself, without the line's end.
    pub(crate) source: &'a [u8],
}

impl Stored<'_> {
    /// The documents of a batch, in order; none of a part.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Document<'_>> {
        let Body { ends, tags, payload, .. } = &self.body;
        let tags = tags.iter().flat_map(|run| (0..run.documents).map(move |_| &*run.tag));
        let mut from = 0;
        ends.iter().zip(tags).map(move |(end, tag)| {
            let end = *end as usize;
            let pair = payload.get(from..end).unwrap_or_default();
            from = end;
            Document::of(tag, pair)
        })
    }
}

impl<'a> Document<'a> {
    fn of(tag: &'a str, pair: &'a [u8]) -> Self {
        let pair = pair.strip_suffix(b"\n").unwrap_or(pair);
        let split = memchr::memchr(b'\n', pair).unwrap_or(pair.len());
        let (action, source) = pair.split_at(split);
        Self { tag, action, source: source.strip_prefix(b"\n").unwrap_or_default() }
    }
}

/// Times of documents, as these have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// The oldest and the newest.
    pub(crate) range: Option<(String, String)>,
}

impl Times {
    fn take(&mut self, source: &[u8]) {
        let Some(rest) = source.strip_prefix(TIME) else { return };
        let Some(time) = memchr::memchr(b'"', rest).and_then(|end| str::from_utf8(rest.get(..end)?).ok())
        else {
            return;
        };
        // why: they are written with nine digits each, so that they sort as text.
        match &mut self.range {
            None => self.range = Some((time.to_owned(), time.to_owned())),
            Some((oldest, _)) if time < oldest.as_str() => time.clone_into(oldest),
            Some((_, newest)) if time > newest.as_str() => time.clone_into(newest),
            Some(_) => (),
        }
    }

    fn join(&mut self, other: &Self) {
        let both = other.range.iter().chain(&self.range);
        let range = both.cloned().reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)));
        self.range = range;
    }
}

/// What is in a segment, or in all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// Documents that are delivered.
    pub(crate) settled: u64,
    /// Documents that wait.
    pub(crate) unsettled: u64,
    /// Parts of docker lines that wait for the rest.
    pub(crate) parts: u64,
    /// Of the documents that wait.
    pub(crate) times: Times,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.records += other.records;
        self.settled += other.settled;
        self.unsettled += other.unsettled;
        self.parts += other.parts;
        self.times.join(&other.times);
    }
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// 0 for one alone.
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    /// Milliseconds since 1970.
    pub(crate) created: u64,
    pub(crate) counts: Counts,
}

/// All that is there.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) segments: Vec<Segment>,
    /// Documents that wait, by tag.
    pub(crate) tags: BTreeMap<Arc<str>, u64>,
    pub(crate) wounds: Vec<Wound>,
    parts: Vec<(u64, usize)>,
    superseded: HashSet<u64>,
}

impl Survey {
    /// Reads all of `snapshot`.
    pub(crate) fn of(snapshot: &Snapshot) -> Result<Self, OpenError> {
        let mut survey = Self::default();
        snapshot.walk(&mut |found| {
            match found {
                Found::Segment(opened) => survey.segment(&opened),
                Found::Record(stored) => survey.record(&stored),
                Found::Wound(wound) => survey.wounds.push(wound),
            }
            ControlFlow::Continue(())
        })?;
        for (part, at) in std::mem::take(&mut survey.parts) {
            if let Some(segment) = survey.segments.get_mut(at) {
                segment.counts.parts += u64::from(!survey.superseded.contains(&part));
            }
        }
        Ok(survey)
    }

    /// The sum of all segments.
    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.segments.iter().for_each(|segment| total.add(&segment.counts));
        total
    }

    fn segment(&mut self, opened: &Opened<'_>) {
        let counts = Counts { bytes: opened.bytes, ..Counts::default() };
        let (number, created) = (opened.number, opened.created);
        self.segments.push(Segment { number, path: opened.path.to_owned(), created, counts });
    }

    fn record(&mut self, stored: &Stored<'_>) {
        self.superseded.extend(&stored.body.parts);
        let at = self.segments.len().saturating_sub(1);
        let Some(segment) = self.segments.last_mut() else { return };
        segment.counts.records += 1;
        let documents = u64::from(stored.head.documents);
        if stored.settled {
            segment.counts.settled += documents;
            return;
        }
        segment.counts.unsettled += documents;
        if stored.head.kind == Kind::Part {
            self.parts.push((stored.head.sequence, at));
        }
        for run in &stored.body.tags {
            match self.tags.get_mut(&run.tag) {
                Some(count) => *count += u64::from(run.documents),
                None => drop(self.tags.insert(Arc::clone(&run.tag), u64::from(run.documents))),
            }
        }
        let times = &mut segment.counts.times;
        stored.documents().for_each(|document| times.take(document.source));
    }
}
