//! The buffer on disk: format versions 1 and 2, what is done with it, and how a start finds its way through it.
//!
//! ```text
//! lock                                  held by the daemon that owns the directory, and so is the directory itself
//! segments/00000000000000000007.seg     header, then records, append-only
//! segments/00000000000000000007.done    header, then delivery marks of that segment: they die with it
//! segments/00000000000000000007.idx     what is in that segment, written when it is closed: it dies with it, too
//! quarantine/00000000000000000007.seg.4096-8192   bytes of a segment that could not be used, byte range in the name
//! import/segments/                      what an import has not put into place yet; goes with the next start or import
//! ```
//!
//! All integers are little-endian and unaligned. CRC is CRC-32C (Castagnoli). Segments are numbered from 1,
//! upwards, never twice while one of them is there; 20 decimal digits, so that names sort as numbers do. A number that
//! no counting comes to, 2^62 or more, is somebody's own choice: such a segment is read as any other, and counting goes on
//! behind the others, so that there is always a next number. For the same reason a sequence is below 2^63.
//!
//! # Segment header, 36 bytes
//!
//! | at | size | what |
//! |---|---|---|
//! | 0 | 8 | magic `FOREBAYS` |
//! | 8 | 4 | format version, 1 or 2 |
//! | 12 | 4 | salt: a random number that no peer gets to see, or 0: none, as in segments of early releases |
//! | 16 | 8 | creation, milliseconds since 1970 |
//! | 24 | 8 | first sequence: no number from here on had been given away when the segment was created |
//! | 32 | 4 | CRC of bytes 0..32 |
//!
//! Magic, version and the place of the CRC stay in every later version. In version 1 every payload has codec 0; in
//! version 2, which is the same otherwise, codec 1 may occur. A segment gets the lower version that can hold what may
//! come into it: 1 where `compression` is `"none"`, else 2. So a release that knows version 1 alone refuses to start on
//! compressed segments, with advice and without touching them, instead of taking their records for damaged ones; and
//! `compression = "none"`, once what was compressed is delivered, is the way back to such a release. Both versions are
//! read for ever.
//!
//! # Record: head of 44 bytes, then body
//!
//! | at | size | what |
//! |---|---|---|
//! | 0 | 4 | marker `FBR1` |
//! | 4 | 4 | length of head and body, at most [`record::MAX_RECORD`] |
//! | 8 | 8 | sequence: the batch's place in the queue, or the part's id |
//! | 16 | 1 | kind: 1 batch, 2 part of a docker line |
//! | 17 | 1 | codec of the payload: 0 none, 1 one zstd frame (of a batch only) |
//! | 18 | 2 | reserved, 0 |
//! | 20 | 4 | documents `d` (0 in a part) |
//! | 24 | 4 | tag runs `r` (0 in a part) |
//! | 28 | 4 | superseded parts `p`, the voucher among them |
//! | 32 | 4 | payload bytes `n`, as they are stored |
//! | 36 | 4 | CRC of the body |
//! | 40 | 4 | CRC of bytes 0..40 |
//! | 44 | 4 × `d` | the end of each document in the payload without its codec, ascending; the last is its length: `n` with codec 0, at most 64 MiB with codec 1 |
//! | | `r` × (4 + 4 + length) | tag run: documents, length of the tag, the tag in UTF-8; the documents add up to `d` |
//! | | 8 × `p` | ids of the parts that this batch made obsolete; where the last is 2^64 - 2^32 or more, that is the voucher |
//! | | `n` | payload: action and document lines of a batch; the raw part |
//!
//! The head's CRC covers the body's CRC and so, through it, every byte of the record; being apart it vouches for
//! the length even where the body is damaged, and lets a reader hop from head to head.
//! The voucher is 2^64 - 2^32 + the segment's salt; early releases wrote none, and take it for a part that nobody has. By it
//! a reader that lost its way knows a record when it comes upon one: a payload may hold bytes that a peer made to look like
//! a record, checksums and all, but not the salt. See the table at the end.
//! Records of one segment need not ascend in sequence: a batch written for its age may follow younger ones.
//! A compressed payload is unpacked into the length that the last end tells and no further; a frame that gives less or
//! more is malformed.
//!
//! A segment by itself, with batches that are not settled and parts that no batch supersedes, is also the form in which
//! a buffer is exported: whatever reads a segment reads an export.
//!
//! # Delivery marks: header of 16 bytes, then 12 bytes each
//!
//! | at | size | what |
//! |---|---|---|
//! | 0 | 8 | magic `FOREBAYD` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | CRC of bytes 0..12 |
//! | 16 + 12 × i | 8 | sequence of a record of the segment that is settled (delivered, or a part made obsolete) |
//! | 24 + 12 × i | 4 | CRC of those 8 bytes |
//!
//! # Index: 76 bytes, then tables, then a CRC
//!
//! | at | size | what |
//! |---|---|---|
//! | 0 | 8 | magic `FOREBAYI` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | runs `r` |
//! | 16 | 4 | parts `p` |
//! | 20 | 4 | superseded parts `s` |
//! | 24 | 36 | the segment's header |
//! | 60 | 8 | the segment's length in bytes |
//! | 68 | 8 | the highest sequence of its records, 0 if there is none |
//! | 76 | 40 × `r` | batches that follow each other in the file and, by one, in sequence: first and last sequence, first byte, byte behind the last, documents; 8 bytes each |
//! | | 24 × `p` | part: id, first byte, byte behind the last |
//! | | 8 × `s` | ids of the parts that its batches made obsolete |
//! | | 4 | CRC of everything before |
//!
//! At most [`index::MAX_INDEX`] bytes: a segment in bits and pieces gets none. It is a short cut and nothing more: one that is
//! missing, damaged, of another version, or of a segment with another header or length is passed over, and the segment
//! is scanned. That is why it is not synced.
//!
//! # Operations
//!
//! - **Append**: one thread appends all that waits, sees that the file is as long as it has to be, calls `fdatasync`
//!   once, and only then tells those who wait.
//!   A file that is created or removed is followed by an `fsync` of its directory.
//! - **Roll**: a segment that has reached `segment_bytes` takes no more; each start begins a segment of its own.
//! - **Close**: a segment that was rolled, or is left behind by a stop, gets its index.
//! - **Fault**: after a failed write or sync nothing of that group counts as written, since the page cache cannot be
//!   trusted any more: the segment is cut back to what was synced before and takes no more, and the group is written
//!   again to a new one.
//! - **Settle**: a mark is appended, unsynced: a lost one costs a second delivery under the same document ids, which
//!   the target refuses as known. One that could not be written is written later, behind the last whole one. Marks of
//!   parts are synced soon, and before any segment is deleted, because the record that says "obsolete" might be in that
//!   segment. After a sync that failed they are written anew, to a file `.new` that then takes the other's place.
//! - **Read back**: checks every CRC. A damaged record goes to quarantine, its documents are counted as dropped
//!   (`corrupt`), and it is settled with a mark. An I/O error is tried again; one that says that the medium or the file
//!   system has failed, or that the file is gone, is given so many tries, a second apart ([`reader::TRIES`]): then the
//!   whole segment is moved to quarantine, where people may still mend it, and what of it was not delivered is counted
//!   as dropped (`unreadable`), so that one bad sector does not hold up all that waits behind it.
//! - **Make room** (`when_full = "drop_oldest"`): the oldest segment goes as a whole; what of it was not delivered is
//!   counted as dropped (`buffer_full`).
//! - **Delete**: a segment without an unsettled record is removed, `.seg` before `.done` and `.idx`. One that could not be
//!   is tried again, and counts as used until then.
//! - **Import**: records of another buffer get sequences behind the highest of this one and go to new segments under
//!   `import/`; when all of them are synced, they are moved to `segments/`. The directory is locked meanwhile.
//!
//! # Recovery
//!
//! | what a start finds | what it does |
//! |---|---|
//! | a directory locked by another daemon | refuses to start |
//! | a valid header of another version | refuses to start, with advice |
//! | an I/O error | refuses to start: an error is never taken for corruption |
//! | an index that fits the segment's header and length, and no marks | takes its word; bodies are checked when they are read back |
//! | a segment shorter than its header | removes it; nothing in it had been synced |
//! | a header with a wrong magic or CRC, and an index that fits the length or a record behind it | copies the header to quarantine, counts `header`, writes a new one and goes on |
//! | a header with a wrong magic or CRC otherwise | moves the file to quarantine, counts `header` |
//! | a record that ends after the file and none behind it that vouches for itself, or zeros to the end of the file | cuts the segment there, counts `torn` |
//! | a valid head with a damaged body | copies the record to quarantine, counts `checksum` and the documents as dropped (`corrupt`), goes on behind it; where there is no record that vouches for itself, at the next that does |
//! | a damaged head, and a record behind it that vouches for itself | copies what is before that one to quarantine, counts `checksum`, goes on there |
//! | a damaged head in a segment without a salt, whose length leads to a valid head | the same |
//! | a damaged head otherwise | copies the rest to quarantine, cuts the segment there, counts `checksum` |
//! | a valid CRC over contents that contradict each other | as a damaged body or head, counts `malformed` |
//! | a damaged or torn mark | ignores it: the documents go out once more, under the ids they had |
//! | a part that a readable batch supersedes | settles it |
//! | a record twice, left by a fault and a crash | queues both: the ids make the second one known to the target |
//! | `.done` or `.idx` without its segment, and a `.new` | removes it |
//! | an import that did not come to its end | removes what it had not put into place |
//! | a segment without an unsettled record | removes it |
//!
//! What is left is queued by sequence, before anything new; numbering goes on after the highest sequence seen.

mod active;
mod codec;
mod error;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod header;
mod index;
mod lock;
mod marks;
mod portable;
mod quarantine;
mod reader;
mod recovery;
mod run;
mod salt;
mod scan;
mod search;
mod snapshot;
mod space;
mod store;
mod wound;

pub(crate) mod record;

pub(super) use codec::Packer;
pub(super) use error::DiskError;
pub use error::OpenError;
pub(super) use files::{Files, next_number, sync_dir};
pub(super) use lock::DirLock;
pub(super) use portable::Portable;
pub(super) use reader::{ReadBack, ReadLimits, Stretch, TRIES, Tries, is_lasting, read_back, tally};
pub(super) use recovery::{Recovered, recover};
pub(super) use run::Run;
pub(crate) use snapshot::{Found, Opened, Snapshot, Stored};
pub(crate) use space::file_system;
pub(super) use space::{Space, must_stay_free};
pub(super) use store::Store;
pub(crate) use wound::{Cause, Wound};

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The segment's number.
    pub(crate) segment: u64,
    /// Its first byte.
    pub(crate) from: u64,
    /// The byte behind its last.
    pub(crate) to: u64,
}
