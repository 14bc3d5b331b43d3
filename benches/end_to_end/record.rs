//! One event as docker's driver sends it: about 370 bytes on the wire, with the sequence number in its line.

use rmp::encode::{write_ext_meta, write_map_len, write_str};

use crate::Fault;
use crate::scenario::Line;

/// What comes before the sequence number, in every line.
pub(crate) const MARK: &[u8] = b"seq=";

/// Digits of a sequence number; leading zeros keep its place fixed.
pub(crate) const DIGITS: usize = 12;

const PLAIN: &str = "2026-05-04 09:12:31,482 INFO [inference.worker-3] model=recommender-v2.3.1 \
    prediction served seq=000000000000 request_id=7f9c2ba4-e88f-4d2b-9a1c-03f5d1b0a4e7 latency_ms=12.73 \
    status=ok batch=16 device=cuda:0 cache=miss";

const JSON: &str = "{\"timestamp\": \"2026-05-04T09:12:31.482519+00:00\", \"level\": \"INFO\", \
    \"message\": \"prediction served seq=000000000000\", \"module\": \"inference\", \"function\": \"predict\", \
    \"line\": 142, \"request_id\": \"7f9c2ba4-e88f-4d2b-9a1c-03f5d1b0a4e7\", \"user_id\": \"user-48213\", \
    \"model_version\": \"v2.3.1\", \"latency_ms\": 12.73}";

/// Appends the time (an EventTime, `seconds` and `nanoseconds`) and the record of container `container`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    line: Line,
    container: u64,
    (seconds, nanoseconds): (u32, u32),
) -> Result<(), Fault> {
    write_ext_meta(out, 8, 0)?;
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&nanoseconds.to_be_bytes());
    write_map_len(out, 4)?;
    let fields = [
        ("container_id", format!("{container:016x}9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c")),
        ("container_name", format!("/production-ml-api-{container:03}")),
        ("source", "stdout".to_owned()),
        ("log", text(line).to_owned()),
    ];
    for (name, value) in &fields {
        write_str(out, name)?;
        write_str(out, value)?;
    }
    Ok(())
}

fn text(line: Line) -> &'static str {
    match line {
        Line::Plain => PLAIN,
        Line::Json => JSON,
    }
}
