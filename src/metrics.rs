//! What is counted, by every stage.
//!
//! The books balance: `received + recovered = indexed + duplicate + dead_letter + dropped + buffer_events`,
//! where `recovered` is what a start found on disk. An event is counted as received when its document is
//! written, so a docker line that came in parts counts once, when it is joined.
//! A counter with a label is there from the start, at 0, for each word that it knows.
//! Counters are bumped per read, batch or request, never per event: the path takes no shared cache line for one.

mod books;
mod by_tag;
mod labels;
mod last;
mod ledger;
mod pipelines;
mod tail;
mod words;

use std::sync::{Arc, OnceLock};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use books::{Audit, Books};
pub use by_tag::{ByTag, TagReason};
pub use labels::{ByFormat, ByKind, ByListener, ByReason, Kind, LineFormat, Listening, Reason};
pub use labels::{kind, line_format, listener, reason};
pub use last::LastCounter;
pub use ledger::{Ledger, Settled, Verdict};
pub use pipelines::{ByPipeline, ByStep, Ended, PipelineMetrics};
pub use tail::{ByPaths, TailMetrics, TailsMetrics};

/// Every counter of the daemon; cheap to share, registered once.
pub struct Metrics {
    /// What became of documents by source, where somebody wants to know; on no page.
    pub ledger: OnceLock<Arc<Ledger>>,
    /// Events whose document was written.
    pub events_received: Counter,
    /// Events that a start found in the buffer on disk.
    pub events_recovered: Counter,
    /// Documents that the target took.
    pub events_indexed: Counter,
    /// Documents that the target had taken before (409 on our own id).
    pub events_duplicate: Counter,
    /// Documents that the target will never take, kept with the reason.
    pub events_dead_letter: Counter,
    /// Letters that were deleted to make room for others, and that no replay had settled.
    pub letters_deleted: Counter,
    /// Documents that the target took on a second try, with a field as text; counted in `events_indexed` too.
    pub events_healed: ByKind,
    /// What the books were off by when nothing moved, at the last look; anything but 0 is a bug.
    pub books_off: Gauge,
    /// Events, or whole frames, that no rule can read, by reason; counted in `events_dead_letter` too.
    pub events_refused: ByReason,
    /// Events given up, by reason.
    pub events_dropped: ByReason,
    /// Of these, what the buffer gave up because it was full, and what pipelines ended, by tag.
    pub dropped_by_tag: ByTag,
    /// Documents that a data stream's failure store took; counted in `events_indexed` too.
    pub events_failure_store: Counter,
    /// What the encoder changed so that the document can be stored, by kind (`invalid_utf8`, `not_finite`, …).
    pub values_mended: ByKind,
    /// Lines that were read, by their format.
    pub lines_parsed: ByFormat,
    /// Lines that did not have the format that `parse` names and were kept whole, by that format.
    pub lines_unparsed: ByFormat,
    /// What each pipeline does.
    pub pipelines: PipelineMetrics,
    /// Parts of docker lines that wait for the rest.
    pub partial_lines: Gauge,
    /// Lines emitted although a part never came, by reason (`timeout`, `memory`, …).
    pub partial_incomplete: ByReason,

    /// Connections open now.
    pub connections: Gauge,
    /// Connections accepted.
    pub connections_accepted: Counter,
    /// Connections refused or closed by us, by reason (`connections`, `idle_timeout`, `malformed`, …).
    pub connections_closed: ByReason,
    /// Bytes that frames take which are not taken yet.
    pub frames_bytes: Gauge,
    /// Bytes read from peers.
    pub bytes_received: Counter,
    /// Frames decoded, by mode.
    pub frames_received: ByKind,
    /// Frames or events that ran into a limit, by the limit's key.
    pub limits_exceeded: ByReason,
    /// Acks sent.
    pub acks_sent: Counter,
    /// Certificates and keys that changed while the daemon ran, by what became of them (`taken`, `refused`).
    pub tls_reloads: ByKind,
    /// The end of each listener's certificate, in seconds since 1970. There is none without TLS.
    pub tls_not_after: ByListener,
    /// UDP heartbeats answered.
    pub heartbeats_answered: Counter,
    /// Followed files.
    pub tails: TailsMetrics,

    /// Batches spilled, by reason (`pressure`, `age`, `stop`, `promise`).
    pub spills: ByReason,
    /// Bytes written to segments.
    pub spilled_bytes: Counter,
    /// Syncs of a segment to disk.
    pub syncs: Counter,
    /// What kept the buffer from writing to or reading from its disk, by kind (`create`, `write`, `sync`, `read`, `full`).
    pub disk_faults: ByKind,
    /// Records that recovery skipped, by reason (`torn`, `checksum`, …).
    pub recovery_skipped: ByReason,

    /// Bulk requests answered, by the answer's kind (`2xx`, `429`, `timeout`, …).
    pub bulk_requests: ByKind,
    /// How long a bulk request took, in seconds.
    pub bulk_seconds: Histogram,
    /// Bytes of bulk bodies sent, as on the wire.
    pub bulk_bytes: Counter,
    /// Documents sent again.
    pub retries: Counter,
    /// What went wrong with the target, by kind (`connect`, `dns`, `tls`, `auth`, `blocked`, …).
    pub errors: ByKind,
    /// Bulk requests that may be under way at once, as the target's answers have it.
    pub bulk_concurrency: Gauge,
    /// Documents written to the file output.
    pub file_documents: Counter,
    /// Bytes written to the file output, before compression.
    pub file_bytes: Counter,
}

/// Upper bounds, in seconds, of the buckets of `forebay_bulk_request_duration_seconds`.
const BULK_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

impl Metrics {
    /// All at zero, registered in `registry` under the names that the metrics page shows.
    pub fn new(registry: &mut Registry) -> Arc<Self> {
        let metrics = Self::unregistered();
        metrics.register_events(registry);
        metrics.register_input(registry);
        metrics.register_buffer(registry);
        metrics.register_output(registry);
        words::begin(&metrics);
        Arc::new(metrics)
    }

    fn unregistered() -> Self {
        Self {
            ledger: OnceLock::new(),
            events_received: Counter::default(),
            events_recovered: Counter::default(),
            events_indexed: Counter::default(),
            events_duplicate: Counter::default(),
            events_dead_letter: Counter::default(),
            letters_deleted: Counter::default(),
            events_healed: Family::default(),
            events_refused: Family::default(),
            events_dropped: Family::default(),
            books_off: Gauge::default(),
            dropped_by_tag: ByTag::default(),
            events_failure_store: Counter::default(),
            values_mended: Family::default(),
            lines_parsed: Family::default(),
            lines_unparsed: Family::default(),
            pipelines: PipelineMetrics::default(),
            partial_lines: Gauge::default(),
            partial_incomplete: Family::default(),
            connections: Gauge::default(),
            connections_accepted: Counter::default(),
            connections_closed: Family::default(),
            frames_bytes: Gauge::default(),
            bytes_received: Counter::default(),
            frames_received: Family::default(),
            limits_exceeded: Family::default(),
            acks_sent: Counter::default(),
            tls_reloads: Family::default(),
            tls_not_after: Family::default(),
            heartbeats_answered: Counter::default(),
            tails: TailsMetrics::default(),
            spills: Family::default(),
            spilled_bytes: Counter::default(),
            syncs: Counter::default(),
            disk_faults: Family::default(),
            recovery_skipped: Family::default(),
            bulk_requests: Family::default(),
            bulk_seconds: Histogram::new(BULK_BUCKETS),
            bulk_bytes: Counter::default(),
            retries: Counter::default(),
            errors: Family::default(),
            bulk_concurrency: Gauge::default(),
            file_documents: Counter::default(),
            file_bytes: Counter::default(),
        }
    }

    fn register_events(&self, r: &mut Registry) {
        r.register(
            "forebay_events_received",
            "Events whose document was written",
            self.events_received.clone(),
        );
        r.register(
            "forebay_events_recovered",
            "Events that a start found in the buffer on disk",
            self.events_recovered.clone(),
        );
        r.register("forebay_events_indexed", "Documents that the target took", self.events_indexed.clone());
        r.register(
            "forebay_events_duplicate",
            "Documents that the target had taken before",
            self.events_duplicate.clone(),
        );
        r.register(
            "forebay_events_dead_letter",
            "Documents that the target will never take, kept with the reason",
            self.events_dead_letter.clone(),
        );
        r.register("forebay_dead_letters_deleted", "Letters deleted for room", self.letters_deleted.clone());
        r.register(
            "forebay_events_healed",
            "Documents taken on a second try, with a field as text",
            self.events_healed.clone(),
        );
        r.register(
            "forebay_events_refused",
            "Events and frames that no rule can read, kept as dead letters",
            self.events_refused.clone(),
        );
        r.register("forebay_events_dropped", "Events given up", self.events_dropped.clone());
        r.register(
            "forebay_books_off_at_rest",
            "What the books were off by when nothing moved; anything but 0 is a bug",
            self.books_off.clone(),
        );
        r.register(
            "forebay_events_dropped_by_tag",
            "Events given up because the buffer was full, or ended by a pipeline's step, by tag",
            self.dropped_by_tag.family(),
        );
        r.register(
            "forebay_events_failure_store",
            "Documents that a data stream's failure store took",
            self.events_failure_store.clone(),
        );
        r.register(
            "forebay_values_mended",
            "Values and names changed so that the document can be stored",
            self.values_mended.clone(),
        );
        self.pipelines.register(r);
        r.register("forebay_lines_parsed", "Lines read", self.lines_parsed.clone());
        r.register("forebay_lines_unparsed", "Lines kept whole", self.lines_unparsed.clone());
        r.register(
            "forebay_partial_lines",
            "Docker lines of which parts wait for the rest",
            self.partial_lines.clone(),
        );
        r.register(
            "forebay_partial_incomplete",
            "Docker lines emitted without their last part",
            self.partial_incomplete.clone(),
        );
    }

    fn register_input(&self, r: &mut Registry) {
        r.register("forebay_connections", "Connections open now", self.connections.clone());
        r.register("forebay_connections_accepted", "Connections accepted", self.connections_accepted.clone());
        r.register(
            "forebay_connections_closed",
            "Connections refused or closed by the daemon",
            self.connections_closed.clone(),
        );
        r.register(
            "forebay_frames_memory_bytes",
            "Bytes that frames take on their way in",
            self.frames_bytes.clone(),
        );
        r.register("forebay_received_bytes", "Bytes read from peers", self.bytes_received.clone());
        r.register("forebay_frames_received", "Frames decoded", self.frames_received.clone());
        r.register(
            "forebay_limits_exceeded",
            "What ran into a limit, by its key",
            self.limits_exceeded.clone(),
        );
        r.register("forebay_acks_sent", "Acks sent", self.acks_sent.clone());
        r.register(
            "forebay_tls_reloads",
            "Changed certificates of listeners, by what became of them",
            self.tls_reloads.clone(),
        );
        r.register(
            "forebay_tls_certificate_expiry_timestamp_seconds",
            "When a listener's certificate ends",
            self.tls_not_after.clone(),
        );
        r.register(
            "forebay_heartbeats_answered",
            "UDP heartbeats answered",
            self.heartbeats_answered.clone(),
        );
        self.tails.register(r);
    }

    fn register_buffer(&self, r: &mut Registry) {
        r.register("forebay_buffer_spills", "Batches spilled to disk", self.spills.clone());
        r.register("forebay_buffer_spilled_bytes", "Bytes written to segments", self.spilled_bytes.clone());
        r.register("forebay_buffer_syncs", "Syncs of a segment to disk", self.syncs.clone());
        r.register(
            "forebay_buffer_disk_faults",
            "What kept the buffer from its disk",
            self.disk_faults.clone(),
        );
        r.register(
            "forebay_buffer_recovery_skipped",
            "Records that recovery could not use",
            self.recovery_skipped.clone(),
        );
    }

    fn register_output(&self, r: &mut Registry) {
        r.register("forebay_bulk_requests", "Bulk requests by answer", self.bulk_requests.clone());
        r.register(
            "forebay_bulk_request_duration_seconds",
            "How long a bulk request took",
            self.bulk_seconds.clone(),
        );
        r.register("forebay_bulk_request_bytes", "Bytes of bulk bodies sent", self.bulk_bytes.clone());
        r.register("forebay_bulk_retries", "Documents sent again", self.retries.clone());
        r.register("forebay_output_errors", "What went wrong with the target", self.errors.clone());
        r.register(
            "forebay_bulk_concurrency",
            "Bulk requests that may be under way at once",
            self.bulk_concurrency.clone(),
        );
        r.register(
            "forebay_file_documents",
            "Documents written to the file output",
            self.file_documents.clone(),
        );
        r.register("forebay_file_bytes", "Bytes written to the file output", self.file_bytes.clone());
    }
}
