//! One segment of any bytes, against its format's description.
//!
//! - The walk goes from byte to byte without a gap; what it calls a record is one, what it does not is none.
//! - What is read back, in pieces of any size, is what the walk found.
//!
//! Input: two bytes that say which checksums stay wrong, one for the pieces' size, then the segment.
#![no_main]

use forebay::buffer::fuzzing::{Walked, read_all, walk};
use forebay_fuzz::input::Input;
use forebay_fuzz::rig::directory;
use forebay_fuzz::segments::{HEADER, Kind, Record, record, seal_segment};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (wrong, size) = (input.short() as u16, usize::from(input.byte()));
    let mut segment = input.0.to_vec();
    seal_segment(&mut segment, wrong);
    let dir = directory();
    std::fs::create_dir(dir.path().join("segments")).expect("a directory");
    let path = dir.path().join("segments/00000000000000000001.seg");
    std::fs::write(&path, &segment).expect("a segment");
    if segment.len() < HEADER {
        return;
    }
    let walked = walk(&path).expect("no fault");
    agrees(&walked, &segment);
    let mut expected = Vec::new();
    for step in &walked {
        expected.extend(if let Walked::Batch(.., Some(documents)) = step {
            documents.clone()
        } else {
            vec![]
        });
    }
    let read = read_all(dir.path(), 1, size << 4, size % 16).expect("no fault");
    assert_eq!(read, expected);
});

fn agrees(walked: &[Walked], segment: &[u8]) {
    let mut at = HEADER as u64;
    for step in walked {
        let (from, to) = match step {
            Walked::Batch(from, to, sequence, documents) => {
                is_record(segment, *from, *to, *sequence, Kind::Batch(documents.clone()));
                (*from, *to)
            }
            Walked::Part(from, to, sequence, bytes) => {
                is_record(segment, *from, *to, *sequence, Kind::Part(bytes.clone()));
                (*from, *to)
            }
            Walked::Damaged(from, to) => (*from, *to),
            Walked::Lost(from) | Walked::Torn(from) => (*from, segment.len() as u64),
        };
        assert!(from == at && from < to, "{from}..{to} behind {at}: {walked:?}");
        let is_damage = matches!(step, Walked::Damaged(..) | Walked::Lost(_) | Walked::Torn(_));
        assert!(
            !is_damage || record(segment, from as usize).is_none(),
            "a sound record at {from}: {walked:?}"
        );
        at = to;
    }
    assert_eq!(at, segment.len() as u64, "{walked:?}");
}

fn is_record(segment: &[u8], from: u64, to: u64, sequence: u64, kind: Kind) {
    let found = record(segment, from as usize);
    let superseded = found.as_ref().map(|record| record.superseded.clone()).unwrap_or_default();
    let (from, to) = (from as usize, to as usize);
    assert_eq!(found, Some(Record { from, to, sequence, kind, superseded }));
}
