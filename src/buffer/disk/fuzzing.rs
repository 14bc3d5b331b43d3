//! The door for fuzz targets: what the reader of segments makes of any bytes.

use std::fs::File;
use std::io;
use std::path::Path;

use super::header::SEGMENT_HEADER;
use super::record::{Body, Head, Kind};
use super::scan::{Scan, Step};
use super::{Files, Place, ReadLimits, read_back};

/// Where the walk went, from byte to byte.
#[derive(Debug, PartialEq, Eq)]
pub enum Walked {
    /// A sound batch, its sequence and its documents; none where its payload cannot be unpacked.
    Batch(u64, u64, u64, Option<Vec<Vec<u8>>>),
    /// A sound part, its sequence and its bytes.
    Part(u64, u64, u64, Vec<u8>),
    /// Bytes that are passed over.
    Damaged(u64, u64),
    /// Nothing from here on can be read.
    Lost(u64),
    /// The file ends here, in the middle of a record or in zeros.
    Torn(u64),
}

/// Walks the segment at `path` behind its header.
pub fn walk(path: &Path) -> io::Result<Vec<Walked>> {
    let file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut scan = Scan::new(&file, SEGMENT_HEADER as u64, end);
    let mut walked = Vec::new();
    loop {
        walked.push(match scan.step()? {
            Step::Record { from, head, body } => {
                let to = from + u64::from(head.length);
                match head.kind {
                    Kind::Batch => Walked::Batch(from, to, head.sequence, unpacked(&head, &body)),
                    Kind::Part => Walked::Part(from, to, head.sequence, body.payload.to_vec()),
                }
            }
            Step::Damaged { from, to, .. } => Walked::Damaged(from, to),
            Step::Lost { from, .. } => Walked::Lost(from),
            Step::Torn { from } => Walked::Torn(from),
            Step::End => return Ok(walked),
        });
    }
}

/// Reads the batches of segment `segment` back as the queue does, a loan of at most `bytes` and `count` at a time.
pub fn read_all(dir: &Path, segment: u64, bytes: usize, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let files = Files::new(dir);
    let to = files.segment(segment).metadata()?.len();
    let limits = ReadLimits { bytes, documents: count };
    let mut place = Place { segment, from: SEGMENT_HEADER as u64, to };
    let mut all = Vec::new();
    while place.from < place.to {
        let read = read_back(&files, segment, &[place], Vec::new(), limits)?;
        all.extend(documents(&read.bytes, &read.ends));
        place.from = read.stretches.last().map_or(place.to, |stretch| stretch.offset);
    }
    Ok(all)
}

fn unpacked(head: &Head, body: &Body<'_>) -> Option<Vec<Vec<u8>>> {
    let mut payload = Vec::new();
    body.unpack(head, &mut payload).ok()?;
    Some(documents(&payload, &body.ends))
}

fn documents(payload: &[u8], ends: &[u32]) -> Vec<Vec<u8>> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let document = |(from, to): (u32, &u32)| payload.get(from as usize..*to as usize).map(<[u8]>::to_vec);
    starts.zip(ends).filter_map(document).collect()
}
