//! One frame, from its bytes to its documents, against a plain reading of the tree that `rmpv` makes of them.
//!
//! What `rmpv` reads as a value, the scan finds the end of, and what the scan finds, `rmpv` reads; of both readings tag,
//! chunk, events and documents are the same. Differences that are meant:
//!
//! - the reserved byte 0xc1 is nil for `rmpv`; here it is malformed, since no encoder writes it;
//! - a name that is an array, a map or an extension becomes the base64 of its bytes: here of those that came, in the plain
//!   reading of the shortest that say the same, so it is compared where these came;
//! - a value that goes deeper than 200, `rmpv` or one of our limits may refuse; it is not compared;
//! - entries that cannot be decompressed to their end are given here as far as they go.
#![no_main]
#![expect(clippy::disallowed_types, reason = "the plain decoders that ours is held against")]

use std::borrow::Cow;
use std::io::Read as _;
use std::sync::Arc;

use forebay::decode::{Body, DecodeError, Decompressor, Entries, Frame, FrameScan, Scanned};
use forebay::encode::{Destination, Encoder, IdBase};
use forebay::event::{self, Fields, Timestamp};
use forebay_fuzz::frames::{self, Compression, DEEPEST, Plain, Read, has_packed_name};
use forebay_fuzz::reference::{document, rfc3339, same, shortest};
use rmpv::Value;
use rmpv::decode::read_value_with_max_depth;
use serde_json::Value as Json;

/// Bytes that a frame may declare, and that its entries may become.
const LIMIT: u64 = 1 << 20;

/// An event: its time and its document; none where it was refused.
type Document = Option<(Option<Timestamp>, Json)>;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let theirs = frames::read(bytes);
    let length = match (FrameScan::new(LIMIT).advance(bytes), &theirs) {
        (Ok(Scanned::Complete(length)), Read::Frame(_, theirs)) => {
            assert_eq!(length, *theirs);
            length
        }
        (Ok(Scanned::Complete(length)), Read::Unknown) => {
            assert!(is_deep(&bytes[..length]), "rmpv reads no value");
            return;
        }
        (Ok(Scanned::Need(_)), Read::Frame(..)) => panic!("the scan does not find the end"),
        (Ok(Scanned::Need(_)) | Err(_), _) => return,
    };
    let Read::Frame(theirs, _) = theirs else { return };
    let bytes = &bytes[..length];
    if !has_reserved(bytes) {
        agrees(Frame::read(bytes), theirs, is_shortest(bytes));
    }
});

fn agrees(ours: Result<Option<Frame<'_>>, DecodeError>, theirs: Plain, is_shortest: bool) {
    match (ours, theirs) {
        (Ok(None), Plain::Heartbeat) | (Err(_), Plain::Refused) => (),
        (Ok(Some(Frame { body: Body::OtherSignal, .. })), Plain::OtherSignal) => (),
        (Ok(Some(ours)), Plain::Events { tag, chunk, entries }) => {
            assert_eq!(ours.tag, tag);
            let ours_chunk =
                ours.chunk.map(|mut chunk| rmpv::decode::read_value(&mut chunk).expect("a value"));
            assert_eq!(ours_chunk, chunk);
            let Some(theirs) = theirs_of(entries, is_shortest) else { return };
            let ours = ours_of(&ours.body);
            assert_eq!(ours.len(), theirs.len(), "{ours:?}\n{theirs:?}");
            ours.iter().zip(&theirs).for_each(|(ours, theirs)| assert_same(ours, theirs));
        }
        (ours, theirs) => panic!("ours: {ours:?}\ntheirs: {theirs:?}"),
    }
}

fn assert_same(ours: &Document, theirs: &Document) {
    match (ours, theirs) {
        (None, None) => (),
        (Some((our_time, ours)), Some((their_time, theirs))) => {
            assert_eq!(our_time, their_time);
            assert!(same(ours, theirs), "\n ours: {ours}\nplain: {theirs}");
        }
        _ => panic!("\n ours: {ours:?}\nplain: {theirs:?}"),
    }
}

fn ours_of(body: &Body<'_>) -> Vec<Document> {
    let mut found = Vec::new();
    match body {
        Body::Compressed(codec, bytes) => {
            let mut windows =
                Decompressor::new(*codec, bytes, LIMIT, 1_000, LIMIT).expect("a decoder without a byte read");
            let mut refusals = 0;
            while let Ok(Some(window)) = windows.next_window() {
                refusals = documents(&Body::Packed(window), refusals, &mut found);
            }
        }
        body => drop(documents(body, 0, &mut found)),
    }
    found
}

/// Those of one body, or of one window, behind so many refusals; answers how many there are behind it.
fn documents(body: &Body<'_>, refusals: u32, found: &mut Vec<Document>) -> u32 {
    let mut entries = Entries::new(body, DEEPEST + 50, usize::MAX).after(refusals);
    loop {
        let mut fields = Fields::default();
        match entries.next(&mut fields) {
            Some(Ok(time)) => found.push(Some((time, written(time, fields)))),
            Some(Err(_)) => found.extend((0..entries.refused().1).map(|_| None)),
            None => return entries.refusals(),
        }
    }
}

/// The document as the encoder writes it, less its time and its sequence, which have to be right.
fn written(time: Option<Timestamp>, fields: Fields<'_>) -> Json {
    let time = time.unwrap_or_else(|| Timestamp::new(5, 0).expect("in range"));
    let template = Arc::new("logs".parse().expect("a template"));
    let mut out = Vec::new();
    let event = event::Event { time, tag: "t", fields };
    let destination = Destination::new(template, "logs", "t");
    Encoder::default().write(&mut out, &destination, &event, IdBase::from_bytes([7; 16]), 9);
    let text = std::str::from_utf8(&out).expect("UTF-8");
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let [_, line] = lines[..] else { panic!("two lines: {text:?}") };
    let mut document: Json = serde_json::from_str(line).expect("JSON");
    let members = document.as_object_mut().expect("an object");
    let told = (members.remove("@timestamp"), members.remove("event.sequence"));
    assert_eq!(told, (Some(rfc3339(time.seconds(), time.nanos()).into()), Some(9.into())));
    document
}

/// None where it is not compared: see the module.
fn theirs_of(entries: frames::Entries, is_shortest: bool) -> Option<Vec<Document>> {
    match entries {
        frames::Entries::Values(values) if !is_shortest && values.iter().any(has_packed_name) => None,
        frames::Entries::Values(values) => Some(values.into_iter().map(plain).collect()),
        frames::Entries::Packed(compression, bytes) => packed(&decompressed(compression, &bytes)?),
    }
}

fn plain(entry: Value) -> Document {
    let event = frames::event(entry)?;
    let time = event.time.and_then(|(seconds, nanos)| Timestamp::new(seconds, nanos));
    Some((time, document(&event.record)))
}

/// Entries one after the other, until one is cut short.
fn packed(mut bytes: &[u8]) -> Option<Vec<Document>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        if has_reserved(bytes) || is_deep(bytes) {
            return None;
        }
        let Some((entry, rest)) = frames::value(bytes) else {
            found.push(None);
            break;
        };
        if has_packed_name(&entry) && !is_shortest(bytes) {
            return None;
        }
        found.push(plain(entry));
        bytes = rest;
    }
    Some(found)
}

/// None where it does not come to an end within the limits, or ends inside an entry.
fn decompressed(compression: Option<Compression>, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut out = Vec::new();
    let read = match compression {
        None => return Some(bytes.into()),
        Some(Compression::Gzip) => {
            flate2::bufread::MultiGzDecoder::new(bytes).take(LIMIT).read_to_end(&mut out)
        }
        Some(Compression::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).expect("nothing read yet");
            decoder.window_log_max(23).expect("a window that there is");
            decoder.take(LIMIT).read_to_end(&mut out)
        }
    };
    let mut rest = out.as_slice();
    while !rest.is_empty() {
        read_value_with_max_depth(&mut rest, DEEPEST).ok()?;
    }
    (read.is_ok() && (out.len() as u64) < LIMIT).then_some(out.into())
}

/// Whether the first value of `bytes` has the reserved byte in it.
fn has_reserved(bytes: &[u8]) -> bool {
    matches!(FrameScan::new(LIMIT).advance(bytes), Err(DecodeError::Malformed { .. }))
}

/// Whether there is no shorter way to write the first value of `bytes`.
fn is_shortest(bytes: &[u8]) -> bool {
    frames::value(bytes).is_some_and(|(value, rest)| shortest(&value) == bytes[..bytes.len() - rest.len()])
}

/// Whether values lie in the first one deeper than is compared; counts open arrays and maps.
fn is_deep(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let read = read_value_with_max_depth(&mut rest, DEEPEST);
    matches!(read, Err(rmpv::decode::Error::DepthLimitExceeded))
}
