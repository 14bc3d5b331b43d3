//! Any bytes as a file that is packed, against the decoders' own readers; and what is packed here, as it comes back.
//!
//! - What comes whole out of one file is what the plain readers make of it, layer by layer, and the other way about.
//! - It is the same whatever room a reader has.
//! - What was packed here, in as many members and layers as the input wants, comes out as it went in; cut, its beginning
//!   does, and it is told.
//!
//! Input: a byte for the form, one for the room; then the bytes, or layers, pieces and a cut.
#![no_main]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the plain decoders that ours are held against"
)]

use std::io::{Read, Write as _};
use std::ops::ControlFlow;

use forebay::input::file::{Found, each_content};
use forebay_fuzz::input::Input;

/// The plain readers', so that they have one: what is larger is not compared.
const MOST: usize = 1 << 20;

/// As ours.
const XZ_MEMORY: u64 = 129 << 20;

/// One that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    path: Option<String>,
    bytes: Vec<u8>,
    fault: Option<String>,
    is_packed: bool,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let form = input.byte();
    let room = usize::from(input.byte()) + 1;
    if form & 1 == 0 {
        against_plain(input.0, room);
    } else {
        comes_out_as_it_went_in(input, room);
    }
});

fn against_plain(packed: &[u8], room: usize) {
    let Some(ours) = seen(packed, room) else { return };
    assert!(seen(packed, 1 << 16).is_none_or(|same| same == ours), "another room: {ours:?}");
    if let [Seen { path: None, fault: None, bytes, .. }] = &*ours {
        is_made_by_plain(packed, bytes);
    }
    let Some((theirs, true)) = plain(packed) else { return };
    let is_innermost = matches!(seen(&theirs, room).as_deref(), Some([Seen { is_packed: false, .. }]));
    if is_innermost && theirs.len() < MOST {
        let expected = Seen { bytes: theirs, is_packed: true, ..Seen::default() };
        assert_eq!(ours, [expected]);
    }
}

/// Whether plain readers one above the other make `ours` of `packed`.
fn is_made_by_plain(packed: &[u8], ours: &[u8]) {
    let mut made = packed.to_vec();
    while made != ours {
        let (bytes, is_whole) = plain(&made).expect("ours has taken it for packed");
        // They take no padding.
        assert!(is_whole || made.contains(&0), "only ours is whole: {made:x?}");
        if !is_whole {
            return;
        }
        made = bytes;
    }
}

fn comes_out_as_it_went_in(mut input: Input<'_>, room: usize) {
    let layers = input.slice(3);
    let cut = input.short();
    let (mut pieces, mut archive) = (Vec::new(), tar::Builder::new(Vec::new()));
    while !input.is_empty() {
        // why: no piece is taken for packed.
        let piece = [b"line ", input.sized()].concat();
        let mut header = tar::Header::new_gnu();
        header.set_size(piece.len() as u64);
        archive.append_data(&mut header, format!("f/{}", pieces.len()), &*piece).expect("in memory");
        pieces.push(piece);
    }
    let archive = archive.into_inner().expect("in memory");
    let packed = layers.iter().fold(archive.clone(), |bytes, layer| pack(*layer, &bytes));
    if archive.is_empty() || pieces.is_empty() {
        return;
    }
    let ours = seen(&packed, room).expect("less than the most");
    let came: Vec<_> = ours.iter().map(|seen| seen.bytes.clone()).collect();
    assert_eq!(came, pieces);
    assert!(ours.iter().all(|seen| seen.fault.is_none()), "{ours:?}");
    let cut = cut % packed.len();
    if let Some(ours) = seen(&packed[..cut], room) {
        let came: Vec<u8> = ours.iter().flat_map(|seen| seen.bytes.clone()).collect();
        let has_begun = ours.iter().any(|seen| seen.path.is_some());
        assert!(!has_begun || pieces.concat().starts_with(&came), "cut at {cut}: {ours:?}");
        let faults = ours.iter().filter(|seen| seen.fault.is_some()).count();
        assert!(!has_begun || faults == 1 || cut + 512 >= packed.len(), "cut at {cut}: {ours:?}");
    }
}

/// None where it is more than [`MOST`].
fn seen(packed: &[u8], room: usize) -> Option<Vec<Seen>> {
    let (mut all, mut left) = (Vec::new(), MOST);
    let mut buffer = vec![0; room];
    let flow = each_content(&mut &*packed, &mut |found| {
        let mut seen = Seen::default();
        match found {
            Found::Skipped { path, why, .. } => {
                seen.path = path.map(|path| path.display().to_string());
                seen.fault = Some(why.to_owned());
            }
            Found::Broken { path, error } => {
                seen.path = path.map(|path| path.display().to_string());
                seen.fault = Some(error.to_string());
            }
            Found::Content(mut content) => {
                seen.path = content.path.map(|path| path.display().to_string());
                seen.is_packed = content.is_packed;
                loop {
                    match content.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(read) if read > left => return ControlFlow::Break(()),
                        Ok(read) => {
                            left -= read;
                            seen.bytes.extend_from_slice(&buffer[..read]);
                        }
                        Err(error) => {
                            seen.fault = Some(error.to_string());
                            break;
                        }
                    }
                }
            }
        }
        all.push(seen);
        ControlFlow::Continue(())
    });
    flow.is_continue().then_some(all)
}

/// One layer, and whether it came to its end; none where it is no packing.
fn plain(packed: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let read = match packed {
        [0x1f, ..] => limited(flate2::bufread::MultiGzDecoder::new(packed), &mut out),
        [b'B', ..] => limited(bzip2::bufread::MultiBzDecoder::new(packed), &mut out),
        [0xfd, ..] => {
            let concatenated = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, concatenated).ok()?;
            limited(liblzma::bufread::XzDecoder::new_stream(packed, stream), &mut out)
        }
        [0x28 | 0x50..=0x5f, ..] => limited(zstd::stream::read::Decoder::with_buffer(packed).ok()?, &mut out),
        _ => return None,
    };
    Some((out, read.is_ok()))
}

fn limited(reader: impl Read, out: &mut Vec<u8>) -> std::io::Result<usize> {
    reader.take(MOST as u64 + 1).read_to_end(out)
}

/// In one member or in two, as `layer` says.
fn pack(layer: u8, bytes: &[u8]) -> Vec<u8> {
    let at = usize::from(layer >> 2) * 64;
    let (one, two) = bytes.split_at(at.min(bytes.len()));
    let members = if one.is_empty() { vec![two] } else { vec![one, two] };
    members.iter().flat_map(|bytes| member(layer & 3, bytes)).collect()
}

fn member(layer: u8, bytes: &[u8]) -> Vec<u8> {
    let packed = match layer {
        0 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
        1 => zstd::stream::encode_all(bytes, 1),
        2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
        _ => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).and_then(|()| encoder.finish())
        }
    };
    packed.expect("in memory")
}
