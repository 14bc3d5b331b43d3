//! Chunks of Fluentd's buffers, left behind by a Fluentd that is gone.
//!
//! `buf_file` writes `buffer.bHEX.log` (`q` once it is queued) and, beside it, `buffer.bHEX.log.meta`; `buf_file_single` writes
//! `fsb.KEY.bHEX.buf` alone. HEX is the chunk's id. What is in there is what an output makes of its events: `[time, record]` in
//! msgpack with most of them, one after the other, and in gzip members or zstd frames with `compress`; text with `out_file` and
//! the like, which is read as any other text.
//!
//! Promise: an event gets the id that it would have had if `out_forward` had sent the chunk with `require_ack_response`, so that one
//! which was sent, and of which the ack got lost, brings nothing twice.

mod meta;
mod name;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::reading::Reading;
use super::take::{Outlet, Take};
use super::values::{Values, Whole, Written};
use crate::decode::is_dated;
use crate::encode::IdBase;

pub(crate) use meta::Meta;
pub(crate) use name::ChunkName;

/// What the ids of the events count on from that are in the chunk at `path`; nothing where a file of that name is no chunk. All of
/// the file is read for it.
pub(crate) fn sent(path: &Path) -> io::Result<Option<IdBase>> {
    let Some(name) = path.file_name().and_then(OsStr::to_str).and_then(ChunkName::of) else {
        return Ok(None);
    };
    let meta = Meta::beside(path).unwrap_or_default();
    let id = if meta.id.len() == name.id.len() { &meta.id } else { &name.id[..] };
    let Some(tag) = meta.tag.or(name.key) else { return Ok(None) };
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    IdBase::of_chunk_read(tag.as_bytes(), &token(id), length, &mut file).map(Some)
}

/// The chunk's id as `out_forward` sends it, one msgpack value: base64, with the end of a line that Ruby puts there.
fn token(id: &[u8]) -> Vec<u8> {
    let text = BASE64_STANDARD.encode(id) + "\n";
    rmp_serde::to_vec(&text).unwrap_or_default()
}

/// Hands on the events in `from`, a chunk that is unpacked.
pub(super) fn read(from: &mut dyn Read, reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let mut outlet = Outlet::new(take, reading.tag);
    let mut values = Values::new(from, Written::Msgpack);
    let (mut sent, mut zeros) = (reading.sent, 0);
    let stop = loop {
        match values.next() {
            // What a crash leaves in place of what was not written.
            Ok(Some(Whole { bytes: [0], .. })) => zeros += 1,
            Ok(Some(entry)) => {
                if outlet.entry(id(&mut sent, &entry), entry.bytes, entry.end).is_break() {
                    return Ok(());
                }
            }
            Ok(None) => break None,
            Err(stop) => break Some(stop),
        }
    };
    outlet.passed_over("bytes of 0", zeros);
    outlet.end(stop, values.mark().place)
}

/// The next of the ids that count on from `sent`, or that of the entry's place.
pub(super) fn id(sent: &mut Option<IdBase>, entry: &Whole<'_>) -> IdBase {
    let Some(next) = sent else { return entry.end.id(entry.start) };
    let id = *next;
    *next = next.plus(1);
    if is_dated(entry.bytes) { id } else { id.undated() }
}
