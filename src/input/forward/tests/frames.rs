//! Frames by hand, in every mode.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the tests pack what is unpacked here"
)]

use std::io::Write;

use rmp::encode;

/// How the events of a frame travel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Message,
    Forward,
    PackedText,
    PackedBinary,
    NamedText,
    Gzip,
    GzipEach,
    Zstd,
}

/// All of them.
pub(super) const MODES: [Mode; 8] = [
    Mode::Message,
    Mode::Forward,
    Mode::PackedText,
    Mode::PackedBinary,
    Mode::NamedText,
    Mode::Gzip,
    Mode::GzipEach,
    Mode::Zstd,
];

pub(super) fn text(text: &str) -> Vec<u8> {
    written(|out| encode::write_str(out, text))
}

pub(super) fn binary(bytes: &[u8]) -> Vec<u8> {
    written(|out| encode::write_bin(out, bytes))
}

pub(super) fn number(number: u64) -> Vec<u8> {
    written(|out| encode::write_uint(out, number).map(|_| ()))
}

pub(super) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let mut out = written(|out| encode::write_array_len(out, items.len() as u32).map(|_| ()));
    items.iter().for_each(|item| out.extend_from_slice(item));
    out
}

pub(super) fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = written(|out| encode::write_map_len(out, pairs.len() as u32).map(|_| ()));
    for (name, value) in pairs {
        out.extend_from_slice(&text(name));
        out.extend_from_slice(value);
    }
    out
}

fn written<E: std::fmt::Debug>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).expect("in memory");
    out
}

/// An EventTime as most send it.
pub(super) fn event_time(seconds: u32, nanos: u32) -> Vec<u8> {
    [&[0xd7, 0][..], &seconds.to_be_bytes(), &nanos.to_be_bytes()].concat()
}

/// The record `{"n": n}`.
pub(super) fn numbered(n: u64) -> Vec<u8> {
    map(&[("n", number(n))])
}

/// An entry with that record.
pub(super) fn entry(n: u64) -> Vec<u8> {
    array(&[event_time(1_700_000_000, 5), numbered(n)])
}

/// A Forward frame of `entries`, with these options.
pub(super) fn forward(entries: &[Vec<u8>], options: &[(&str, Vec<u8>)]) -> Vec<u8> {
    array(&[text("app.web"), array(entries), map(options)])
}

/// Frames that carry `entries` (each `[time, record]`) in `mode`, with `options` beside those that the mode needs.
pub(super) fn frames(mode: Mode, tag: &str, entries: &[Vec<u8>], options: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let packed = entries.concat();
    let with = |compressed: &str| [options, &[("compressed", text(compressed))]].concat();
    let frame = |body: Vec<u8>, options: &[(&str, Vec<u8>)]| array(&[text(tag), body, map(options)]);
    match mode {
        Mode::Message => {
            let message = |entry: &Vec<u8>| [&[0x94][..], &text(tag), &entry[1..], &map(options)].concat();
            entries.iter().flat_map(message).collect()
        }
        Mode::Forward => frame(array(entries), options),
        // Not UTF-8, but sent as text by old clients all the same.
        Mode::PackedText => {
            let head = [&[0xdb][..], &(packed.len() as u32).to_be_bytes()].concat();
            frame([head, packed].concat(), options)
        }
        Mode::PackedBinary => frame(binary(&packed), options),
        Mode::NamedText => frame(binary(&packed), &with("text")),
        Mode::Gzip => frame(binary(&gzip(&packed)), &with("gzip")),
        Mode::GzipEach => {
            let members: Vec<u8> = entries.iter().flat_map(|entry| gzip(entry)).collect();
            frame(binary(&members), &with("gzip"))
        }
        Mode::Zstd => frame(binary(&zstd::bulk::compress(&packed, 1).expect("in memory")), &with("zstd")),
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}
