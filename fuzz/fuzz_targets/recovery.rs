//! A start on a directory of segments, marks and indexes of any bytes, against the format's description.
//!
//! - It starts, unless a segment is of another version, which it has to refuse.
//! - What is delivered was written whole; where no index was made up, it is delivered once and was not settled.
//! - The sound records that a segment begins with are all there; so are the parts that no batch supersedes.
//! - Once all is delivered, the next start finds the same parts and no documents.
//!
//! An index that is sound and lies is believed for where records are, and for nothing else: that is its purpose, so of
//! a directory with indexes only the first two are asked.
//!
//! Input: files, each as its kind, its number, two bytes for the checksums that stay wrong, two for its length, its bytes.
#![no_main]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use forebay::buffer::{Buffer, KeptPart, OpenError};
use forebay::metrics::Metrics;
use forebay_fuzz::input::Input;
use forebay_fuzz::rig::{directory, options, runtime};
use forebay_fuzz::segments::{self, Kind, Record};
use prometheus_client::registry::Registry;

/// Files by number.
#[derive(Debug, Default)]
struct Files {
    segments: BTreeMap<u64, Vec<u8>>,
    marks: BTreeMap<u64, Vec<u8>>,
    indexes: BTreeMap<u64, Vec<u8>>,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = Files::read(Input(bytes));
    let dir = directory();
    files.write(&dir.path().join("segments"));
    let is_refused = files.segments.values().any(|bytes| segments::is_of_another_version(bytes));
    let (documents, parts) = match runtime().block_on(start(dir.path())) {
        Ok(found) => found,
        Err(OpenError::Version { .. }) => return assert!(is_refused),
        Err(fault) => panic!("{fault}"),
    };
    assert!(!is_refused, "a version that is not known");
    files.were_written(&documents, &parts);
    if files.indexes.is_empty() {
        files.are_complete(&documents, &parts);
    }
    let (again, same_parts) = runtime().block_on(start(dir.path())).expect("it starts again");
    assert!(again.is_empty(), "delivered twice");
    assert!(same_parts.iter().all(|part| parts.contains(part)), "{same_parts:?}");
});

/// Starts, delivers everything and stops.
async fn start(dir: &Path) -> Result<(Vec<Vec<u8>>, Vec<KeptPart>), OpenError> {
    let (buffer, parts) = Buffer::open(options(), dir, Metrics::new(&mut Registry::default()))?;
    let mut documents = Vec::new();
    while buffer.stats().events > 0 {
        let delivery = buffer.pop().await.expect("a loan");
        let starts = std::iter::once(0).chain(delivery.ends().iter().copied());
        let bytes = delivery.bytes();
        documents.extend(
            starts.zip(delivery.ends()).map(|(from, to)| bytes[from as usize..*to as usize].to_vec()),
        );
        delivery.delivered();
    }
    buffer.stop(Duration::from_secs(10)).await;
    Ok((documents, parts.waiting))
}

impl Files {
    fn read(mut input: Input<'_>) -> Self {
        let mut files = Self::default();
        while !input.is_empty() {
            let [kind, number] = [input.byte(), input.byte()];
            // Some at the end of all numbers, where there is none to come behind.
            let number =
                if number < 128 { u64::from(number % 4) + 1 } else { u64::MAX - u64::from(!number % 4) };
            let (wrong, length) = (input.short() as u16, input.short());
            let mut bytes = input.slice(length).to_vec();
            let (of_kind, seal): (_, fn(&mut [u8], u16)) = match kind % 3 {
                0 => (&mut files.segments, segments::seal_segment),
                1 => (&mut files.marks, segments::seal_marks),
                _ => (&mut files.indexes, segments::seal_index),
            };
            seal(&mut bytes, wrong);
            of_kind.insert(number, bytes);
        }
        files
    }

    fn write(&self, dir: &Path) {
        std::fs::create_dir(dir).expect("a directory");
        for (files, extension) in [(&self.segments, "seg"), (&self.marks, "done"), (&self.indexes, "idx")] {
            for (number, bytes) in files {
                std::fs::write(dir.join(format!("{number:020}.{extension}")), bytes).expect("a file");
            }
        }
    }

    /// All sound records, wherever they lie.
    fn records(&self) -> impl Iterator<Item = (u64, Record)> {
        self.segments.iter().flat_map(|(number, bytes)| {
            let markers = bytes.windows(4).enumerate().filter(|(_, window)| window == b"FBR1");
            markers.filter_map(|(at, _)| segments::record(bytes, at)).map(|record| (*number, record))
        })
    }

    fn were_written(&self, documents: &[Vec<u8>], parts: &[KeptPart]) {
        let (mut written, mut kept) = (HashSet::new(), HashSet::new());
        for (_, record) in self.records() {
            match record.kind {
                Kind::Batch(documents) => written.extend(documents.into_iter().flatten()),
                Kind::Part(bytes) => drop(kept.insert((record.sequence, bytes))),
            }
        }
        assert!(documents.iter().all(|document| written.contains(document)), "a document that nobody wrote");
        assert!(parts.iter().all(|part| kept.iter().any(|(_, bytes)| *bytes == part.bytes)), "{parts:?}");
    }

    fn are_complete(&self, documents: &[Vec<u8>], parts: &[KeptPart]) {
        let mut left = counted(documents);
        let superseded: HashSet<u64> = self.records().flat_map(|(_, record)| record.superseded).collect();
        for (number, bytes) in self.segments.iter().filter(|(_, bytes)| segments::is_readable(bytes)) {
            let settled = self.marks.get(number).map(|marks| segments::settled(marks)).unwrap_or_default();
            let first = |from| segments::record(bytes, from);
            let sound = std::iter::successors(first(segments::HEADER), |record| first(record.to));
            for record in sound.filter(|record| !settled.contains(&record.sequence)) {
                match record.kind {
                    Kind::Batch(documents) => {
                        documents.unwrap_or_default().iter().for_each(|document| take(&mut left, document));
                    }
                    Kind::Part(_) if superseded.contains(&record.sequence) => (),
                    Kind::Part(_) => {
                        assert!(parts.iter().any(|part| part.id == record.sequence), "{record:?} is lost");
                    }
                }
            }
        }
        let mut may_be_left = HashMap::new();
        for (number, record) in self.records() {
            let settled = self.marks.get(&number).map(|marks| segments::settled(marks)).unwrap_or_default();
            if let Kind::Batch(Some(documents)) = record.kind
                && !settled.contains(&record.sequence)
            {
                documents.into_iter().for_each(|document| *may_be_left.entry(document).or_insert(0) += 1);
            }
        }
        for (document, count) in counted(documents) {
            assert!(may_be_left.get(document).is_some_and(|may| count <= *may), "twice, or settled before");
        }
    }
}

fn counted(documents: &[Vec<u8>]) -> HashMap<&[u8], usize> {
    let mut counts = HashMap::new();
    documents.iter().for_each(|document| *counts.entry(document.as_slice()).or_insert(0) += 1);
    counts
}

fn take(left: &mut HashMap<&[u8], usize>, document: &[u8]) {
    let count = left.get_mut(document).filter(|count| **count > 0);
    *count.expect("a document is lost") -= 1;
}
