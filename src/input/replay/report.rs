//! What became of each source of a replay.

use std::time::Duration;

use serde::Serialize;

use crate::event::Timestamp;
use crate::input::Watched;
use crate::input::file::Oddities;
use crate::metrics::Settled;

/// One content of one file, as far as it has been read.
#[derive(Clone, Debug, Default)]
pub struct SourceReport {
    /// The file, and inside of an archive the path there.
    pub path: String,
    /// What it is.
    pub kind: &'static str,
    /// Bytes of it, unpacked.
    pub bytes: u64,
    /// Events that an earlier run had taken.
    pub resumed: u64,
    /// Events that were read.
    pub read: u64,
    /// What was seen of them.
    pub watched: Watched,
    /// What was noticed of lines.
    pub(crate) oddities: Oddities,
    /// How long it took.
    pub took: Duration,
    /// What is to be said of it beside.
    pub remarks: Vec<String>,
    /// Whether it has been read to its end.
    pub is_done: bool,
    /// Why not all of it was taken.
    pub fault: Option<String>,
}

/// The same for whoever reads it by machine.
#[derive(Debug, Serialize)]
pub struct SourceLine {
    path: String,
    kind: &'static str,
    bytes: u64,
    /// Events read, now and by earlier runs.
    read: u64,
    indexed: u64,
    before: u64,
    dead_letters: u64,
    /// Those that a step ended or that were not selected.
    passed_over: u64,
    unparsed: u64,
    cut_lines: u64,
    zero_bytes: u64,
    first: Option<String>,
    last: Option<String>,
    formats: Vec<(&'static str, u64)>,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl SourceReport {
    /// Lines that no format was found for, or not the one that was named.
    pub fn unparsed(&self) -> u64 {
        let parsed: u64 = self.watched.formats.iter().map(|(_, count)| count).sum();
        (self.watched.taken + self.watched.passed_over).saturating_sub(parsed)
    }

    /// Whether something of it was not taken.
    pub fn has_left(&self, settled: &Settled) -> bool {
        !self.is_done
            || self.fault.is_some()
            || self.oddities.cut_lines > 0
            || self.dead_letters(settled) > 0
            || self.unsettled(settled) > 0
    }

    /// Whether there is something to be said of it by itself.
    pub(super) fn is_notable(&self, settled: &Settled) -> bool {
        self.has_left(settled) || self.oddities.zeros > 0 || !self.remarks.is_empty()
    }

    /// Adds the numbers of another.
    pub(super) fn add(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.resumed += other.resumed;
        self.read += other.read;
        self.took += other.took;
        self.watched.add(&other.watched);
    }

    /// Says why not all of it was taken, behind what was said already.
    pub(crate) fn add_fault(&mut self, why: &str) {
        let before = self.fault.take().map(|fault| fault + "; ").unwrap_or_default();
        self.fault = Some(before + why);
    }

    /// Events that became dead letters, here or with the target.
    pub fn dead_letters(&self, settled: &Settled) -> u64 {
        self.watched.refused + settled.dead_letters
    }

    /// Documents of which it is not known what became of them: none, or the books of this replay do not balance.
    pub fn unsettled(&self, settled: &Settled) -> u64 {
        let known = settled.indexed + settled.before + settled.dead_letters;
        self.watched.taken.saturating_sub(known)
    }

    /// With what became of its documents.
    pub fn with(&self, settled: &Settled) -> SourceLine {
        let times = self.watched.times;
        SourceLine {
            path: self.path.clone(),
            kind: self.kind,
            bytes: self.bytes,
            read: self.resumed + self.read,
            indexed: settled.indexed,
            before: self.resumed + settled.before,
            dead_letters: self.dead_letters(settled),
            passed_over: self.watched.passed_over,
            unparsed: self.unparsed(),
            cut_lines: self.oddities.cut_lines,
            zero_bytes: self.oddities.zeros,
            first: times.map(|(first, _)| written(first)),
            last: times.map(|(_, last)| written(last)),
            formats: self.watched.formats.clone(),
            seconds: self.took.as_secs_f64(),
            remarks: self.remarks.clone(),
            fault: self.fault.clone(),
        }
    }
}

/// A time as RFC 3339 has it.
pub fn written(time: Timestamp) -> String {
    let nanos = i32::try_from(time.nanos()).unwrap_or_default();
    jiff::Timestamp::new(time.seconds(), nanos)
        .map_or_else(|_| time.seconds().to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_whose_reader_died_on_the_way_is_not_taken() {
        let settled = Settled::default();
        let read = SourceReport { read: 713, ..SourceReport::default() };
        assert!(read.has_left(&settled));
        assert!(!SourceReport { is_done: true, ..read }.has_left(&settled));
    }
}
