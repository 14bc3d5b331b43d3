//! A file's name without what rotation and packing add to it.

/// Endings that say how a file is packed or written, not what is in it.
const ENDINGS: [&str; 23] = [
    "gz", "gzip", "tgz", "zst", "zstd", "bz2", "tbz2", "xz", "txz", "tar", "log", "txt", "out", "json",
    "jsonl", "ndjson", "csv", "bulk", "flb", "old", "bak", "orig", "current",
];

/// What stands between a name, its dates and its numbers.
const MARKS: [char; 3] = ['.', '-', '_'];

/// `app` of `app.log.2.gz`, `app-2026-05-04.log` and `app.log-20260504.zst`; never empty.
pub(crate) fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some(shorter) = shortened(stem).filter(|shorter| !shorter.is_empty()) {
        stem = shorter;
    }
    if stem.is_empty() { "file" } else { stem }
}

/// The name without its last ending, number, date or time of day.
fn shortened(name: &str) -> Option<&str> {
    let (front, ending) = name.rsplit_once('.').unwrap_or_default();
    if ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
        return Some(front);
    }
    let at = name.rfind(MARKS)?;
    let (front, last) = (name.get(..at)?, name.get(at + 1..)?);
    let is_count = !last.is_empty() && last.len() <= 3 && is_number(last) && name.get(at..)?.starts_with('.');
    if is_count || is_stamp(last) {
        return Some(front);
    }
    without_date(name)
}

/// A date or a time in one: `20260504`, `20260504T091231Z`, `1777885951`; or what a fraction of a second is.
fn is_stamp(part: &str) -> bool {
    let (part, is_utc) = part.strip_suffix('Z').map_or((part, false), |part| (part, true));
    if is_utc && part.len() >= 3 && is_number(part) {
        return true;
    }
    let (date, time) = part.split_once('T').unwrap_or((part, ""));
    date.len() >= 8 && is_number(date) && (time.is_empty() || is_number(time))
}

/// The name without the date that it ends with, `YYYY-MM-DD` with any marks, and the time behind it.
fn without_date(name: &str) -> Option<&str> {
    let mut starts = name.match_indices(MARKS).map(|(at, _)| at);
    starts.find_map(|at| is_date(name.get(at + 1..)?).then(|| name.get(..at)).flatten())
}

/// `YYYY-MM-DD`, and no more than digits, marks and letters of a time behind it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, MARKS);
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (day, time) = rest.split_at_checked(2).unwrap_or((rest, ""));
    let is_time =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_' | b'T' | b'Z' | b':' | b'+');
    (year.len(), month.len()) == (4, 2)
        && [year, month, day].into_iter().all(is_number)
        && day.len() == 2
        && time.bytes().all(is_time)
        && !time.starts_with(|first: char| first.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_packing_and_dates_are_no_part_of_a_name() {
        for (name, expected) in [
            ("app.log", "app"),
            ("app.log.2.gz", "app"),
            ("app.2.log.zst", "app"),
            ("app-2026-05-04.log", "app"),
            ("app.2026-05-04.3.log.gz", "app"),
            ("app.log-20260504.xz", "app"),
            ("app_2026_05_04T09-12-31Z.txt", "app"),
            ("app.log.2026-05-04-09", "app"),
            ("documents-20260504T091231.482519Z.ndjson.zst", "documents"),
            ("syslog.1", "syslog"),
            ("catalina.out", "catalina"),
            ("localhost_access_log.2026-05-04.txt", "localhost_access_log"),
            ("ml-api-1.log", "ml-api-1"),
            ("node-18.log", "node-18"),
            ("web.example.org.access.log", "web.example.org.access"),
            ("app", "app"),
            ("error.err", "error.err"),
            ("app.tar.GZ", "app"),
        ] {
            assert_eq!(stem(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_of_nothing_else_keeps_what_it_has() {
        for (name, expected) in [
            ("", "file"),
            ("log", "log"),
            (".log", ".log"),
            ("20260504.log", "20260504"),
            ("2026-05-04.gz", "2026-05-04"),
            ("ä.1", "ä"),
        ] {
            assert_eq!(stem(name), expected, "{name}");
        }
    }
}
