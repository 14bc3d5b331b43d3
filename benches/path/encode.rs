//! Packed entries to documents: decode, pipeline, encode, as the daemon does it.

use std::hint::black_box;

use bumpalo::Bump;
use criterion::Bencher;
use forebay::decode::{Body, Entries};
use forebay::encode::{Encoder, IdBase};
use forebay::enrich::steps::Outcome;
use forebay::enrich::{Course, Defaults, PipelineOptions, Pipelines};
use forebay::event::{Event, Fields, Timestamp};

use super::{DEPTH, FIELDS, TAG};

/// A pipeline, and what is used again from one frame to the next.
pub(crate) struct Way {
    pipelines: Pipelines,
    encoder: Encoder,
    ids: IdBase,
    arena: Bump,
    course: Course,
    out: Vec<u8>,
}

impl Way {
    pub(crate) fn new(options: &PipelineOptions) -> Self {
        let defaults =
            Defaults { index: "logs-{tag}-default", fallback: "logs-forebay-default", host: "here" };
        let pipelines = Pipelines::compile(std::slice::from_ref(options), defaults).expect("good options");
        let (encoder, ids) = (Encoder::default(), IdBase::random());
        Self { pipelines, encoder, ids, arena: Bump::new(), course: Course::default(), out: Vec::new() }
    }

    /// The bytes of the documents of `entries`, those left out that a step ends.
    pub(crate) fn documents(&mut self, entries: &[u8]) -> usize {
        let Self { pipelines, encoder, ids, arena, course, out } = self;
        let pipeline = pipelines.choose(TAG).expect("a pipeline for every tag");
        let destination = pipeline.destination(TAG);
        out.clear();
        let mut entries = Entries::new(&Body::Packed(black_box(entries)), DEPTH, FIELDS);
        let mut spare = Fields::default();
        for sequence in 0.. {
            arena.reset();
            let mut fields: Fields<'_> = spare;
            let Some(time) = entries.next(&mut fields) else { break };
            let time = time.expect("a good entry").unwrap_or_else(Timestamp::now);
            let mut event = Event { time, tag: TAG, fields };
            pipeline.read(&mut event, arena, course);
            pipeline.apply(&mut event);
            if let (Outcome::Keep(other), _) = pipeline.steps(&mut event, arena) {
                let destination = other.unwrap_or(&destination);
                encoder.write(out, destination, &event, ids.plus(sequence), sequence);
            }
            spare = Fields::reuse(event.fields);
        }
        out.len()
    }
}

/// Times it.
pub(crate) fn bench(b: &mut Bencher<'_>, options: &PipelineOptions, entries: &[u8]) {
    let mut way = Way::new(options);
    b.iter(|| way.documents(entries));
}
