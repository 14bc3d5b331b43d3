//! One event as docker's driver sends it: about 370 bytes on the wire, with the sequence number in its line.

use rmp::encode::{ValueWriteError, write_ext_meta, write_map_len, write_str};

/// What the application printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// Text.
    Plain,
    /// A JSON object, as Python's structured loggers print it.
    Json,
}

/// Appends the time (an EventTime, `seconds` and `nanoseconds`) and the record of the `nth` event of container
/// `container`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    line: Line,
    container: u64,
    nth: u64,
    time: (u32, u32),
) -> Result<(), ValueWriteError> {
    write_line(out, text(line, nth), container, time)
}

/// The same with a line of one's own.
pub(crate) fn write_line(
    out: &mut Vec<u8>,
    line: String,
    container: u64,
    (seconds, nanoseconds): (u32, u32),
) -> Result<(), ValueWriteError> {
    write_ext_meta(out, 8, 0)?;
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&nanoseconds.to_be_bytes());
    write_map_len(out, 4)?;
    let fields = [
        ("container_id", format!("{container:016x}9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c")),
        ("container_name", format!("/production-ml-api-{container:03}")),
        ("source", "stdout".to_owned()),
        ("log", line),
    ];
    for (name, value) in &fields {
        write_str(out, name)?;
        write_str(out, value)?;
    }
    Ok(())
}

/// The `nth` line, whose sequence number is to be written into it.
pub(crate) fn text(line: Line, nth: u64) -> String {
    // why: lines that were all the same would make decompression cheaper than it is on real logs.
    let noise = nth.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let request = format!("{:08x}-e88f-4d2b-9a1c-{:012x}", noise >> 32, noise & 0xffff_ffff_ffff);
    let (user, latency) = (10_000 + noise % 90_000, 10 + noise % 80);
    match line {
        Line::Plain => format!(
            "2026-05-04 09:12:31,482 INFO [inference.worker-3] model=recommender-v2.3.1 prediction served \
             seq=000000000000 request_id={request} latency_ms={latency}.73 status=ok batch=16 device=cuda:0 cache=miss"
        ),
        Line::Json => format!(
            "{{\"timestamp\": \"2026-05-04T09:12:31.482519+00:00\", \"level\": \"INFO\", \
             \"message\": \"prediction served seq=000000000000\", \"module\": \"inference\", \
             \"function\": \"predict\", \"line\": 142, \"request_id\": \"{request}\", \
             \"user_id\": \"user-{user}\", \"model_version\": \"v2.3.1\", \"latency_ms\": {latency}.73}}"
        ),
    }
}
