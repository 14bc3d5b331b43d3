//! What bytes are, by how they begin.
//!
//! What is shorter than the mark of a format is no such format. A mark is as long as it has to be for no text to begin so:
//! bzip2's own three letters are a word, and the mark of its first block is what tells.

use super::header;

/// How much of a content is looked at: a whole header of an archive.
pub(super) const LOOK: usize = header::BLOCK;

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Packed(Packing),
    Tar,
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// Behind a byte whose lower half may be anything.
const ZSTD_SKIPPABLE: &[u8] = b"\x2a\x4d\x18";
const BZIP2: &[u8] = b"BZh";
const BZIP2_BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";
/// Of a stream without a block.
const BZIP2_END: &[u8] = b"\x17\x72\x45\x38\x50\x90";
const XZ: &[u8] = b"\xfd7zXZ\x00";

/// What bytes are that begin with `head`, which is all of them where it is shorter than [`LOOK`].
pub(super) fn of(head: &[u8]) -> Kind {
    match head {
        _ if head.starts_with(GZIP) => Kind::Packed(Packing::Gzip),
        _ if head.starts_with(ZSTD) => Kind::Packed(Packing::Zstd),
        [0x50..=0x5f, rest @ ..] if rest.starts_with(ZSTD_SKIPPABLE) => Kind::Packed(Packing::Zstd),
        _ if head.starts_with(XZ) => Kind::Packed(Packing::Xz),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            if rest.starts_with(BZIP2_BLOCK) || rest.starts_with(BZIP2_END) =>
        {
            Kind::Packed(Packing::Bzip2)
        }
        _ if header::begins(head) => Kind::Tar,
        _ => Kind::Plain,
    }
}

impl Packing {
    /// As its own program is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// Whether another member may begin with `head`, which may be cut.
    pub(super) fn begins(self, head: &[u8]) -> bool {
        let agrees = |mark: &[u8]| head.starts_with(mark) || mark.starts_with(head);
        match (self, head) {
            (Self::Gzip, _) => agrees(GZIP),
            (Self::Zstd, [0x50..=0x5f, rest @ ..]) => {
                rest.starts_with(ZSTD_SKIPPABLE) || ZSTD_SKIPPABLE.starts_with(rest)
            }
            (Self::Zstd, _) => agrees(ZSTD),
            (Self::Bzip2, _) => agrees(BZIP2),
            (Self::Xz, _) => agrees(XZ),
        }
    }
}
