//! Dead letters of what was refused before it became a document: an entry or a whole frame that no rule can read.
//!
//! Such a letter is `{"time", "reason", "type", "error", "id", "tag", "peer", "events", "bytes", "hash", "original"}`: when it was
//! written, one word (`unexpected`, `unreadable`, `limit`), the limit's key where it is one, what was found and where,
//! the id that the document would have had, the tag as sent, who sent it, how many events it is about, the true length and the XXH3-128 of the
//! refused bytes, and these bytes as base64, cut at [`MOST`]. It has no `document`.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Serialize;

/// Bytes of the original that a letter keeps: what is beyond is told by length and hash.
pub(super) const MOST: usize = 64 << 10;

/// One refused entry or frame.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// One word.
    pub reason: &'static str,
    /// The limit's key; empty where it is none.
    pub kind: &'static str,
    /// What was found, in words without payload.
    pub error: &'a str,
    /// What the document's id would have been; empty where it never came so far.
    pub id: &'a str,
    /// As it was sent; empty where it cannot be read.
    pub tag: &'a str,
    /// Who sent it.
    pub peer: &'a str,
    /// How many events it is about.
    pub events: u64,
    /// What was refused.
    pub original: Original<'a>,
}

/// The bytes that were refused.
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// They are here.
    Bytes(&'a [u8]),
    /// They were let go as they came: there were so many, and this is their hash.
    PassedOver(u64, u128),
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    reason: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    error: &'a str,
    id: &'a str,
    tag: &'a str,
    peer: &'a str,
    events: u64,
    bytes: u64,
    hash: String,
    original: String,
}

impl Refused<'_> {
    /// The letter as a line with its end.
    pub fn line(&self) -> Vec<u8> {
        let (bytes, hash, kept) = match self.original {
            Original::Bytes(all) => {
                (all.len() as u64, xxhash_rust::xxh3::xxh3_128(all), all.get(..MOST).unwrap_or(all))
            }
            Original::PassedOver(bytes, hash) => (bytes, hash, &[][..]),
        };
        let line = Line {
            time: jiff::Timestamp::now().to_string(),
            reason: self.reason,
            kind: self.kind,
            error: self.error,
            id: self.id,
            tag: self.tag,
            peer: self.peer,
            events: self.events,
            bytes,
            hash: format!("{hash:032x}"),
            original: BASE64_STANDARD.encode(kept),
        };
        // why: texts and a number, so that it can always be written.
        let mut line = serde_json::to_vec(&line).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(original: Original<'_>) -> serde_json::Value {
        let refused = Refused {
            reason: "unexpected",
            kind: "",
            error: "a record that is no map at byte 9",
            id: "7",
            tag: "app",
            peer: "127.0.0.1",
            events: 1,
            original,
        };
        let line = refused.line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).expect("JSON")
    }

    #[test]
    fn the_bytes_come_back_as_they_were_sent() {
        let letter = read(Original::Bytes(b"\x92\xc0\xff\n"));
        let back = BASE64_STANDARD.decode(letter["original"].as_str().expect("a text")).expect("base64");
        assert_eq!(back, b"\x92\xc0\xff\n");
        assert_eq!((&letter["bytes"], &letter["reason"]), (&4.into(), &"unexpected".into()));
    }

    #[test]
    fn a_long_one_is_cut_and_its_true_length_and_hash_are_told() {
        let long = vec![7; MOST + 1_000];
        let letter = read(Original::Bytes(&long));
        let back = BASE64_STANDARD.decode(letter["original"].as_str().expect("a text")).expect("base64");
        assert_eq!((back.len(), &letter["bytes"]), (MOST, &(long.len() as u64).into()));
        let passed = read(Original::PassedOver(long.len() as u64, xxhash_rust::xxh3::xxh3_128(&long)));
        assert_eq!((&passed["hash"], &passed["original"]), (&letter["hash"], &"".into()));
    }
}
