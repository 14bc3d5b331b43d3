//! Compressed entries of any bytes, against decoders without caps.
//!
//! - No more comes out than the caps allow, in windows of whole entries.
//! - What comes to its end is what the plain decoder gives; what the plain decoder gives whole, and within the caps,
//!   comes to its end.
//! - What was packed here, in as many members or frames as the input wants, comes out as it went in.
//!
//! Input: a byte for codec and form, one for the limit, one for the ratio, one for an entry's limit, then the bytes.
#![no_main]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the plain decoders that ours is held against"
)]

use std::io::{Read as _, Write as _};

use forebay::decode::{Codec, DecodeError, Decompressor, FrameScan, Scanned};
use forebay_fuzz::input::Input;

/// The plain decoder's, so that it has one: what is larger is not compared.
const MOST: u64 = 4 << 20;

/// The caps of one input.
#[derive(Clone, Copy, Debug)]
struct Caps {
    limit: u64,
    ratio: u64,
    entry: u64,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let form = input.byte();
    let codec = if form & 1 == 0 { Codec::Gzip } else { Codec::Zstd };
    // From nothing to no cap at all.
    let [limit, ratio, entry] =
        [(); 3].map(|()| 1_u64.checked_shl(u32::from(input.byte())).unwrap_or(u64::MAX));
    let caps = Caps { limit, ratio, entry };
    if form & 2 == 0 {
        against_plain(codec, input.0, caps);
    } else {
        comes_out_as_it_went_in(codec, input, caps);
    }
});

fn against_plain(codec: Codec, packed: &[u8], caps: Caps) {
    let ours = unpacked(codec, packed, caps);
    let theirs = plain(codec, packed);
    match (ours, theirs) {
        (Ok(ours), None) if ours.len() as u64 > MOST => (),
        (Ok(ours), theirs) => assert_eq!(Some(&ours), theirs.as_ref()),
        (Err(DecodeError::Limit { .. }), _) | (Err(_), None) => (),
        (Err(error), Some(theirs)) => {
            assert!(!is_whole_entries(&theirs), "{error} of {} bytes", theirs.len());
        }
    }
}

fn comes_out_as_it_went_in(codec: Codec, mut input: Input<'_>, caps: Caps) {
    let (mut entries, mut packed) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let member = input.sized();
        entries.extend_from_slice(member);
        packed.extend(pack(codec, member));
    }
    if packed.is_empty() {
        return;
    }
    match unpacked(codec, &packed, caps) {
        Ok(out) => assert_eq!(out, entries),
        Err(DecodeError::Limit { .. }) => (),
        Err(error) => assert!(!is_whole_entries(&entries), "{error}"),
    }
}

/// All windows; the caps and the windows' ends are tested on the way.
fn unpacked(codec: Codec, packed: &[u8], caps: Caps) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    let mut windows = Decompressor::new(codec, packed, caps.limit, caps.ratio, caps.entry)?;
    let most = caps.limit.min(caps.ratio.saturating_mul(packed.len() as u64).max(1 << 20));
    while let Some(window) = windows.next_window()? {
        assert!(is_whole_entries(window), "{window:x?}");
        out.extend_from_slice(window);
        assert!(out.len() as u64 <= most, "{} bytes under {caps:?}", out.len());
    }
    Ok(out)
}

fn is_whole_entries(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match FrameScan::new(u64::MAX).advance(bytes) {
            Ok(Scanned::Complete(length)) => bytes = &bytes[length..],
            _ => return false,
        }
    }
    true
}

/// None where it does not come to its end within [`MOST`].
fn plain(codec: Codec, packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = match codec {
        Codec::Gzip => flate2::bufread::MultiGzDecoder::new(packed).take(MOST + 1).read_to_end(&mut out),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).ok()?;
            decoder.window_log_max(23).ok()?;
            decoder.take(MOST + 1).read_to_end(&mut out)
        }
    };
    (read.is_ok() && out.len() as u64 <= MOST).then_some(out)
}

fn pack(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
        }
        Codec::Zstd => zstd::bulk::compress(bytes, 1).expect("in memory"),
    }
}
