//! Lines of PostgreSQL's log that may go on: a query is printed as it was sent, and each further line of it behind a tab.

use super::look::contains;

/// Parts of an event that are a query, or may have one in them.
const PARTS: [&[u8]; 5] = [b"STATEMENT", b"DETAIL", b"HINT", b"QUERY", b"CONTEXT"];

/// Whether a line with a time as PostgreSQL prints it is of a query. Those that begin so and are of others are told by a few bytes.
pub(super) fn may_go_on(line: &[u8]) -> bool {
    let [_, _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _, rest @ ..] = line else {
        return false;
    };
    let zone = match rest {
        [b'.', _, _, _, zone @ ..] => zone,
        zone => zone,
    };
    matches!(zone, [b' ', b'A'..=b'Z' | b'+' | b'-', ..]) && is_query(zone)
}

fn is_query(rest: &[u8]) -> bool {
    let Some(colon) = memchr::memmem::find(rest, b":  ") else { return false };
    let (Some(head), Some(message)) = (rest.get(..colon), rest.get(colon..)) else { return false };
    let begin = head.iter().rposition(|byte| !byte.is_ascii_uppercase()).map_or(0, |before| before + 1);
    match head.get(begin..) {
        Some(b"LOG") => [&b"statement: "[..], b"execute "].iter().any(|word| contains(message, word)),
        Some(severity) => PARTS.contains(&severity),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_go_on_and_other_lines_do_not() {
        for line in [
            "2026-11-28 12:20:14.123 CET [7] STATEMENT:  select",
            "2026-11-28 12:20:14 UTC [7-1] app@shop LOG:  duration: 0.1 ms  execute <unnamed>: select",
            "2026-11-28 12:20:14 UTC:10.0.0.1(5000):a@b:[7]:DETAIL:  x",
        ] {
            assert!(may_go_on(line.as_bytes()), "{line}");
        }
        for line in [
            "",
            "2026-11-28 12:20:14.123",
            "2026-11-28 12:20:14.123 CET [7] LOG:  database system is ready",
            "2026-11-28 12:20:14.123 CET [7] STATEMENT: one blank",
            "2026-11-28 12:20:14,123 INFO x: STATEMENT:  y",
            "2026-11-28T12:20:14.123 CET [7] STATEMENT:  select",
        ] {
            assert!(!may_go_on(line.as_bytes()), "{line}");
        }
    }
}
