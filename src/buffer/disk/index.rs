//! What is in a closed segment, so that a start need not read the segment: the layout is in the module above.
//!
//! An index is believed only if its CRC, the segment's header and the segment's length fit and all that it tells lies
//! within the segment. It is small: beyond [`MAX_INDEX`] none is written and none is read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::Place;
use super::header::{SEGMENT_HEADER, SegmentHeader, take_sequence, take_u32, take_u64};
use super::record::{Body, HEAD, Head, Kind};
use super::run::{self, Run};

/// Bytes of the largest index: some twenty thousand runs.
pub(super) const MAX_INDEX: usize = 1 << 20;

const FRONT: usize = 76;
/// Where the segment's header is.
const HEADER: usize = 24;
const RUN: usize = 40;
const PART: usize = 24;
const MAGIC: &[u8; 8] = b"FOREBAYI";
const VERSION: u32 = 1;

/// What is in one segment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The highest sequence; 0 if there is no record.
    pub(super) highest: u64,
    pub(super) runs: Vec<Run>,
    pub(super) parts: Vec<(u64, Place)>,
    pub(super) superseded: Vec<u64>,
}

impl Index {
    /// A record, as it lies at `place`.
    pub(super) fn add(&mut self, place: Place, head: &Head, body: &Body<'_>) {
        match head.kind {
            Kind::Batch => self.batch(place, head.sequence, u64::from(head.documents), &body.parts),
            Kind::Part => self.part(place, head.sequence),
        }
    }

    /// A batch and the parts that it makes obsolete.
    pub(super) fn batch(&mut self, place: Place, sequence: u64, documents: u64, superseded: &[u64]) {
        self.highest = self.highest.max(sequence);
        if self.fits() {
            run::push(&mut self.runs, Run::of(place, sequence, documents));
            self.superseded.extend_from_slice(superseded);
        }
    }

    /// A part.
    pub(super) fn part(&mut self, place: Place, id: u64) {
        self.highest = self.highest.max(id);
        if self.fits() {
            self.parts.push((id, place));
        }
    }

    /// Whether it is small enough to be written; it takes nothing more once it is not.
    fn fits(&self) -> bool {
        self.size() <= MAX_INDEX
    }

    fn size(&self) -> usize {
        FRONT + RUN * self.runs.len() + PART * self.parts.len() + 8 * self.superseded.len() + 4
    }

    /// Writes it; nothing if it is too large. Whatever a crash leaves of it is found out by its CRC.
    pub(super) fn write(&self, path: &Path, header: SegmentHeader, length: u64) -> io::Result<()> {
        if self.fits() { fs::write(path, self.encode(header, length)) } else { Ok(()) }
    }

    // why: the counts are bounded by `MAX_INDEX`.
    #[allow(clippy::cast_possible_truncation)]
    fn encode(&self, header: SegmentHeader, length: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        out.extend_from_slice(MAGIC);
        for count in [VERSION, self.runs.len() as u32, self.parts.len() as u32, self.superseded.len() as u32]
        {
            out.extend_from_slice(&count.to_le_bytes());
        }
        out.extend_from_slice(&header.encode());
        let runs = self
            .runs
            .iter()
            .flat_map(|run| [run.first, run.last, run.place.from, run.place.to, run.documents]);
        let parts = self.parts.iter().flat_map(|(id, place)| [*id, place.from, place.to]);
        let numbers = [length, self.highest].into_iter().chain(runs).chain(parts);
        for number in numbers.chain(self.superseded.iter().copied()) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// The index of `segment`, if it has one that can be believed.
    pub(super) fn read(path: &Path, segment: u64, header: SegmentHeader, length: u64) -> Option<Self> {
        Self::parse(&bytes(path)?, segment, header, length)
    }

    /// The header of its segment as the index has it, if it can be believed and the segment is `length` bytes long.
    pub(super) fn header(path: &Path, length: u64) -> Option<SegmentHeader> {
        let bytes = bytes(path)?;
        let header = SegmentHeader::parse(bytes.get(HEADER..)?.first_chunk()?).ok()?;
        Self::parse(&bytes, 0, header, length).map(|_| header)
    }

    fn parse(bytes: &[u8], segment: u64, header: SegmentHeader, length: u64) -> Option<Self> {
        let (covered, crc) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
        if bytes.len() > MAX_INDEX || crc != crc32c::crc32c(covered).to_le_bytes() {
            return None;
        }
        let mut rest = covered.strip_prefix(MAGIC)?;
        let rest = &mut rest;
        let [version, runs, parts, superseded] =
            [take_u32(rest)?, take_u32(rest)?, take_u32(rest)?, take_u32(rest)?];
        *rest = rest.strip_prefix(&header.encode())?;
        if version != VERSION || take_u64(rest)? != length {
            return None;
        }
        let within = Within { segment, length };
        let highest = take_sequence(rest)?;
        let runs = (0..runs).map(|_| within.run(rest)).collect::<Option<_>>()?;
        let parts = (0..parts).map(|_| within.part(rest)).collect::<Option<_>>()?;
        let superseded = (0..superseded).map(|_| take_u64(rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { highest, runs, parts, superseded })
    }
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // why: whatever keeps it from being read, the segment itself tells the same.
    File::open(path).ok()?.take(MAX_INDEX as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The segment that everything in an index has to lie in.
struct Within {
    segment: u64,
    length: u64,
}

impl Within {
    fn run(&self, bytes: &mut &[u8]) -> Option<Run> {
        let [first, last] = [take_sequence(bytes)?, take_sequence(bytes)?];
        let place = self.place(bytes)?;
        let documents = take_u64(bytes)?;
        let run = Run { place, first, last, documents };
        // A record is its head and four bytes for each document, at least.
        let heads = (last.checked_sub(first)?.checked_add(1)?).checked_mul(HEAD as u64)?;
        let least = heads.checked_add(documents.checked_mul(4)?)?;
        (least <= place.to - place.from).then_some(run)
    }

    fn part(&self, bytes: &mut &[u8]) -> Option<(u64, Place)> {
        let id = take_sequence(bytes)?;
        Some((id, self.place(bytes)?))
    }

    fn place(&self, bytes: &mut &[u8]) -> Option<Place> {
        let (from, to) = (take_u64(bytes)?, take_u64(bytes)?);
        let lies_within = from >= SEGMENT_HEADER as u64 && from < to && to <= self.length;
        lies_within.then_some(Place { segment: self.segment, from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::PACKED;
    use super::*;

    const HEADER: SegmentHeader = SegmentHeader { version: PACKED, created: 17, first: 1, salt: None };

    fn place(from: u64, to: u64) -> Place {
        Place { segment: 7, from, to }
    }

    fn sample() -> Index {
        let mut index = Index::default();
        index.batch(place(36, 136), 1, 10, &[]);
        index.batch(place(136, 236), 2, 10, &[90, 91]);
        index.part(place(236, 300), 3);
        index.batch(place(300, 400), 4, 5, &[]);
        index
    }

    #[test]
    fn an_index_reads_back_as_it_was_written_with_neighbours_as_one() {
        let read = Index::parse(&sample().encode(HEADER, 400), 7, HEADER, 400).expect("a sound index");
        let run = |from, to, first, last, documents| Run { place: place(from, to), first, last, documents };
        assert_eq!(read.runs, [run(36, 236, 1, 2, 20), run(300, 400, 4, 4, 5)]);
        assert_eq!((read.highest, read.superseded), (4, vec![90, 91]));
        assert_eq!(read.parts, [(3, place(236, 300))]);
    }

    #[test]
    fn an_index_cut_or_flipped_anywhere_or_of_another_segment_is_not_believed() {
        let whole = sample().encode(HEADER, 400);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            assert_eq!(Index::parse(&whole[..at], 7, HEADER, 400), None, "cut at {at}");
            assert_eq!(Index::parse(&flipped, 7, HEADER, 400), None, "flipped at {at}");
        }
        assert_eq!(Index::parse(&whole, 7, HEADER, 401), None);
        assert_eq!(Index::parse(&whole, 7, SegmentHeader { created: 18, ..HEADER }, 400), None);
    }

    #[test]
    fn an_index_that_points_out_of_its_segment_is_not_believed() {
        for (from, to, records) in [(35, 400, 1), (36, 401, 1), (200, 200, 1), (300, 200, 1), (36, 400, 9)] {
            let mut index = sample();
            let run = Run { place: place(from, to), first: 5, last: 4 + records, documents: 1 };
            index.runs.push(run);
            assert_eq!(Index::parse(&index.encode(HEADER, 400), 7, HEADER, 400), None, "{from} to {to}");
        }
    }

    #[test]
    fn an_index_that_counts_more_documents_than_its_segment_can_hold_is_not_believed() {
        for (documents, is_believed) in [(14, true), (15, false), (u64::MAX, false)] {
            let mut index = Index::default();
            index.batch(place(36, 136), 1, documents, &[]);
            let read = Index::parse(&index.encode(HEADER, 400), 7, HEADER, 400);
            assert_eq!(read.is_some(), is_believed, "{documents}");
        }
    }

    #[test]
    fn a_segment_in_bits_and_pieces_gets_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("7.idx");
        let mut index = Index::default();
        for n in 0..100_000u64 {
            index.batch(place(36 + n, 37 + n), 2 * n, 1, &[]);
        }
        index.write(&path, HEADER, 400).expect("nothing to write");
        assert!(!path.exists() && index.size() < MAX_INDEX + 2 * RUN && index.highest == 199_998);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_bytes_reading_an_index_neither_panics_nor_believes(bytes: Vec<u8>) {
            let mut bytes = bytes;
            bytes.splice(0..0, MAGIC.iter().copied());
            proptest::prop_assert_eq!(Index::parse(&bytes, 7, HEADER, 400), None);
        }
    }
}
