//! Which format a line has, where the configuration does not say.
//!
//! Each stream — a container's stdout, its stderr — is remembered with the format of its last line, which is tried first: a
//! look at the memory in place of a search. The memory only saves time. Whatever is in it, a line comes to the same
//! document, since no line fits two formats: a chunk that is sent again over another connection has to get the same times,
//! and so the same ids.

use super::format::Format;
use super::reader::Stream;
use super::sink::Sink;

/// Streams of one connection that are remembered; a power of two. More of them take each other's place.
const STREAMS: usize = 16;

/// What one connection's streams were last written in; nothing until the first is recognised.
#[derive(Debug, Default)]
pub struct Streams(Vec<Option<(u64, Format)>>);

impl Streams {
    fn last(&self, stream: u64) -> Option<Format> {
        let (of, format) = (*self.0.get(slot(stream))?)?;
        (of == stream).then_some(format)
    }

    fn remember(&mut self, stream: u64, format: Format) {
        if self.0.is_empty() {
            self.0.resize(STREAMS, None);
        }
        if let Some(place) = self.0.get_mut(slot(stream)) {
            *place = Some((stream, format));
        }
    }
}

fn slot(stream: u64) -> usize {
    (stream % STREAMS as u64) as usize
}

/// Reads `line` in the format that it has, if it has any.
pub(super) fn read<'a>(line: &'a str, stream: Stream<'_>, sink: &mut Sink<'_, 'a>) -> Option<Format> {
    // why: a line that this one could not begin would be read in it behind such a line alone, and else in none.
    let last = stream.last.last(stream.id).filter(|format| format.may_have(line));
    if let Some(format) = last.filter(|format| fits(*format, line, sink)) {
        return Some(format);
    }
    let others = Format::candidates(line).filter(|format| Some(*format) != last);
    let format = { others }.find(|format| fits(*format, line, sink))?;
    stream.last.remember(stream.id, format);
    Some(format)
}

/// Whether the line has the format; what was read of it is taken back where not.
pub(super) fn fits<'a>(format: Format, line: &'a str, sink: &mut Sink<'_, 'a>) -> bool {
    let fits = format.read(line, sink).is_some();
    if !fits {
        sink.take_back();
    }
    fits
}
