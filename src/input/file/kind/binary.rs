//! What holds no lines: known by what it begins with, or by bytes that no text has.

use crate::input::file::zeros;

/// What files begin with that are something else, or packed in a way that is not read.
const KNOWN: &[(&[u8], &str)] = &[
    (b"\x7fELF", "a program"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF87a", "a picture"),
    (b"GIF89a", "a picture"),
    (b"%PDF-", "a PDF"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x04\x22\x4d\x18", "lz4, which is not read"),
    (b"\x1f\x9d", "compress, which is not read"),
    (b"LPKSHHRH", "a journal of systemd"),
    (b"PAR1", "a parquet file"),
    (b"Obj\x01", "an avro file"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\0asm", "a program"),
    (b"\x3f\xd7\x6c\x17", "a file of Lucene"),
];

/// Marks of UTF-16, whose text has zeros all over.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Of so many bytes of text one may be a control character that no text has: messages of FIX have one behind each of their fields.
const ONE_IN: usize = 3;

/// The same where zeros stand among the text: then each run of them counts, and each sequence that is no UTF-8. A log has a stray
/// zero and holes that a crash has left; what is binary has them all over.
const ONE_IN_WITH_ZEROS: usize = 8;

/// What it is, where it is no text.
pub(super) fn of(head: &[u8]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(magic, _)| head.starts_with(magic));
    if let Some((_, what)) = known {
        return Some(what);
    }
    if UTF_16.iter().any(|mark| head.starts_with(mark)) {
        return None;
    }
    let odd = head.iter().filter(|byte| is_odd(**byte)).count();
    let runs = inner_zeros(head);
    if runs > 0
        && (runs + odd + broken(head)) * ONE_IN_WITH_ZEROS > head.iter().filter(|byte| **byte != 0).count()
    {
        return Some("binary, with bytes of 0");
    }
    (odd * ONE_IN > head.len()).then_some("binary, with control characters")
}

/// How many runs of zeros there are where none are expected of a log that a crash has cut: such stand up to the end, or from a
/// line's beginning on.
fn inner_zeros(head: &[u8]) -> usize {
    let (mut rest, mut count) = (head, 0);
    while let Some(at) = memchr::memchr(0, rest) {
        let (before, zeros) = rest.split_at(at);
        let behind = zeros.get(zeros::leading(zeros)..).unwrap_or_default();
        let begins_line = before.is_empty() || before.ends_with(b"\n");
        let is_expected = behind.first().is_none_or(|first| begins_line && !is_odd(*first));
        count += usize::from(!is_expected);
        rest = behind;
    }
    count
}

/// How many sequences of bytes are no UTF-8.
fn broken(head: &[u8]) -> usize {
    head.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count()
}

/// A control character that is none of a terminal's.
fn is_odd(byte: u8) -> bool {
    matches!(byte, 0x01..=0x06 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)
}
