//! What rotation makes of a log's name, and which of a log's files is the older: replays read them in this order, and a line that was cut by it
//! goes on in the next.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Packings as names end.
const PACKINGS: [&str; 8] = ["gz", "zst", "zstd", "bz2", "xz", "tgz", "tbz2", "txz"];

/// How old a rotated file is, the oldest least: by the date in its name, or by its number, which is the higher the older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    Dated(String),
    Numbered(Reverse<u64>),
    Current,
}

/// Whether it is a date or a time as names have them.
fn is_date(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"_TZ:".contains(&byte);
    text.len() >= 6 && text.starts_with(|first: char| first.is_ascii_digit()) && text.bytes().all(is_part)
}

/// The name that a log has without what rotation added to it, and how old that makes it.
pub(crate) fn rotation(path: &Path) -> (PathBuf, Age) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return (path.to_owned(), Age::Current);
    };
    let name = match name.rsplit_once('.') {
        Some((name, packing)) if PACKINGS.contains(&packing) => name,
        _ => name,
    };
    let (name, age) = match name.rsplit_once(['.', '-']) {
        Some((base, end)) if !base.is_empty() && is_date(end) => match base.rsplit_once(['.', '-']) {
            // As the kubelet has it: a day and a time of it.
            Some((shorter, day)) if !shorter.is_empty() && is_date(day) => {
                (shorter, Age::Dated(format!("{day}-{end}")))
            }
            _ => (base, Age::Dated(end.to_owned())),
        },
        Some((base, end)) if !base.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()) => {
            end.parse().map_or((name, Age::Current), |number| (base, Age::Numbered(Reverse(number))))
        }
        _ => (name, Age::Current),
    };
    (path.with_file_name(name), age)
}
