//! What a pass counts by itself, from one flush to the next.

use super::dropped::Dropped;
use super::pipelines::ByPipelines;
use crate::encode::Mended;
use crate::enrich::{Misfits, Seen};
use crate::metrics::{LastCounter, Metrics, kind, line_format};

/// See the module.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) dropped: Dropped,
    pub(super) by_pipeline: ByPipelines,
    pub(super) mended_times: u32,
    frames: LastCounter,
    lines: LastCounter,
}

impl Counts {
    /// Counts a frame of that mode, at once.
    pub(super) fn frame(&mut self, mode: &'static str, metrics: &Metrics) {
        self.frames.of(mode, || kind(&metrics.frames_received, mode)).inc();
    }

    /// Puts all of it on the page, with what the pipeline saw and the encoder mended, and begins anew.
    pub(super) fn count(&mut self, seen: &mut Seen, mended: Mended, metrics: &Metrics) {
        metrics.events_received.inc_by(std::mem::take(&mut self.received));
        self.dropped.count(metrics);
        self.by_pipeline.count(metrics);
        for (read, count) in seen.lines_read() {
            let lines = self.lines.of(read, || line_format(&metrics.lines_parsed, read));
            lines.inc_by(u64::from(count));
        }
        for Misfits { pipeline, format, lines } in seen.misfits() {
            line_format(&metrics.lines_unparsed, format).inc_by(u64::from(*lines));
            metrics.pipelines.unparsed(pipeline, format).inc_by(u64::from(*lines));
        }
        seen.clear();
        let changed = [
            ("invalid_utf8", mended.invalid_utf8),
            ("not_finite", mended.not_finite),
            ("too_deep", mended.too_deep),
            ("time", std::mem::take(&mut self.mended_times)),
        ];
        for (word, count) in changed.into_iter().filter(|(_, count)| *count > 0) {
            kind(&metrics.values_mended, word).inc_by(u64::from(count));
        }
    }
}
