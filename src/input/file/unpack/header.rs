//! One header of a tar archive, and what is told of a member outside of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use tar::{Header, PaxExtensions};

/// Everything in an archive is in blocks.
pub(super) const BLOCK: usize = 512;

/// Where a header says which kind it is.
const MAGIC_AT: usize = 257;

/// Where a header's checksum is.
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// A header that can be believed.
pub(super) struct Block {
    pub(super) type_flag: u8,
    pub(super) size: u64,
    path: PathBuf,
    modified: Option<SystemTime>,
}

/// A member of an archive.
pub(super) struct Member {
    /// Below the archive: neither absolute, nor above it.
    pub(super) path: PathBuf,
    pub(super) modified: Option<SystemTime>,
    pub(super) kind: Type,
    type_flag: u8,
}

/// What is done with a member.
pub(super) enum Type {
    File,
    Folder,
    /// Told, with these words: it has no bytes of its own.
    Empty(&'static str),
    /// Told, with these words.
    Other(&'static str),
}

impl Member {
    /// Whether its size is that of bytes which follow: a hard link has that of what it links to.
    pub(super) fn has_bytes(&self) -> bool {
        self.type_flag != b'1'
    }
}

/// Whether `head` is the beginning of an archive, be it that its first header is damaged.
pub(super) fn begins(head: &[u8]) -> bool {
    let magic = head.get(MAGIC_AT..).unwrap_or_default();
    magic.starts_with(b"ustar\x0000") || magic.starts_with(b"ustar  \x00") || read(head).is_some()
}

/// The header that `block` is, if it is whole.
pub(super) fn read(block: &[u8]) -> Option<Block> {
    if block.len() != BLOCK {
        return None;
    }
    let header = Header::from_byte_slice(block);
    if header.cksum().ok()? != checksum(block) {
        return None;
    }
    Some(Block {
        type_flag: header.as_old().linkflag.first().copied()?,
        size: header.entry_size().ok()?,
        path: inside(&header.path_bytes()),
        modified: header.mtime().ok().and_then(|seconds| since_1970(seconds, 0)),
    })
}

/// The sum of all bytes, where the sum itself counts as blanks.
fn checksum(block: &[u8]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let blanks = CHECKSUM.len() as u32 * u32::from(b' ');
    sum(block) - sum(block.get(CHECKSUM).unwrap_or_default()) + blanks
}

/// What members before a member tell of it.
#[derive(Default)]
pub(super) struct Extras {
    path: Option<PathBuf>,
    modified: Option<SystemTime>,
    /// In place of the header's.
    pub(super) size: Option<u64>,
    is_sparse: bool,
}

impl Extras {
    /// GNU's long name.
    pub(super) fn name(&mut self, record: &[u8]) {
        self.path = Some(inside(record));
    }

    /// Records of pax, up to one that cannot be read.
    pub(super) fn pax(&mut self, records: &[u8]) {
        for record in PaxExtensions::new(records).map_while(Result::ok) {
            match record.key_bytes() {
                b"path" => self.path = Some(inside(record.value_bytes())),
                b"size" => self.size = record.value().ok().and_then(|size| size.parse().ok()),
                b"mtime" => self.modified = record.value().ok().and_then(time),
                key => self.is_sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
    }

    /// The member whose header `block` is.
    pub(super) fn member(self, block: Block) -> Member {
        Member {
            path: self.path.unwrap_or(block.path),
            modified: self.modified.or(block.modified),
            kind: if self.is_sparse { Type::Other(SPARSE) } else { kind(block.type_flag) },
            type_flag: block.type_flag,
        }
    }
}

const SPARSE: &str = "a sparse file";

fn kind(type_flag: u8) -> Type {
    match type_flag {
        0 | b'0' | b'7' => Type::File,
        b'5' => Type::Folder,
        b'1' => Type::Empty("a hard link"),
        b'2' => Type::Empty("a symbolic link"),
        b'3' | b'4' => Type::Empty("a device"),
        b'6' => Type::Empty("a named pipe"),
        b'S' => Type::Other(SPARSE),
        _ => Type::Other("no file, but a kind of member that is not known"),
    }
}

/// A path of an archive, without what would lead out of it.
fn inside(bytes: &[u8]) -> PathBuf {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let parts = Path::new(OsStr::from_bytes(name)).components();
    parts.filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// Seconds with a fraction, as pax has them.
fn time(text: &str) -> Option<SystemTime> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    since_1970(seconds.parse().ok()?, nanoseconds.parse().ok()?)
}

fn since_1970(seconds: u64, nanoseconds: u32) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}
