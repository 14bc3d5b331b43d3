//! Keys of which there is one for all: the buffer, files, and what has to fit together in the end.

use super::draft::Draft;
use super::section::Section;
use super::words::{quote, size, time};
use crate::units::ByteSize;

/// The smallest disk share that holds one segment of the default size, and the largest batch that memory holds.
const LEAST_DISK: ByteSize = ByteSize::mib(64);
const LARGEST_BATCH: ByteSize = ByteSize::mib(64);

/// Keys of a buffer that need nothing here.
pub(super) const NEEDLESS: &[&str] = &[
    "@type",
    "path",
    "flush_mode",
    "retry_forever",
    "retry_type",
    "retry_timeout",
    "retry_max_times",
    "timekey",
    "timekey_wait",
    "timekey_use_utc",
    "timekey_zone",
    "compress",
    "flush_at_shutdown",
    "flush_thread_interval",
    "flush_thread_burst_interval",
    "delayed_commit_timeout",
    "chunk_limit_records",
    "chunk_full_threshold",
    "queue_limit_length",
    "queued_chunks_limit_size",
    "disable_chunk_backup",
    "retry_exponential_backoff_base",
    "retry_randomize",
    "@id",
    "@log_level",
];

/// The keys of a `<buffer>`, or of an output that has them itself; sizes are of `base`.
pub(super) fn buffer(section: &mut Section, base: u64, draft: &mut Draft) {
    if let Some(entry) = section.take(&["total_limit_size", "storage.total_limit_size"]) {
        match size(&entry.value, base) {
            Some(disk) if disk >= LEAST_DISK => {
                draft.set("buffer", "disk", quote(&disk.to_string()), entry.from())
            }
            Some(_) => draft.leave(entry.from(), "the buffer on disk takes segments of 64MiB"),
            None => draft.leave(entry.from(), "it is no size"),
        }
    }
    if let Some(entry) = section.take(&["chunk_limit_size", "buffer_chunk_limit"]) {
        match size(&entry.value, base) {
            Some(bytes) if (ByteSize::kib(1)..=LARGEST_BATCH).contains(&bytes) => {
                draft.set("buffer", "batch_bytes", quote(&bytes.to_string()), entry.from());
            }
            _ => draft.leave(entry.from(), "a batch has from 1KiB up to the memory of the buffer, 64MiB"),
        }
    }
    for (name, table, key) in [
        ("flush_interval", "buffer", "batch_age"),
        ("retry_wait", "elasticsearch", "retry_min"),
        ("retry_max_interval", "elasticsearch", "retry_max"),
    ] {
        let Some(entry) = section.take(&[name]) else { continue };
        match time(&entry.value) {
            Some(value) => draft.set(table, key, quote(&value), entry.from()),
            None => draft.leave(entry.from(), "it is no time"),
        }
    }
    threads(section, draft);
    overflow(section, draft);
    section.pass_over(NEEDLESS);
}

fn threads(section: &mut Section, draft: &mut Draft) {
    let Some(entry) = section.take(&["flush_thread_count"]) else { return };
    if entry.value.parse::<u32>().is_ok_and(|threads| threads > 0) {
        draft.set("elasticsearch", "max_concurrency", entry.value.clone(), entry.from());
    }
}

/// What happens when it is full. An exception is an error that the sender meets: it has to wait as well.
fn overflow(section: &mut Section, draft: &mut Draft) {
    let Some(entry) = section.take(&["overflow_action"]) else { return };
    match entry.value.as_str() {
        "drop_oldest_chunk" => draft.set("buffer", "when_full", quote("drop_oldest"), entry.from()),
        "block" | "throw_exception" => draft.set("buffer", "when_full", quote("wait"), entry.from()),
        _ => draft.leave(entry.from(), "it is no overflow_action"),
    }
}

/// A `file` output: where no Elasticsearch is, files are written.
pub(super) fn file(output: &mut Section, draft: &mut Draft) {
    if let Some(path) = output.take(&["path"]) {
        let fixed = path.value.split(['%', '$', '#', '*']).next().unwrap_or_default();
        let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = if fixed == path.value && !fixed.contains('.') { fixed } else { folder };
        if !folder.is_empty() {
            draft.set("file", "directory", quote(folder), path.from());
        }
        draft.leave(path.from(), "files are NDJSON of all tags, with names of Forebay's own");
    }
    if let Some(compress) = output.take(&["compress"]).filter(|compress| compress.value == "gzip") {
        draft.set("file", "compression", quote("gzip"), compress.from());
    }
    output.pass_over(&[
        "append",
        "file",
        "mkdir",
        "format",
        "symlink_path",
        "match",
        "name",
        "@id",
        "add_path_suffix",
    ]);
}

/// What cannot stand side by side in the end.
pub(super) fn settle(draft: &mut Draft) {
    if draft.has("elasticsearch", "hosts")
        && let Some(lines) = draft.tables.remove("file")
    {
        let from = lines.first().map(|line| line.from.clone()).unwrap_or_default();
        draft.leave(from, "documents go to Elasticsearch or to files, not to both");
    }
    let value = |draft: &Draft, key: &str| {
        let lines = draft.tables.get("elasticsearch")?;
        crate::config::duration(lines.iter().find(|line| line.key == key)?.value.trim_matches('"')).ok()
    };
    let defaults = crate::output::ElasticsearchOptions::default();
    let least = value(draft, "retry_min").unwrap_or(defaults.retry_min);
    let most = value(draft, "retry_max").unwrap_or(defaults.retry_max);
    if least > most
        && let Some(lines) = draft.tables.get_mut("elasticsearch")
    {
        lines.retain(|line| line.key != "retry_min" && line.key != "retry_max");
        draft.leave("retry_wait", "it is longer than the longest pause, retry_max");
    }
}
