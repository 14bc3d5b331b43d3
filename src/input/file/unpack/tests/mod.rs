//! Packed here, and unpacked again: whole, cut, damaged, and in one another.
#![expect(clippy::disallowed_types, reason = "the tests pack what is unpacked here")]

mod archives;
mod damage;
mod random;
mod whole;

use std::io::Write;

use super::*;
use crate::input::file::unpack::kind::Packing;

const ALL: [Packing; 4] = [Packing::Gzip, Packing::Zstd, Packing::Bzip2, Packing::Xz];

/// One that was found, with all that it gave and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    path: Option<String>,
    bytes: Vec<u8>,
    /// A fault, or why it was skipped.
    end: Option<String>,
}

impl Seen {
    fn whole(path: Option<&str>, bytes: &[u8]) -> Self {
        Self { path: path.map(str::to_owned), bytes: bytes.to_vec(), end: None }
    }

    fn ended(path: Option<&str>, bytes: &[u8], end: &str) -> Self {
        Self { end: Some(end.to_owned()), ..Self::whole(path, bytes) }
    }
}

/// All that is in `packed`.
fn seen(packed: &[u8]) -> Vec<Seen> {
    seen_from(&mut &*packed, 1 << 16)
}

/// The same, `room` bytes at a time.
fn seen_from(input: &mut dyn Read, room: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    let flow = each_content(input, &mut |found| {
        all.push(match found {
            Found::Content(mut content) => read(&mut content, room),
            Found::Skipped { path, why, .. } => Seen::ended(text(path.as_deref()).as_deref(), b"", why),
            Found::Broken { path, error } => {
                Seen::ended(text(path.as_deref()).as_deref(), b"", &error.to_string())
            }
        });
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    all
}

fn read(content: &mut Content<'_>, room: usize) -> Seen {
    let mut seen = Seen { path: text(content.path), ..Seen::default() };
    let mut buffer = vec![0; room];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return seen,
            Ok(read) => seen.bytes.extend_from_slice(&buffer[..read]),
            Err(error) => {
                let again = content.read(&mut buffer).map_err(|error| error.to_string());
                assert_eq!(again, Err(error.to_string()), "whoever reads on is told again");
                seen.end = Some(error.to_string());
                return seen;
            }
        }
    }
}

fn text(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.to_str().expect("the tests' own").to_owned())
}

/// `bytes` as one member, stream or frame.
fn pack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
        }
        Packing::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("level 1");
            encoder.include_checksum(true).expect("before it starts");
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
        }
        Packing::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
        }
        Packing::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
        }
    }
}

/// An archive of files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, path, *bytes).expect("in memory");
    }
    builder.into_inner().expect("in memory")
}

/// Lines enough for several blocks of every format.
fn lines(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|line| {
            let noise = (line as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!("{line} {noise:x} GET /index.html\n").into_bytes()
        })
        .collect()
}
