//! The one place where outputs compress: bodies of bulk requests, and frames of archive files.
//!
//! Everything here runs for as long as the bytes are many: call it off the reactor.
//! Level 1 throughout: logs shrink to a tenth with it, and a higher level costs more time than it saves network or disk.
#![expect(
    clippy::disallowed_types,
    reason = "the one door to compression, and to reading our own files back"
)]

use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use super::Compression;

const LEVEL: u8 = 1;

impl Compression {
    /// As HTTP's `Content-Encoding` has it.
    pub(crate) fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// What the name of a file ends with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "ndjson",
            Self::Gzip => "ndjson.gz",
            Self::Zstd => "ndjson.zst",
        }
    }
}

/// Writes what `fill` writes as one whole zstd frame or gzip member: frames in a row are a readable file.
pub(crate) fn frame<W: Write>(
    compression: Compression,
    mut to: W,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match compression {
        Compression::None => fill(&mut to),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(to, flate2::Compression::new(LEVEL.into()));
            fill(&mut encoder)?;
            encoder.finish().map(drop)
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(to, LEVEL.into())?;
            fill(&mut encoder)?;
            encoder.finish().map(drop)
        }
    }
}

/// `bytes` as one frame.
pub(crate) fn compressed(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 8);
    frame(compression, &mut out, |to| to.write_all(bytes))?;
    Ok(out)
}

/// How much of `file`, from its start, is whole frames (or, uncompressed, whole lines): what follows was being
/// written when the writer died.
pub(crate) fn whole_length<R: io::Read + Seek>(compression: Compression, file: R) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut whole = 0;
    loop {
        reader.seek(SeekFrom::Start(whole))?;
        if reader.fill_buf()?.is_empty() || !skip_frame(compression, &mut reader)? {
            return Ok(whole);
        }
        whole = reader.stream_position()?;
    }
}

/// Reads one frame away; false if it is not whole. An error of the disk itself stays an error.
fn skip_frame<R: BufRead>(compression: Compression, reader: &mut R) -> io::Result<bool> {
    let read = match compression {
        Compression::None => return skip_line(reader),
        Compression::Gzip => io::copy(&mut flate2::bufread::GzDecoder::new(reader), &mut io::sink()),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(reader)?.single_frame();
            io::copy(&mut { decoder }, &mut io::sink())
        }
    };
    match read {
        Ok(_) => Ok(true),
        Err(fault) if fault.raw_os_error().is_some() => Err(fault),
        Err(_) => Ok(false),
    }
}

fn skip_line<R: BufRead>(reader: &mut R) -> io::Result<bool> {
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(false);
        }
        if let Some(at) = memchr::memchr(b'\n', chunk) {
            reader.consume(at + 1);
            return Ok(true);
        }
        let seen = chunk.len();
        reader.consume(seen);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

    fn two_frames(compression: Compression) -> (Vec<u8>, usize) {
        let mut bytes = compressed(compression, b"{\"n\":1}\n{\"n\":2}\n").expect("first");
        let first = bytes.len();
        bytes.extend(compressed(compression, b"{\"n\":3}\n").expect("second"));
        (bytes, first)
    }

    #[test]
    fn whole_frames_are_whole_to_the_last_byte() {
        for compression in ALL {
            let (bytes, _) = two_frames(compression);
            let whole = whole_length(compression, Cursor::new(&bytes)).expect("readable");
            assert_eq!(whole, bytes.len() as u64, "{compression:?}");
        }
    }

    #[test]
    fn a_tail_torn_anywhere_leaves_the_frames_before_it() {
        for compression in ALL {
            let (bytes, first) = two_frames(compression);
            for end in first..bytes.len() {
                let torn = bytes.get(..end).expect("a prefix");
                let whole = whole_length(compression, Cursor::new(torn)).expect("readable");
                assert_eq!(whole, first as u64, "{compression:?} cut at {end} of {}", bytes.len());
            }
        }
    }
}
