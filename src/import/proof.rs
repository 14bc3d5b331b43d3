//! What is printed is read back; what Forebay would refuse of it is left out, and told with the reason.
//!
//! The other program's values are carried as they stand, and most that it would refuse itself would be refused here: a mode
//! that is no number, an address that is none. Nothing becomes more open by what is left out: a listener goes as a whole, with
//! its keys and users, and a step with its condition.

use std::ops::Range;

use super::draft::Left;
use super::render::Page;
use crate::config::{self, Fault, Faults};

/// Takes out of `page` what Forebay refuses, but for files that only this host does not have.
pub(super) fn settle(page: &mut Page) -> Vec<Left> {
    let mut left = Vec::new();
    loop {
        let read = config::read(&page.text(), "");
        let faults = read.as_ref().err().into_iter().flat_map(Faults::iter);
        let mut faults: Vec<(usize, &Fault)> = faults
            .filter(|fault| !fault.is_of_this_host())
            .filter_map(|fault| Some((fault.line()?.checked_sub(1)?, fault)))
            .collect();
        // From the last to the first, so that those before keep their places.
        faults.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let (mut end, mut is_settled) = (page.0.len(), true);
        for (at, fault) in faults {
            let part = part(page, at);
            if at >= end || part.end > end {
                continue;
            }
            let what = page.0.get(at).map(|line| line.from.clone()).unwrap_or_default();
            left.push(Left { what, why: format!("Forebay would refuse it: {}", fault.why()) });
            page.0.drain(part.clone());
            (end, is_settled) = (part.start, false);
        }
        if is_settled {
            return left;
        }
    }
}

/// What goes with the line at `at`.
fn part(page: &Page, at: usize) -> Range<usize> {
    let text = |at: usize| page.0.get(at).map_or("", |line| line.text.as_str());
    let is_head = |at: &usize| text(*at).starts_with('[');
    let head = (0..=at).rev().find(is_head);
    let Some(head) = head else { return at..at + 1 };
    let end_of = |begins: fn(&str) -> bool| {
        let is_end = |next: &usize| text(*next).starts_with('#') || (is_head(next) && !begins(text(*next)));
        let end = (head + 1..page.0.len()).find(is_end);
        // The blank line before a head goes with it.
        end.map_or(page.0.len(), |end| end - 1)
    };
    let name = text(head).trim_start_matches('[');
    let is_whole = head == at || name.starts_with("format.") || name.starts_with("pipeline.step");
    if name.starts_with("forward") {
        let is_begin = |at: &usize| text(*at).starts_with("[[forward]]");
        let begin = (0..=head).rev().find(is_begin).unwrap_or(head);
        return begin.saturating_sub(1)..end_of(|text| text.trim_start_matches('[').starts_with("forward."));
    }
    if name.starts_with("pipeline]") && (head == at || text(at).starts_with("match = ")) {
        return head.saturating_sub(1)..end_of(|text| text.starts_with("[[pipeline.step]]"));
    }
    if is_whole { head.saturating_sub(1)..end_of(|_| false) } else { at..at + 1 }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::import::{Imported, import};

    fn imported(text: &str) -> Imported {
        import(text, Path::new("fluent-bit.conf")).expect("a configuration")
    }

    #[test]
    fn a_value_that_would_be_refused_is_left_out_and_told_with_its_line() {
        let Imported { text, left } =
            imported("[SERVICE]\nHTTP_Server On\nHTTP_Listen a:b\n[OUTPUT]\nName es\nMatch *\nHost a\n");
        assert!(text.contains("hosts = [\"http://a:9200\"]") && !text.contains("listen = "), "{text}");
        assert!(left[0].starts_with("fluent-bit.conf:"), "{left:?}");
        assert!(left.iter().any(|left| left.contains("Forebay would refuse it: ")), "{left:?}");
    }

    #[test]
    fn a_listener_with_a_key_that_would_be_refused_goes_as_a_whole_with_its_security() {
        let input =
            "[INPUT]\nName forward\nUnix_Path /run/a\nUnix_Perm 0659\nShared_Key k\nSelf_Hostname h\n";
        let Imported { text, left } = imported(&format!("{input}[OUTPUT]\nName null\nMatch *\n"));
        assert!(
            !text.contains("[[forward") && !text.contains("shared_key") && text.contains("drop"),
            "{text}"
        );
        assert!(left.iter().any(|left| left.contains("not a mode in octal")), "{left:?}");
    }
}
