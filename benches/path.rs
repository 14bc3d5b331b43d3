//! The stages alone, without a network: frame to documents, a line's JSON, and batches through the buffer; each step of
//! `docs/pipelines.md`, each format of `fixtures/lines`.
//!
//! Every bench works on the events of one frame of [`EVENTS`] docker-shaped records, made before the clock starts, and
//! reports time for each event. What they write to is used again, as the daemon does.

#[path = "path/encode.rs"]
mod encode;
#[path = "path/formats.rs"]
mod formats;
#[path = "path/lines.rs"]
mod lines;
#[path = "end_to_end/record.rs"]
mod record;
#[path = "path/steps.rs"]
mod steps;

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;

use bumpalo::Bump;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use forebay::buffer::{Buffer, BufferOptions, OpenBatch};
use forebay::decode::{Body, Codec, Decompressor, Entries, Frame, FrameScan};
use forebay::enrich::PipelineOptions;
use forebay::enrich::redact::RedactOptions;
use forebay::enrich::steps::{Convert, SetValue, Step, StepOptions, Surroundings};
use forebay::event::{Event, Fields, Timestamp, Value};
use forebay::metrics::Metrics;
use forebay::parse::{Parse, json_object};
use prometheus_client::registry::Registry;
use record::Line;
use rmp::encode::{write_array_len, write_map_len, write_str};

pub(crate) const EVENTS: u32 = 500;
pub(crate) const TAG: &str = "ml-api";

/// Limits that no record here comes near.
pub(crate) const DEPTH: usize = 64;
pub(crate) const FIELDS: usize = 2000;
const BYTES: u64 = 32 << 20;

fn packed(line: Line) -> Vec<u8> {
    let mut entries = Vec::new();
    for nth in 0..EVENTS {
        write_array_len(&mut entries, 2).expect("a vector takes it");
        record::write(&mut entries, line, 1, u64::from(nth), (1_777_885_951, nth))
            .expect("a vector takes it");
    }
    entries
}

/// As many Message frames, end to end, as docker sends them.
fn messages(line: Line) -> Vec<u8> {
    let mut frames = Vec::new();
    for nth in 0..EVENTS {
        write_array_len(&mut frames, 4).expect("a vector takes it");
        write_str(&mut frames, TAG).expect("a vector takes it");
        record::write(&mut frames, line, 1, u64::from(nth), (1_777_885_951, nth)).expect("a vector takes it");
        write_map_len(&mut frames, 0).expect("a vector takes it");
    }
    frames
}

fn read(body: &Body<'_>) -> usize {
    let mut entries = Entries::new(body, DEPTH, FIELDS);
    let mut fields = Fields::default();
    let mut count = 0;
    while let Some(time) = entries.next(&mut fields) {
        black_box(time.expect("a good entry"));
        count += fields.len();
        fields = Fields::reuse(fields);
    }
    count
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    let entries = packed(Line::Plain);
    group.bench_function("packed", |b| b.iter(|| read(&Body::Packed(black_box(&entries)))));

    let frames = messages(Line::Plain);
    group.bench_function("message", |b| b.iter(|| read_messages(black_box(&frames))));

    let zipped = gzip(&entries);
    group.bench_function("gzip", |b| {
        b.iter(|| {
            let opened = Decompressor::new(Codec::Gzip, black_box(&zipped), BYTES, 1000, BYTES);
            let mut windows = opened.expect("a gzip header");
            while let Some(window) = windows.next_window().expect("good entries") {
                read(&Body::Packed(window));
            }
        });
    });
    group.finish();
}

fn read_messages(mut rest: &[u8]) {
    while !rest.is_empty() {
        let scanned = FrameScan::new(BYTES).advance(rest).expect("good frames");
        let forebay::decode::Scanned::Complete(length) = scanned else { panic!("a frame is not whole") };
        let (frame, after) = rest.split_at(length);
        read(&Frame::read(frame).expect("a good frame").expect("no heartbeat").body);
        rest = after;
    }
}

#[allow(clippy::disallowed_types, reason = "set-up: a sender's side of gzip")]
fn gzip(entries: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(entries).expect("a vector takes it");
    out.finish().expect("a vector takes it")
}

/// Entries to documents: decode, pipeline, encode.
fn path(c: &mut Criterion) {
    let mut group = c.benchmark_group("path");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    let none = PipelineOptions { parse: Parse::None, ..PipelineOptions::default() };
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let fields = vec![text("environment", "production"), text("team", "ml-platform")];
    let auto = PipelineOptions { fields, ..PipelineOptions::default() };
    let stepped = PipelineOptions { steps: five_steps(), ..auto.clone() };
    group.bench_function("pass", |b| encode::bench(b, &none, &packed(Line::Plain)));
    group.bench_function("json", |b| encode::bench(b, &auto, &packed(Line::Json)));
    group.bench_function("json_steps", |b| encode::bench(b, &stepped, &packed(Line::Json)));
    group.finish();
}

fn pair<T>(name: &str, value: T) -> (String, T) {
    (name.to_owned(), value)
}

/// A condition that does not hold, a new value, another name, one out, and a text to a number: what is added to `json`.
fn five_steps() -> Vec<StepOptions> {
    let text = |text: &str| text.to_owned();
    let none = StepOptions::default;
    vec![
        StepOptions {
            when: Some(text("level >= WARN and not function ~ \"^health\"")),
            remove: Some(vec![text("message")]),
            ..none()
        },
        StepOptions { set: Some(vec![pair("who", SetValue::Text(text("{user_id}@{host}")))]), ..none() },
        StepOptions { rename: Some(vec![pair("model_version", text("model.version"))]), ..none() },
        StepOptions { remove: Some(vec![text("module"), text("container_id")]), ..none() },
        StepOptions { convert: Some(vec![pair("latency_ms", Convert::Float)]), ..none() },
    ]
}

/// A line's JSON to fields.
fn json(c: &mut Criterion) {
    let entries = packed(Line::Json);
    let mut reader = Entries::new(&Body::Packed(&entries), DEPTH, FIELDS);
    let mut record = Fields::default();
    reader.next(&mut record).expect("an entry").expect("a good entry");
    let line = record.text("log").expect("a line").to_vec();
    let line = str::from_utf8(&line).expect("UTF-8");

    let mut group = c.benchmark_group("json");
    group.throughput(Throughput::Elements(1));
    group.bench_function("line", |b| {
        let mut spare = Fields::default();
        b.iter(|| {
            let mut fields = Fields::reuse(std::mem::take(&mut spare));
            json_object(black_box(line), 1, &mut fields).expect("an object");
            spare = Fields::reuse(fields);
        });
    });
    group.finish();
}

/// Secrets looked for in lines that have none, as most do, and in one that has several; time for each byte.
fn redact(c: &mut Criterion) {
    let options = StepOptions { redact: Some(RedactOptions::default()), ..StepOptions::default() };
    let step = Step::compile(&options, &Surroundings::default()).expect("good options");
    let time = Timestamp::new(0, 0).expect("a time");
    let mut group = c.benchmark_group("redact");
    for (name, line) in REDACTED {
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(name, |b| {
            let mut arena = Bump::new();
            b.iter(|| {
                arena.reset();
                let mut event = Event { time, tag: TAG, fields: Fields::default() };
                event.fields.push("message".into(), Value::Text(black_box(line.as_bytes())));
                step.apply(&mut event, &arena);
                black_box(event.fields.len())
            });
        });
    }
    group.finish();
}

const REDACTED: [(&str, &str); 4] = [
    (
        "access",
        "203.0.113.7 - - [28/Nov/2026:11:00:00 +0000] \"GET /api/v1/users/42/orders?limit=20&offset=40 HTTP/1.1\" 200 5120 \
         \"https://shop.example.com/cart\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\"",
    ),
    (
        "prose",
        "2026-11-28T11:00:00.123456Z INFO 7 --- [exec-3] c.e.shop.orders.OrderService : Order 1795867200123 of customer \
         4711 was placed with 3 items, total 129.90 EUR, took 12.5 ms",
    ),
    ("short", "started in 4.1 seconds"),
    (
        "secrets",
        "mail to <eva@example.org>, card 4111 1111 1111 1111, postgres://eva:hunter2@db/x and some more text around",
    ),
];

/// Encoded documents through the buffer, in at one end and out at the other as one body.
fn bulk(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = BufferOptions { batch_documents: EVENTS as usize, ..BufferOptions::default() };
    let metrics = Metrics::new(&mut Registry::default());
    let (buffer, _) = Buffer::open(options, folder.path(), metrics).expect("an empty buffer");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (tag, document) = (Arc::from(TAG), vec![b'x'; 450]);

    let mut group = c.benchmark_group("bulk");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    group.bench_function("assembly", |b| {
        b.iter_batched(
            || filled(buffer.take_open(), &tag, &document),
            |batch| {
                buffer.give_open(batch);
                runtime.block_on(buffer.pop()).expect("a full batch").delivered();
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn filled(mut batch: OpenBatch, tag: &Arc<str>, document: &[u8]) -> OpenBatch {
    for _ in 0..EVENTS {
        batch.bytes().extend_from_slice(document);
        batch.end_document(tag);
    }
    batch
}

criterion_group!(benches, decode, path, lines::bench, formats::bench, steps::bench, json, redact, bulk);
criterion_main!(benches);
