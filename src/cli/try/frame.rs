//! Events of captured frames, as a listener would read them.

use super::hex;
use crate::decode::{Body, DecodeError, Decompressor, Entries, Frame, FrameScan, JsonScan, Scanned};
use crate::decode::{blanks, json_to_msgpack};
use crate::encode::IdBase;
use crate::enrich::walk::Given;
use crate::event::{Fields, Timestamp};
use crate::input::forward::LimitOptions;

/// Who takes what is found: events, and why there is none in a place.
type Taker<'t> = dyn FnMut(Result<(Given<'_>, Fields<'_>), String>) + 't;

/// The frames in msgpack, whatever form they are kept in. Msgpack frames begin with a byte beyond ASCII, those of JSON with
/// `[`; all else can only be hexadecimal.
pub(super) fn bytes(file: Vec<u8>, limits: &LimitOptions) -> Result<Vec<u8>, String> {
    let bytes = match file.first() {
        Some(0x80.. | b'[' | b'{') | None => file,
        Some(_) => hex::bytes(&String::from_utf8_lossy(&file))?,
    };
    match bytes.first() {
        Some(b'[' | b'{') => from_json(&bytes, limits).map_err(|error| error.to_string()),
        _ => Ok(bytes),
    }
}

fn from_json(mut json: &[u8], limits: &LimitOptions) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    loop {
        json = json.get(blanks(json)..).unwrap_or_default();
        let Scanned::Complete(length) = JsonScan::new(limits.frame_bytes.0).advance(json)? else { break };
        let (frame, rest) = json.split_at_checked(length).unwrap_or((json, &[]));
        json_to_msgpack(frame, &mut bytes)?;
        json = rest;
    }
    if json.is_empty() { Ok(bytes) } else { Err(cut(bytes.len())) }
}

fn cut(offset: usize) -> DecodeError {
    DecodeError::Malformed { what: "a frame that is cut off", offset }
}

/// Hands each event of each frame to `take`. An error is one after which no frame can be found.
pub(super) fn each(
    mut bytes: &[u8],
    limits: &LimitOptions,
    tag: Option<&str>,
    take: &mut Taker<'_>,
) -> Result<(), String> {
    while !bytes.is_empty() {
        let scanned =
            FrameScan::new(limits.frame_bytes.0).advance(bytes).map_err(|error| error.to_string())?;
        let frame = match scanned {
            Scanned::Complete(length) => bytes.split_at_checked(length),
            Scanned::Need(_) => None,
        };
        let (frame, rest) = frame.ok_or_else(|| cut(bytes.len()).to_string())?;
        match Frame::read(frame) {
            Ok(Some(frame)) => events(&frame, limits, tag, take),
            // A heartbeat.
            Ok(None) => (),
            Err(error) => take(Err(error.to_string())),
        }
        bytes = rest;
    }
    Ok(())
}

fn events(frame: &Frame<'_>, limits: &LimitOptions, tag: Option<&str>, take: &mut Taker<'_>) {
    let sent = String::from_utf8_lossy(frame.tag);
    let chunk = frame.chunk.map(|chunk| IdBase::of_chunk(frame.tag, chunk, frame.body.payload()));
    let mut reading = Reading { limits, tag: tag.unwrap_or(&sent), chunk, take };
    match &frame.body {
        Body::OtherSignal => (reading.take)(Err("metrics or traces, which are no logs".to_owned())),
        Body::Compressed(codec, bytes) => {
            let (limit, ratio) = (limits.decompressed_bytes.0, limits.decompression_ratio);
            let windows = Decompressor::new(*codec, bytes, limit, ratio, limits.frame_bytes.0);
            if let Err(error) = windows.and_then(|windows| reading.windows(windows)) {
                (reading.take)(Err(error.to_string()));
            }
        }
        body => reading.entries(body),
    }
}

struct Reading<'r, 't> {
    limits: &'r LimitOptions,
    tag: &'r str,
    /// Of the next event, where its frame is a chunk with a name.
    chunk: Option<IdBase>,
    take: &'r mut Taker<'t>,
}

impl Reading<'_, '_> {
    fn windows(&mut self, mut windows: Decompressor<'_>) -> Result<(), DecodeError> {
        while let Some(window) = windows.next_window()? {
            self.entries(&Body::Packed(window));
        }
        Ok(())
    }

    fn entries(&mut self, body: &Body<'_>) {
        let mut entries = Entries::new(body, self.limits.depth, self.limits.fields)
            .with_texts_up_to(self.limits.string_bytes.as_usize());
        loop {
            let mut fields = Fields::default();
            match entries.next(&mut fields) {
                None => return,
                Some(Ok(time)) => self.event(time, entries.record(), fields),
                Some(Err(error)) => {
                    let count = entries.refused().1;
                    self.chunk = self.chunk.map(|chunk| chunk.plus(count));
                    (self.take)(Err(error.to_string()));
                }
            }
        }
    }

    fn event(&mut self, time: Option<Timestamp>, record: &[u8], fields: Fields<'_>) {
        let id = self.chunk.map(|chunk| if time.is_some() { chunk } else { chunk.undated() });
        self.chunk = self.chunk.map(|chunk| chunk.plus(1));
        let time = time.unwrap_or_else(Timestamp::now);
        (self.take)(Ok((Given { tag: self.tag, time, id, record }, fields)));
    }
}
