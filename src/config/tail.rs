//! `[[tail]]`: files that are followed.

use super::checks::{self, Checked};
use super::section::Section;
use super::tables::MOMENT;
use crate::input::tail::{TailOptions, check_excluded, check_paths, check_tag, tells_files_apart};
use crate::units::ByteSize;

/// Reads or prints one table.
pub(super) fn tail(section: &mut Section<'_>, options: &mut TailOptions) {
    section.checked("paths", &mut options.paths, paths);
    section.checked("exclude", &mut options.exclude, excluded);
    section.checked("tag", &mut options.tag, tag);
    section.checked("path_field", &mut options.path_field, path_field);
    section.key("start", &mut options.start);
    section.key("encoding", &mut options.encoding);
    section.checked("line_bytes", &mut options.line_bytes, checks::at_least(ByteSize::kib(1)));
    section.checked("poll", &mut options.poll, checks::at_least(MOMENT));
    section.key("rotate_wait", &mut options.rotate_wait);
    section.checked("close_idle", &mut options.close_idle, checks::at_least(MOMENT));
    if options.paths.is_empty() && !section.has("paths") {
        section
            .refuse(&["paths"], "is missing: patterns of files to follow, such as [\"/var/log/app/*.log\"]");
    }
    if options.path_field.is_empty() && !tells_files_apart(&options.tag) {
        let why = "is empty, and lines of two files could not be told apart any more where they are put together; \
                   take a tag with {path} in it, or drop the field with a step";
        section.refuse(&["path_field"], why);
    }
}

fn paths(paths: &[String]) -> Checked {
    if paths.is_empty() { Err("names no file".into()) } else { check_paths(paths) }
}

fn excluded(patterns: &[String]) -> Checked {
    check_excluded(patterns)
}

fn tag(tag: &str) -> Checked {
    check_tag(tag)
}

fn path_field(name: &str) -> Checked {
    match name {
        "log" | "source" | "stream" | "@timestamp" => {
            Err(format!("`{name}` is another field of a line; choose another name"))
        }
        _ => Ok(()),
    }
}
