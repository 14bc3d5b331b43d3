//! Chunks of Fluentd and Fluent Bit, against what the real programs sent of the same.

use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;

use super::rig::{Rig, captured, ids, reading, values};
use crate::decode::{Body, Decompressor, Frame, Item, Reader};
use crate::input::file::Kind;

/// Documents that a connection makes of a captured frame, and their ids.
fn sent(name: &str) -> (Vec<serde_json::Value>, Vec<String>) {
    let mut rig = Rig::new();
    rig.send(&captured(name));
    let documents = rig.documents();
    assert!(!documents.is_empty());
    (documents.iter().map(|document| document.body.clone()).collect(), ids(&documents))
}

/// A frame's chunk, as the text that it is.
fn token(frame: &Frame<'_>) -> String {
    let Ok(Item::Text(token)) = Reader::new(frame.chunk.expect("a chunk")).item() else { panic!("a text") };
    String::from_utf8(token.to_vec()).expect("UTF-8")
}

#[test]
fn what_fluentd_had_sent_when_its_ack_got_lost_comes_again_under_the_same_ids() {
    for name in ["fluentd-acks", "fluentd-gzip", "fluentd-zstd"] {
        let bytes = captured(name);
        let frame = Frame::read(&bytes).expect("a frame").expect("no heartbeat");
        let id = BASE64_STANDARD.decode(token(&frame).trim()).expect("base64");
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let tag = str::from_utf8(frame.tag).expect("UTF-8");
        // As `buf_file` has it, and as `buf_file_single` has it.
        let files = [format!("buffer.q{hex}.log"), format!("fsb.{tag}.b{hex}.buf")];
        let meta = [b"\x82\xa2id\xb0", &id[..], b"\xa3tag\xab", frame.tag].concat();
        fs::write(folder.path().join(format!("{}.meta", files[0])), meta).expect("written");
        for file in files {
            let path = folder.path().join(file);
            fs::write(&path, frame.body.payload()).expect("written");
            let mut rig = Rig::new();
            assert_eq!(rig.read_file(&path, &unpacked(&frame.body)), Kind::FluentdChunk);
            let documents = rig.documents();
            let bodies = documents.iter().map(|document| document.body.clone()).collect();
            assert_eq!((bodies, ids(&documents)), sent(name), "{name}: {}", path.display());
            assert_eq!(rig.remarks, [""; 0]);
        }
    }
}

fn unpacked(body: &Body<'_>) -> Vec<u8> {
    let Body::Compressed(codec, bytes) = body else { return body.payload().to_vec() };
    let mut windows = Decompressor::new(*codec, bytes, 1 << 20, 1_000, 1 << 20).expect("a decoder");
    let mut all = Vec::new();
    while let Some(window) = windows.next_window().expect("sound") {
        all.extend_from_slice(window);
    }
    all
}

/// `[seconds, {"n": n}]`
fn entry(n: u8) -> Vec<u8> {
    [b"\x92\xce\x69\xf8\x3b\x0f\x81\xa1n".as_slice(), &[n]].concat()
}

#[test]
fn whole_entries_before_a_torn_one_are_taken_and_the_rest_is_told() {
    let whole = [entry(1), entry(2), entry(3)].concat();
    for cut in 0..whole.len() {
        let mut rig = Rig::new();
        rig.read_as(Kind::FluentdChunk, &whole[..cut], &reading());
        let numbers: Vec<_> = (1..=cut / entry(1).len()).map(|n| json!(n)).collect();
        assert_eq!(values(&rig.documents(), "n"), numbers, "cut at {cut}");
        let torn = cut % entry(1).len();
        let at = cut - torn;
        let expected = format!(
            "nothing can be read from byte {at} on: it ends inside of an entry, of which {torn} bytes are there"
        );
        assert_eq!(rig.remarks, if torn == 0 { vec![] } else { vec![expected] });
    }
}

#[test]
fn zeros_that_a_crash_has_left_are_no_entries() {
    let mut rig = Rig::new();
    rig.read_as(Kind::FluentdChunk, &[entry(1), vec![0; 5_000]].concat(), &reading());
    assert_eq!(values(&rig.documents(), "n"), [json!(1)]);
    assert_eq!(rig.remarks, ["bytes of 0 passed over: 5000"]);
    assert!(rig.letters().is_empty());
}

#[test]
fn equal_entries_of_a_chunk_without_a_name_stay_apart_and_come_once() {
    let mut rig = Rig::new();
    for _ in 0..2 {
        rig.read(&[entry(1), entry(1)].concat(), &reading());
    }
    let mut ids = ids(&rig.documents());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

#[test]
fn an_entry_that_is_none_is_a_dead_letter() {
    let mut rig = Rig::new();
    rig.read(&[entry(1), b"\xa3abc".to_vec(), entry(2)].concat(), &reading());
    assert_eq!(values(&rig.documents(), "n"), [json!(1), json!(2)]);
    assert_eq!(rig.letters()[0]["original"], BASE64_STANDARD.encode(b"\xa3abc"));
}

/// A chunk of Fluent Bit.
struct Flb {
    tag: &'static [u8],
    /// Before the tag.
    magic: &'static [u8],
    has_length: bool,
    has_checksum: bool,
    content: Vec<u8>,
}

impl Flb {
    fn bytes(&self) -> Vec<u8> {
        let metadata = [self.magic, self.tag].concat();
        let covered = [&(metadata.len() as u16).to_be_bytes()[..], &metadata, &self.content].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&covered);
        let checksum = if self.has_checksum { crc.sum() } else { 0 };
        let length = if self.has_length { self.content.len() as u32 } else { 0 };
        let header =
            [b"\xc1\x00".as_slice(), &checksum.to_be_bytes(), &[0; 4], &length.to_be_bytes(), &[0; 8]]
                .concat();
        [header, covered].concat()
    }
}

/// The entries of a captured frame, which Fluent Bit sends as it stores them.
fn stored(name: &str) -> Vec<u8> {
    let bytes = captured(name);
    let frame = Frame::read(&bytes).expect("a frame").expect("no heartbeat");
    frame.body.payload().to_vec()
}

const TAG: &[u8] = b"app.fluent_bit";
const LOGS: &[u8] = b"\xf1\x77\x00\x00";

#[test]
fn what_fluent_bit_had_sent_when_its_ack_got_lost_comes_again_under_the_same_ids() {
    let content = stored("fluent-bit-acks");
    let since_1_9 = |content| Flb { tag: TAG, magic: LOGS, has_length: true, has_checksum: true, content };
    let plain = since_1_9(content.clone());
    let early = Flb { tag: TAG, magic: b"", has_length: false, has_checksum: false, content };
    // The file is longer than what was written, where it was never closed.
    let files = [
        plain.bytes(),
        early.bytes(),
        [plain.bytes(), vec![0; 512]].concat(),
        [early.bytes(), vec![0; 512]].concat(),
    ];
    for file in files {
        let mut rig = Rig::new();
        assert_eq!(rig.read(&file, &reading()), Kind::FluentBitChunk);
        let documents = rig.documents();
        let bodies = documents.iter().map(|document| document.body.clone()).collect();
        assert_eq!((bodies, ids(&documents)), sent("fluent-bit-acks"));
        assert_eq!(rig.remarks, [""; 0]);
    }
}

#[test]
fn marks_of_groups_are_no_events() {
    let mark =
        |last| [b"\x92\x92\xd7\x00\xff\xff\xff".as_slice(), &[last], b"\0\0\0\0\x80\x81\xa1g\x01"].concat();
    let content = [mark(0xff), stored("fluent-bit-acks"), mark(0xfe)].concat();
    let chunk = Flb { tag: TAG, magic: LOGS, has_length: true, has_checksum: true, content };
    let mut rig = Rig::new();
    rig.read(&chunk.bytes(), &reading());
    assert_eq!(values(&rig.documents(), "n"), [json!(0), json!(1)]);
    assert_eq!(rig.remarks, ["marks of groups passed over: 2"]);
}

#[test]
fn the_tag_of_a_chunk_ends_where_its_routes_begin() {
    let content = stored("fluent-bit-acks");
    let tag = b"app.fluent_bit\0\0\x02\0\0";
    let chunk = Flb { tag, magic: b"\xf1\x77\x00\x01", has_length: true, has_checksum: true, content };
    let mut rig = Rig::new();
    rig.read(&chunk.bytes(), &reading());
    assert_eq!(ids(&rig.documents()), sent("fluent-bit-acks").1);
}

#[test]
fn of_a_damaged_chunk_what_can_be_read_is_taken_and_it_is_told() {
    let content = stored("fluent-bit-acks");
    let chunk = Flb { tag: TAG, magic: LOGS, has_length: true, has_checksum: true, content }.bytes();
    let mut flipped = chunk.clone();
    let at = flipped.len() - 30;
    flipped[at] ^= 1;
    let mut rig = Rig::new();
    rig.read(&flipped, &reading());
    assert_eq!(rig.documents().len(), 2);
    assert_eq!(rig.remarks, ["its checksum does not fit, though what can be read was taken"]);
    for cut in 24..chunk.len() {
        let mut rig = Rig::new();
        rig.read_as(Kind::FluentBitChunk, &chunk[..cut], &reading());
        assert!(rig.documents().len() < 2 && !rig.remarks.is_empty(), "cut at {cut}");
    }
}

#[test]
fn metrics_are_no_logs() {
    let (has_length, has_checksum) = (true, false);
    let chunk =
        Flb { tag: TAG, magic: b"\xf1\x77\x01\x00", has_length, has_checksum, content: b"\x80".into() };
    let mut rig = Rig::new();
    rig.read(&chunk.bytes(), &reading());
    assert!(rig.documents().is_empty());
    assert_eq!(rig.remarks, ["it holds metrics, traces or profiles, which are no logs"]);
}

#[test]
fn a_chunk_that_is_larger_than_any_is_read_with_ids_of_places() {
    let text = vec![b'x'; 1 << 20];
    let entry =
        [b"\x92\xce\x69\xf8\x3b\x0f\x81\xa1t\xdb".as_slice(), &(1_u32 << 20).to_be_bytes(), &text].concat();
    let content = entry.repeat(9);
    let chunk = Flb { tag: TAG, magic: LOGS, has_length: true, has_checksum: true, content }.bytes();
    let mut rig = Rig::new();
    rig.read(&chunk, &reading());
    let documents = rig.documents();
    assert!(documents.iter().all(|document| document.index == "logs-app.fluent_bit-default"));
    let mut ids = ids(&documents);
    ids.dedup();
    assert_eq!((ids.len(), rig.remarks.len()), (9, 1), "{:?}", rig.remarks);
}
