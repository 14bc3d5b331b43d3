//! Compression on the other side of the daemon's: what a client packs, and what a reader of its files or of its requests
//! unpacks. All in memory, and of no use where a peer is not trusted.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the daemon's own doors cannot be what proves them right"
)]

use std::io::{Read, Write};

/// gzip, one member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// zstd, one frame.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("memory takes all")
}

/// zstd that asks its reader for as much memory as it can.
pub(crate) fn zstd_of_large_window(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("memory");
    encoder.window_log(23).expect("a window that readers take");
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// All members of gzip.
pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).expect("whole members");
    out
}

/// All frames of zstd.
pub(crate) fn unzstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::decode_all(bytes).expect("whole frames")
}
