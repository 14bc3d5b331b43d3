//! Files that are followed: `tail` of both programs becomes `[[tail]]`. How their lines are read and joined a pipeline says, and
//! is told, but for those of containers, which come out of their wrapping by themselves.

use super::draft::{Draft, Table};
use super::section::{Entry, Section};
use super::words::{list, quote, time};

/// Keys of the other program's own insides.
const NEEDLESS: &[&str] = &[
    "@id",
    "@log_level",
    "alias",
    "log_level",
    "pos_file",
    "pos_file_compaction_interval",
    "refresh_interval",
    "enable_watch_timer",
    "enable_stat_watcher",
    "follow_inodes",
    "read_lines_limit",
    "read_bytes_limit_per_second",
    "open_on_every_update",
    "emit_unmatched_lines",
    "ignore_repeated_permission_error",
    "skip_refresh_on_startup",
    "db",
    "db.sync",
    "db.locking",
    "db.journal_mode",
    "mem_buf_limit",
    "storage.type",
    "threaded",
    "skip_empty_lines",
    "skip_long_lines",
    "buffer_chunk_size",
    "buffer_max_size",
    "inotify_watcher",
    "static_batch_size",
    "docker_mode",
    "docker_mode_flush",
];

/// Carries the files over, if it is known which they are.
pub(super) fn tail(mut source: Section, draft: &mut Draft) {
    let mut table = Table::new("[[tail]]", source.from());
    let Some(path) = source.take(&["path"]) else {
        draft.leave(source.from(), "it names no file");
        return;
    };
    if path.value.contains(['%', '#', '$']) {
        draft.leave(
            path.from(),
            "which files it means is known where it runs: write a [[tail]] with `*` in `paths`",
        );
        return;
    }
    table.push("paths", list(&names(&path)), path.from());
    if let Some(exclude) = source.take(&["exclude_path"]) {
        table.push("exclude", list(&names(&exclude)), exclude.from());
    }
    let tag = source.take(&["tag"]);
    let tells_apart = tag.as_ref().is_some_and(|tag| tag.value.contains('*'));
    if let Some(tag) = tag {
        table.push("tag", quote(&tag.value.replace('*', "{path}")), tag.from());
    }
    match source.take(&["path_key"]) {
        Some(key) => table.push("path_field", quote(&key.value), key.from()),
        None if tells_apart => table.push("path_field", quote(""), "the path was in no field".into()),
        None => {}
    }
    if !source.take_truth(&["read_from_head"]).unwrap_or(false) {
        table.push("start", quote("end"), "lines that were there before were not read".into());
    }
    let wait = source.take(&["rotate_wait"]);
    if let Some((value, wait)) = wait.and_then(|wait| Some((time(&wait.value)?, wait))) {
        table.push("rotate_wait", quote(&value), wait.from());
    }
    lines(&mut source, is_of_containers(&path.value), draft);
    source.pass_over(NEEDLESS);
    draft.leave_rest(&source);
    draft.listeners.push(vec![table]);
}

fn is_of_containers(path: &str) -> bool {
    ["/log/containers/", "/log/pods/", "/docker/containers/"].iter().any(|folder| path.contains(folder))
}

/// How lines are read and joined.
fn lines(source: &mut Section, is_wrapped: bool, draft: &mut Draft) {
    let parsers: Vec<Entry> = ["parser", "format", "multiline.parser", "multiline", "parser_firstline"]
        .iter()
        .flat_map(|key| source.take_all(key))
        .collect();
    let told = parsers.iter().filter(|parser| !is_needless(&parser.value)).map(Entry::from);
    let mut parses = source.take_sections("parse");
    parses.retain(|parse| parse.value("@type").is_none_or(|kind| kind != "none"));
    let told: Vec<String> = told.chain(parses.iter().map(Section::from)).collect();
    source.entries.retain(|entry| !is_of_parser(&entry.key));
    if is_wrapped {
        return;
    }
    for from in told {
        draft.leave(
            from,
            "how its lines are read or joined: set `parse`, or `multiline`, in the pipeline of its tag",
        );
    }
}

/// Whether a key says more of a format that is told as a whole.
fn is_of_parser(key: &str) -> bool {
    let is_numbered =
        key.strip_prefix("format").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let more = ["time_key", "time_format", "keep_time_key", "format_firstline", "multiline_flush_interval"];
    is_numbered || more.contains(&key)
}

/// Whether nothing is read by it that Forebay does not read by itself.
fn is_needless(parsers: &str) -> bool {
    parsers
        .split(',')
        .all(|one| ["none", "docker", "cri", "off"].contains(&one.trim().to_ascii_lowercase().as_str()))
}

/// A text with commas, or an array.
fn names(entry: &Entry) -> Vec<String> {
    let bare = entry.value.trim().trim_start_matches('[').trim_end_matches(']');
    let names = bare.split(',').map(|name| name.trim().trim_matches(['"', '\'']).to_owned());
    names.filter(|name| !name.is_empty()).collect()
}
