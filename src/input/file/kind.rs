//! What a content is, told by its bytes, and by its path only where bytes cannot tell.
//!
//! Promises: what is not surely something else is lines, which lose nothing; nothing is binary that is text in any encoding
//! that is read here; a head that is cut anywhere is judged by what is there of it. In particular JSON lines are lines, for the
//! pipeline to read, unless they say themselves that they are documents: Forebay's own, a dump's, a `_bulk` body's.

mod beside;
mod binary;
mod json;
mod packed;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::Form;

/// Bytes from which a kind is told; more are not looked at.
pub(crate) const HEAD: usize = 64 << 10;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines, for the pipeline to read.
    Lines(Form),
    /// Lines of Fluentd's `out_file`: `TIME\tTAG\tJSON`.
    OutFile,
    /// Documents, one a line, which go in as they are.
    Documents(Documents),
    /// A chunk of Fluentd's buffers: `[time, record]`, one after the other.
    FluentdChunk,
    /// A chunk of Fluent Bit's storage.
    FluentBitChunk,
    /// What a connection of the forward protocol was sent, frame by frame.
    Forward,
    /// A segment of Forebay's buffer.
    Segment,
    /// Forebay's dead letters.
    DeadLetters,
    /// What belongs to another file, and is read with it or not at all; in a word.
    Beside(&'static str),
    /// Nothing to read here; in a word.
    Binary(&'static str),
}

/// How documents stand in their lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Documents {
    /// A line is one, as Forebay's own file output writes them.
    Bare,
    /// `{"_index":…,"_id":…,"_source":{…}}`, as export tools write hits.
    Dump,
    /// A `_bulk` body: `{"create":{…}}`, and the document in the next line.
    Bulk,
}

impl Kind {
    /// The kind of what begins with `head`, unpacked, and lies at `path`. Bytes of UTF-16 are to be decoded before; with their
    /// mark in front they are known for lines all the same.
    pub(crate) fn of(head: &[u8], path: Option<&Path>) -> Self {
        let head = head.get(..HEAD).unwrap_or(head);
        if let Some(what) = path.and_then(beside::of) {
            return Self::Beside(what);
        }
        if let Some(kind) = packed::of(head) {
            return kind;
        }
        if let Some(what) = binary::of(head) {
            return Self::Binary(what);
        }
        let zeros = head.iter().take_while(|byte| **byte == 0).count();
        let text = head.get(zeros..).unwrap_or_default();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        json::of(text).unwrap_or_else(|| Self::Lines(Form::of(text)))
    }

    /// In a word, as reports name it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Lines(Form::Plain) => "lines",
            Self::Lines(Form::Docker) => "docker json-file",
            Self::Lines(Form::Cri) => "cri",
            Self::Lines(Form::Array) => "json array",
            Self::OutFile => "fluentd out_file",
            Self::Documents(Documents::Bare) => "documents",
            Self::Documents(Documents::Dump) => "dump",
            Self::Documents(Documents::Bulk) => "bulk",
            Self::FluentdChunk => "fluentd chunk",
            Self::FluentBitChunk => "fluent bit chunk",
            Self::Forward => "forward",
            Self::Segment => "segment",
            Self::DeadLetters => "dead letters",
            Self::Beside(what) | Self::Binary(what) => what,
        }
    }
}
