//! Lines of the formats that most services print, made up as those services would, no two the same.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use forebay::enrich::PipelineOptions;
use forebay::parse::{Format, Parse};
use rmp::encode::write_array_len;
use serde::de::IgnoredAny;

use super::{EVENTS, encode, record};

/// The line of that number.
type Line = fn(u32) -> String;

/// A format by its name, and behind it what the lines are like.
pub(crate) const LINES: [(&str, Line); 4] = [
    ("nginx combined", nginx),
    ("json lines", json_line),
    ("syslog_5424 with structured data", rfc_5424),
    ("logfmt", logfmt),
];

/// The entries of docker's driver for `lines`, and the bytes of the lines.
pub(crate) fn packed(lines: impl Iterator<Item = String>) -> (Vec<u8>, u64) {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for (nth, line) in (0..).zip(lines) {
        bytes += line.len() as u64;
        write_array_len(&mut entries, 2).expect("a vector takes it");
        record::write_line(&mut entries, line, 1, (1_777_885_951, nth)).expect("a vector takes it");
    }
    (entries, bytes)
}

/// A pipeline that reads lines in the format of that name, or finds it out.
pub(crate) fn named(name: &str) -> PipelineOptions {
    let format = name.split(' ').next().and_then(Format::named);
    let parse = format.map_or(Parse::Auto, |format| Parse::Formats(vec![format.into()]));
    PipelineOptions { parse, ..PipelineOptions::default() }
}

/// Lines of one format to documents, in MB of lines: by the format's name, and as `auto` finds out.
pub(crate) fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("lines");
    for (name, line) in LINES {
        let (entries, bytes) = packed((0..EVENTS).map(line));
        group.throughput(Throughput::Bytes(bytes));
        for (how, options) in [("named", named(name)), ("auto", PipelineOptions::default())] {
            group.bench_function(format!("{name}, {how}"), |b| encode::bench(b, &options, &entries));
        }
    }
    yardstick(&mut group);
    group.finish();
}

/// The JSON lines alone, without Docker's record around them, read by serde_json, which keeps nothing: a measure of the machine
/// that does not change with Forebay, so that numbers of one machine can be compared with those of another.
fn yardstick(group: &mut BenchmarkGroup<'_, WallTime>) {
    let lines: Vec<String> = (0..EVENTS).map(json_line).collect();
    group.throughput(Throughput::Bytes(lines.iter().map(|line| line.len() as u64).sum()));
    let skip = |line: &String| serde_json::from_str::<IgnoredAny>(black_box(line)).is_ok();
    group.bench_function("yardstick: json lines, skipped by serde_json", |b| {
        b.iter(|| lines.iter().filter(|line| skip(line)).count());
    });
}

/// As Go's structured loggers print an event of a service.
fn json_line(nth: u32) -> String {
    format!(
        "{{\"time\":\"2026-05-04T09:12:{:02}.482519Z\",\"level\":\"INFO\",\"msg\":\"prediction served to the client in time\",\
         \"module\":\"inference\",\"request_id\":\"{nth:08x}-e88f-4d2b-9a1c-00c04fd430c8\",\"user\":\"user-{nth}\",\
         \"model_version\":\"v2.3.1\",\"batch\":16,\"cached\":false,\"latency_ms\":{}.73}}",
        nth / 100,
        nth % 90,
    )
}

/// As a daemon's message arrives from rsyslog.
fn rfc_5424(nth: u32) -> String {
    format!(
        "<{}>1 2026-05-04T09:12:{:02}.482519+00:00 web-{}.example.com orders {} ID{nth} [meta@32473 sequenceId=\"{nth}\" \
         language=\"en\"] order A-{nth} of customer {} was stored and is sent to the warehouse of its region today",
        8 * (nth % 24) + 6,
        nth / 100,
        nth % 9,
        1_000 + nth,
        nth * 7,
    )
}

/// As logrus and slog print an event of a service.
fn logfmt(nth: u32) -> String {
    format!(
        "time=2026-05-04T09:12:{:02}.482519Z level=info msg=\"prediction served to the client in time\" module=inference \
         request_id={nth:08x}-e88f-4d2b-9a1c-00c04fd430c8 user=user-{nth} model_version=v2.3.1 batch=16 cached=false \
         latency_ms={}.73",
        nth / 100,
        nth % 90,
    )
}

/// As a browser's request for a page of a shop is logged; twenty a second.
fn nginx(nth: u32) -> String {
    format!(
        "203.0.113.{} - - [04/May/2026:09:12:{:02} +0000] \"GET /shop/items/{nth}?colour=green&size={} HTTP/1.1\" 200 {} \
         \"https://www.example.com/search?q=tea\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
         (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"",
        nth % 256,
        nth / 20,
        nth % 7,
        1_000 + nth * 37,
    )
}
