//! Lines of Fluentd's `out_file`: `TIME\tTAG\tJSON`. A line that is none is kept as it is, as one of any other file.

use std::io::{self, Read};
use std::ops::ControlFlow;

use super::block::Said;
use super::form;
use super::reading::Reading;
use super::take::{Outlet, Take};
use super::{Fixed, Line, Lines, Rest};
use crate::decode::json_to_msgpack;
use crate::event::Timestamp;

/// Hands on the events whose lines stand in `from`.
pub(super) fn read(from: &mut dyn Read, reading: &Reading<'_>, take: &mut dyn Take) -> io::Result<()> {
    let mut outlet = Outlet::new(take, reading.tag);
    let mut lines = Lines::new(from, reading.from, reading.longest);
    let (mut record, mut cut) = (Vec::new(), 0);
    let failed = loop {
        let line = match lines.next(Rest::IsLine) {
            Ok(Some(line)) => line,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        cut += u64::from(line.length > line.bytes.len() as u64);
        if put(&line, reading.tag, &mut record, &mut outlet).is_break() {
            return Ok(());
        }
    };
    outlet.not_taken("ends of lines that were too long", cut);
    outlet.end(failed.map(Into::into), lines.mark().place)
}

fn put(line: &Line<'_>, tag: &str, record: &mut Vec<u8>, outlet: &mut Outlet<'_>) -> ControlFlow<()> {
    let id = line.end.id(line.start);
    let text = line.text();
    if text.is_empty() {
        return ControlFlow::Continue(());
    }
    match event(text, record) {
        Some((time, tag)) => {
            outlet.set_tag(tag)?;
            outlet.block.record(id, Some(time), record);
        }
        None => {
            outlet.set_tag(tag.as_bytes())?;
            outlet.block.line(id, text, &Said::default(), &Fixed::default());
        }
    }
    outlet.line(line)
}

/// The time and the tag of the event that `line` is; its record is written to `record`.
fn event<'l>(line: &'l [u8], record: &mut Vec<u8>) -> Option<(Timestamp, &'l [u8])> {
    let mut parts = line.splitn(3, |byte| *byte == b'\t');
    let (time, tag, json) = (parts.next()?, parts.next()?, parts.next()?);
    let time = form::time(str::from_utf8(time).ok()?)?;
    record.clear();
    let is_record = json.starts_with(b"{") && json_to_msgpack(json, record).is_ok();
    (is_record && !tag.is_empty()).then_some((time, tag))
}
