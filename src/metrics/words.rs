//! The words under which each labelled family counts, so that every series is on the page from the start, at 0.
//!
//! An alert on an increase does not see a counter that appears with its first event, and a dashboard cannot tell
//! "none" from "not there". A word that is missing here still counts; its series only begins later.

use super::{ByKind, ByReason, Metrics, kind, line_format, reason};

/// What a peer may exceed, by the keys in `forward.limits`.
const LIMITS: &[&str] = &[
    "frame_bytes",
    "decompressed_bytes",
    "decompression_ratio",
    "depth",
    "fields",
    "string_bytes",
    "skip_bytes",
    "tag_bytes",
    "connections",
    "connections_per_address",
    "handshake_timeout",
    "idle_timeout",
    "frame_timeout",
    "ack_timeout",
    "in_flight_bytes",
    "frames_memory",
];

/// Why the daemon refuses or closes a connection; `frame_bytes` and `skip_bytes` are limits that make a stream unreadable.
const CLOSED: &[&str] = &[
    "connections",
    "connections_per_address",
    "idle_timeout",
    "handshake_timeout",
    "frame_timeout",
    "ack_timeout",
    "frames_memory",
    "not_ping",
    "cut_off",
    "anonymous",
    "shared_key",
    "user",
    "deny_keepalive",
    "proxy_protocol",
    "malformed",
    "frame_bytes",
    "skip_bytes",
    "not_acked",
    "stop",
    "tls",
];

/// How a request fails without an answer that can be read.
const FAULTS: &[&str] = &["dns", "connect", "tls", "timeout", "reset", "unreadable"];

/// How a bulk request is answered.
const ANSWERS: &[&str] = &["2xx", "400", "401", "403", "404", "413", "429", "5xx", "other"];

/// What else goes wrong with the target, and with the files that stand in for it or beside it.
const TROUBLES: &[&str] = &[
    "status",
    "overload",
    "auth",
    "not_found",
    "blocked",
    "shards",
    "pipeline",
    "not_bulk",
    "other",
    "dead_letters",
    "file",
];

const MODES: &[&str] = &["message", "forward", "packed_forward", "compressed_packed_forward", "other_signal"];

/// Which steps of a pipeline end an event.
const STEPS: &[&str] = &["filtered", "sampled", "throttled", "deduplicated"];

/// Makes every series.
pub(super) fn begin(metrics: &Metrics) {
    reasons(&metrics.events_dropped, &["signal", "letter", "corrupt", "unreadable", "buffer_full"]);
    reasons(&metrics.events_dropped, STEPS);
    ["buffer_full"].iter().chain(STEPS).for_each(|word| metrics.dropped_by_tag.begin(word));
    reasons(&metrics.events_refused, &["limit", "unreadable", "unexpected"]);
    // A page is not to have a line for each format that nobody uses.
    drop(line_format(&metrics.lines_parsed, "json"));
    drop(line_format(&metrics.lines_unparsed, "json"));
    // That of the defaults; the others begin when the daemon knows them.
    metrics.pipelines.begin("**", std::iter::empty());
    reasons(&metrics.partial_incomplete, &["timeout", "memory", "line_bytes"]);
    reasons(&metrics.connections_closed, CLOSED);
    reasons(&metrics.limits_exceeded, LIMITS);
    reasons(&metrics.spills, &["pressure", "age", "stop", "promise"]);
    reasons(&metrics.recovery_skipped, &["torn", "checksum", "malformed", "header"]);
    kinds(&metrics.events_healed, &["field", "overflow"]);
    kinds(&metrics.values_mended, &["invalid_utf8", "not_finite", "too_deep", "time", "tag"]);
    kinds(&metrics.frames_received, MODES);
    kinds(&metrics.tls_reloads, &["taken", "refused"]);
    kinds(&metrics.disk_faults, &["create", "write", "sync", "read", "full"]);
    kinds(&metrics.bulk_requests, ANSWERS);
    kinds(&metrics.bulk_requests, FAULTS);
    kinds(&metrics.errors, FAULTS);
    kinds(&metrics.errors, TROUBLES);
}

fn reasons(family: &ByReason, words: &[&'static str]) {
    words.iter().for_each(|word| drop(reason(family, word)));
}

fn kinds(family: &ByKind, words: &[&'static str]) {
    words.iter().for_each(|word| drop(kind(family, word)));
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn every_family_is_on_the_page_before_anything_is_counted() {
        let mut registry = Registry::default();
        let _metrics = Metrics::new(&mut registry);
        let mut page = String::new();
        text::encode(&mut page, &registry).expect("a page");
        for family in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = family.split(' ').next().expect("a name");
            let is_zero = |line: &str| line.ends_with(" 0") || line.ends_with(" 0.0");
            let is_sample = |line: &&str| line.starts_with(name) && is_zero(line);
            assert!(page.lines().any(|line| is_sample(&line)), "{name} has no sample at 0 in\n{page}");
        }
        for series in [
            "forebay_events_dropped_total{reason=\"corrupt\"} 0",
            "forebay_bulk_requests_total{kind=\"429\"} 0",
            "forebay_output_errors_total{kind=\"blocked\"} 0",
        ] {
            assert!(page.lines().any(|line| line == series), "{series} in\n{page}");
        }
    }
}
