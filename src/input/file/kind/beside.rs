//! Files that are no source by themselves, told by their names: what they say is in another, or is about another.

use std::ffi::OsStr;
use std::path::Path;

use crate::input::file::fluentd::ChunkName;

/// What the file at `path` is beside another; nothing where it is a source.
pub(super) fn of(path: &Path) -> Option<&'static str> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    let folder = path.parent().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    if let Some(chunk) = name.strip_suffix(".meta")
        && ChunkName::of(chunk).is_some()
    {
        return Some("metadata of a fluentd chunk");
    }
    match name.rsplit_once('.') {
        Some((number, "done" | "idx")) if is_number(number, 20) => return Some("marks of a segment"),
        Some((letters, "settled")) if letters.starts_with("dead-letters-") => {
            return Some("marks of dead letters");
        }
        _ => (),
    }
    let is_docker = is_hexadecimal(folder, 64)
        && matches!(
            name,
            "config.v2.json" | "hostconfig.json" | "hostname" | "hosts" | "resolv.conf" | "resolv.conf.hash"
        );
    is_docker.then_some("configuration of a container")
}

fn is_number(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
