//! Chunks of Fluent Bit's storage, left behind by a Fluent Bit that is gone: `STREAM/PID-SECONDS.NANOS.flb`.
//!
//! ```text
//!  0  c1 00 · CRC-32 of all from byte 22 on (0 where checksums are off) · 4 bytes · length of the content · 8 bytes of 0
//! 22  length of the metadata, 2 bytes · metadata · content
//! ```
//!
//! Metadata are the tag, since Fluent Bit 1.9 behind `f1 77 TYPE FLAGS` and with more behind a 0. The content of logs is
//! `[[time, metadata], record]`, one after the other, before 2.1 `[time, record]`. Lengths and the CRC are big-endian.
//!
//! Promise: an event gets the id that it would have had if `out_forward` had sent the chunk with `require_ack_response` and
//! without `compress`: it sends a chunk's content as it is stored, and names it by a hash of that.

mod header;

use std::io::{self, Cursor, Read};

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::digest::{SHA512, digest};

use self::header::{Header, Read as Head};
use super::fluentd::id;
use super::reading::Reading;
use super::take::{Outlet, Remark, Take};
use super::values::{Stop, Values, Whole, Written};
use crate::encode::IdBase;

/// A content that is longer has ids of places. Fluent Bit closes a chunk at 2 MB.
const HELD: u64 = 8 << 20;

/// Bytes of the hash that name a chunk.
const TOKEN: usize = 16;

/// Times that no event has: they mark where a group of events begins and ends.
const GROUPS: [&[u8]; 2] = [b"\x92\x92\xd7\x00\xff\xff\xff\xff", b"\x92\x92\xd7\x00\xff\xff\xff\xfe"];

/// Hands on the events of the chunk `from`.
pub(super) fn read(from: &mut dyn Read, reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let header = match Header::read(from)? {
        Head::Header(header) => header,
        Head::Torn(at) => {
            take.remark(Remark::Ends { at, why: "it ends inside of the chunk's header".to_owned() });
            return Ok(());
        }
    };
    if !header.is_logs {
        take.remark(Remark::About("it holds metrics, traces or profiles, which are no logs"));
        return Ok(());
    }
    content(&mut from.take(header.content.unwrap_or(u64::MAX)), &header, reading, take)
}

fn content(
    content: &mut dyn Read,
    header: &Header,
    reading: &Reading<'_>,
    take: &mut dyn Take,
) -> io::Result<()> {
    let mut held = Vec::new();
    let failed = content.take(HELD + 1).read_to_end(&mut held).err();
    let tag = if header.tag.is_empty() { reading.tag } else { &header.tag };
    let mut outlet = Outlet::new(take, tag);
    if failed.is_none() && held.len() as u64 > HELD {
        let why = "it is too large for the ids that Fluent Bit's own sending would give";
        outlet.take.remark(Remark::About(why));
        let all = Cursor::new(held).chain(content);
        let values = Values::new(all, Written::Msgpack);
        return events(values, None, header, &mut outlet, None);
    }
    if header.is_damaged(&held) {
        outlet.take.remark(Remark::Checksum);
    }
    let values = Values::new(&held[..], Written::Msgpack);
    events(values, Some(sent(header, &held)), header, &mut outlet, failed)
}

/// Hands on the events in `values`, whose ids count on from `sent`, and then tells what has `failed`.
fn events<R: Read>(
    mut values: Values<R>,
    mut sent: Option<IdBase>,
    header: &Header,
    outlet: &mut Outlet<'_>,
    failed: Option<io::Error>,
) -> io::Result<()> {
    let mut groups = 0;
    let stop = loop {
        let entry = match values.next() {
            // why: a file is made longer a page at a time, and filled as events come.
            Ok(Some(Whole { bytes: [0], .. })) => continue,
            Ok(Some(entry)) => entry,
            Ok(None) => break failed.map(Stop::Io),
            Err(stop) => break Some(failed.map_or(stop, Stop::Io)),
        };
        let id = id(&mut sent, &entry);
        if is_group(entry.bytes) {
            groups += 1;
        } else if outlet.entry(id, entry.bytes, entry.end).is_break() {
            return Ok(());
        }
    };
    outlet.passed_over("marks of groups", groups);
    outlet.end(stop, header.length + values.mark().place)
}

fn is_group(entry: &[u8]) -> bool {
    GROUPS.iter().any(|group| entry.starts_with(group))
}

/// What the ids count on from of the events that are sent as `content`, or as much of it as is whole.
fn sent(header: &Header, content: &[u8]) -> IdBase {
    let mut values = Values::new(content, Written::Msgpack);
    let mut end = 0;
    while let Ok(Some(entry)) = values.next() {
        if entry.bytes != [0] {
            end = usize::try_from(entry.end.place).unwrap_or(end);
        }
    }
    let payload = content.get(..end).unwrap_or(content);
    let hash = digest(&SHA512, payload);
    let token = BASE64_STANDARD.encode(hash.as_ref().get(..TOKEN).unwrap_or_default());
    let chunk = rmp_serde::to_vec(&token).unwrap_or_default();
    IdBase::of_chunk(header.tag.as_bytes(), &chunk, payload)
}
