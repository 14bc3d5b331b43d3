//! Captures of connections, against the connections themselves.

use serde_json::json;

use super::rig::{Rig, captured, ids, reading, values};
use crate::decode::{Frame, FrameScan, Scanned};
use crate::input::file::Kind;

/// The frames of a fixture, one by one, that carry events.
fn frames(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut frames, mut rest) = (Vec::new(), bytes);
    while let Ok(Scanned::Complete(length)) = FrameScan::new(1 << 20).advance(rest) {
        let (frame, behind) = rest.split_at(length);
        if matches!(Frame::read(frame), Ok(Some(_))) {
            frames.push(frame);
        }
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    frames
}

#[test]
fn a_capture_brings_what_the_connection_brought_and_under_its_ids_where_chunks_have_names() {
    for name in [
        "docker-line",
        "docker-request-ack",
        "fluentd-acks",
        "fluentd-gzip",
        "fluentd-packed",
        "fluentd-seconds",
        "fluent-bit-acks",
        "fluent-bit-gzip",
        "fluent-bit-message",
        "fluent-bit-metadata",
        "logger-go",
        "logger-python",
        "packed-zstd",
    ] {
        let bytes = captured(name);
        let (mut live, mut read) = (Rig::new(), Rig::new());
        let frames = frames(&bytes);
        frames.iter().for_each(|frame| live.send(frame));
        assert_eq!(read.read(&bytes, &reading()), Kind::Forward, "{name}");
        let (live, again) = (live.documents(), read.documents());
        let bodies = |documents: &[super::rig::Document]| values(documents, "message");
        assert!(!live.is_empty() && bodies(&live) == bodies(&again), "{name}");
        let named =
            frames.iter().all(|frame| matches!(Frame::read(frame), Ok(Some(Frame { chunk: Some(_), .. }))));
        assert!(!named || ids(&live) == ids(&again), "{name}");
    }
}

#[test]
fn frames_without_a_chunk_come_once_too_however_often_they_are_read() {
    let bytes = captured("fluentd-packed").repeat(2);
    let mut rig = Rig::new();
    rig.read(&bytes, &reading());
    let first = ids(&rig.documents());
    rig.read(&bytes, &reading());
    assert_eq!(ids(&rig.documents()), first);
    let mut once = first.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), first.len(), "equal frames stay apart");
}

#[test]
fn json_frames_are_read_with_or_without_blanks_between() {
    let text = r#"["app",[[1777885951,{"n":1}],[1777885952,{"n":2}]],{"chunk":"c"}] ["app",1777885953,{"n":3}]
["app",1777885954,{"n":4}]"#;
    let mut rig = Rig::new();
    assert_eq!(rig.read(text.as_bytes(), &reading()), Kind::Forward);
    assert_eq!(values(&rig.documents(), "n"), [json!(1), json!(2), json!(3), json!(4)]);
    assert_eq!(rig.remarks, [""; 0]);
}

#[test]
fn what_stands_between_frames_is_passed_over() {
    let mut bytes = b"\x96\xa4PING\xa1h\xa1s\xa1d\xa0\xa0\xc0\x92\xa0\x90\x81\xa3ack\xa1c".to_vec();
    bytes.extend_from_slice(&captured("fluentd-packed"));
    let mut rig = Rig::new();
    assert_eq!(rig.read(&bytes, &reading()), Kind::Forward);
    assert!(!rig.documents().is_empty());
    assert_eq!(rig.remarks, ["messages that are no frames passed over: 3"]);
    assert!(rig.letters().is_empty());
}

#[test]
fn a_frame_that_cannot_be_read_is_a_dead_letter_and_a_cut_one_is_told() {
    let whole = captured("fluentd-packed");
    let bytes = [&whole[..], b"\x92\xa1t\xa3abc\x91\x01", &whole[..whole.len() - 1]].concat();
    let mut rig = Rig::new();
    rig.read(&bytes, &reading());
    let documents = rig.documents();
    assert!(!documents.is_empty());
    assert_eq!(rig.letters().len(), 4, "three entries that are none, and a frame that is none");
    assert_eq!(rig.remarks.len(), 1);
}
