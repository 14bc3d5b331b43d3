//! What stands before a chunk's content.

use std::io::{self, Read as _};

/// Bytes before the metadata.
const LENGTH: usize = 24;

/// From where on the checksum is of.
const COVERED: usize = 22;

/// What metadata begin with that say more than the tag.
const MAGIC: &[u8] = b"\xf1\x77";

/// The checksum of a header that nothing was written behind yet.
const UNWRITTEN: u32 = 0xff12_d941;

/// See the module.
pub(super) struct Header {
    /// Bytes of it.
    pub(super) length: u64,
    pub(super) tag: String,
    pub(super) is_logs: bool,
    /// Bytes of the content; none where the chunk does not say, as those of early versions do not.
    pub(super) content: Option<u64>,
    checksum: u32,
    covered: Vec<u8>,
}

/// A header, or as much of one as is there.
pub(super) enum Read {
    Header(Header),
    Torn(u64),
}

impl Header {
    pub(super) fn read(from: &mut dyn io::Read) -> io::Result<Read> {
        let mut fixed = Vec::new();
        from.take(LENGTH as u64).read_to_end(&mut fixed)?;
        let number = |at: usize| Some(u32::from_be_bytes(fixed.get(at..at + 4)?.try_into().ok()?));
        let (Some(checksum), Some(content), Some(&[high, low])) =
            (number(2), number(10), fixed.get(COVERED..))
        else {
            return Ok(Read::Torn(fixed.len() as u64));
        };
        let length = u16::from_be_bytes([high, low]);
        let mut covered = vec![high, low];
        let read = from.take(u64::from(length)).read_to_end(&mut covered)?;
        if read < usize::from(length) {
            return Ok(Read::Torn((LENGTH + read) as u64));
        }
        let (tag, is_logs) = metadata(covered.get(2..).unwrap_or_default());
        Ok(Read::Header(Self {
            length: (LENGTH + read) as u64,
            tag: String::from_utf8_lossy(tag).into_owned(),
            is_logs,
            content: Some(u64::from(content)).filter(|content| *content > 0),
            checksum,
            covered,
        }))
    }

    /// Whether there is a checksum that is not the one of `content`.
    pub(super) fn is_damaged(&self, content: &[u8]) -> bool {
        if matches!(self.checksum, 0 | UNWRITTEN) {
            return false;
        }
        let mut crc = flate2::Crc::new();
        crc.update(&self.covered);
        crc.update(content);
        // why: what a crash leaves may be in the order of the machine, as it is until the chunk is synced.
        ![self.checksum, self.checksum.swap_bytes()].contains(&crc.sum())
    }
}

/// The tag, and whether it is that of logs.
fn metadata(bytes: &[u8]) -> (&[u8], bool) {
    let Some([kind, _, rest @ ..]) = bytes.strip_prefix(MAGIC) else { return (bytes, true) };
    (rest.split(|byte| *byte == 0).next().unwrap_or_default(), *kind == 0)
}
