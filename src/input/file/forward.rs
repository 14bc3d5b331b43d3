//! What a connection of the forward protocol was sent, as a capture of its bytes has it: frames, one after the other, in msgpack or
//! in JSON.
//!
//! A frame with a chunk gives the ids that it gave when it came; one without gets a chunk by its place. Heartbeats, handshakes and
//! acks are passed over; what is none of these is handed on as an entry, which no rule can read, and so becomes a dead letter.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::Mark;
use super::reading::Reading;
use super::take::{Outlet, Take};
use super::values::{Stop, Values, Whole, Written};
use crate::decode::{Body, Frame, Item, Reader, json_to_msgpack};

/// Hands on the frames in `from`.
pub(super) fn read(from: &mut dyn Read, reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let mut first = [0];
    let length = read_first(from, &mut first)?;
    let written = if matches!(first, [b'[' | b'{' | b' ' | b'\t' | b'\r' | b'\n']) {
        Written::Json
    } else {
        Written::Msgpack
    };
    let front = first.get(..length).unwrap_or_default();
    let mut values = Values::new(front.chain(from), written);
    let mut outlet = Outlet::new(take, reading.tag);
    let (mut transcoded, mut others) = (Vec::new(), 0);
    let stop = loop {
        let value = match values.next() {
            Ok(Some(value)) => value,
            Ok(None) => break None,
            Err(stop) => break Some(stop),
        };
        let bytes = match in_msgpack(&value, written, &mut transcoded) {
            Ok(bytes) => bytes,
            Err(stop) => break Some(stop),
        };
        if is_between_frames(bytes) {
            others += 1;
        } else if frame(bytes, &value, &mut outlet).is_break() {
            return Ok(());
        }
    };
    outlet.passed_over("messages that are no frames", others);
    outlet.end(stop, values.mark().place)
}

fn read_first(from: &mut dyn Read, first: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(first) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            read => return read,
        }
    }
}

fn in_msgpack<'v>(
    value: &Whole<'v>,
    written: Written,
    transcoded: &'v mut Vec<u8>,
) -> Result<&'v [u8], Stop> {
    if written == Written::Msgpack {
        return Ok(value.bytes);
    }
    transcoded.clear();
    json_to_msgpack(value.bytes, transcoded)?;
    Ok(transcoded)
}

/// A heartbeat, a part of a handshake, or an ack.
fn is_between_frames(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    match (reader.item(), reader.item()) {
        (Ok(Item::Nil), _) => true,
        (Ok(Item::Map(_)), Ok(Item::Text(b"ack"))) => true,
        (Ok(Item::Array(2)), Ok(Item::Text(b"HELO"))) => matches!(reader.item(), Ok(Item::Map(_))),
        (Ok(Item::Array(6)), Ok(Item::Text(b"PING"))) | (Ok(Item::Array(5)), Ok(Item::Text(b"PONG"))) => true,
        _ => false,
    }
}

fn frame(bytes: &[u8], value: &Whole<'_>, outlet: &mut Outlet<'_>) -> ControlFlow<()> {
    let Ok(Some(mut frame)) = Frame::read(bytes) else {
        return outlet.entry(value.end.id(value.start), bytes, value.end);
    };
    if matches!(frame.body, Body::Forward(0, _)) {
        return ControlFlow::Continue(());
    }
    let chunk = chunk_of_place(value.end, value.start.place);
    frame.chunk = frame.chunk.or(Some(&chunk));
    outlet.flush()?;
    outlet.take.frame(&frame, value.end)
}

/// A name for what begins at `start` and ends at `end`, one msgpack value.
fn chunk_of_place(end: Mark, start: u64) -> Vec<u8> {
    let mut chunk = vec![0xc4, 24];
    for number in [end.file, start, end.chain] {
        chunk.extend_from_slice(&number.to_be_bytes());
    }
    chunk
}
