//! Bulk bodies in, Elasticsearch's answers out, as cheaply as both can be told.
//!
//! Invariants: a body that is not pairs of lines is refused whole and nothing of it is counted; an answer has
//! one item for each action, in order, and only what the request's `filter_path` lets through.

use memchr::{memchr, memchr_iter, memmem};

use crate::frames::{DIGITS, MARK};
use crate::tally::Tally;

const CREATED: &[u8] = b"{\"create\":{\"status\":201}},";
const INDEXED: &[u8] = b"{\"index\":{\"status\":201}},";

/// What one connection needs to read bodies.
pub(crate) struct Reader {
    mark: memmem::Finder<'static>,
}

impl Reader {
    /// A reader.
    pub(crate) fn new() -> Self {
        Self { mark: memmem::Finder::new(MARK) }
    }

    /// Counts the documents of `body` and writes the answer that `filters` asks for; false if it is no bulk body.
    pub(crate) fn read(&self, body: &[u8], filters: &[String], tally: &Tally, answer: &mut Vec<u8>) -> bool {
        let lines = memchr_iter(b'\n', body).count();
        if lines == 0 || !lines.is_multiple_of(2) || body.last() != Some(&b'\n') {
            return false;
        }
        let wants = |path: &[&str]| filters.is_empty() || filters.iter().any(|filter| passes(filter, path));
        let statuses = wants(&["items", "create", "status"]);
        open(answer, wants(&["took"]), wants(&["errors"]), statuses);
        let mut ticks = tally.ticks();
        let mut rest = body;
        while let Some((action, document, after)) = pair(rest) {
            ticks.tick(self.number(document));
            if statuses {
                answer.extend_from_slice(if action.starts_with(b"{\"create\"") { CREATED } else { INDEXED });
            }
            rest = after;
        }
        close(answer, statuses);
        true
    }

    /// The sequence number of a document.
    pub(crate) fn number(&self, document: &[u8]) -> Option<u64> {
        let at = self.mark.find(document)? + MARK.len();
        document.get(at..at + DIGITS)?.iter().try_fold(0, |number: u64, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
        })
    }
}

/// An action line, its document line, and what follows.
pub(crate) fn pair(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (action, rest) = line(rest)?;
    let (document, rest) = line(rest)?;
    Some((action, document, rest))
}

fn line(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', rest)?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

fn open(answer: &mut Vec<u8>, took: bool, errors: bool, items: bool) {
    answer.push(b'{');
    let parts: [(bool, &[u8]); 3] =
        [(took, b"\"took\":1,"), (errors, b"\"errors\":false,"), (items, b"\"items\":[")];
    for (_, part) in parts.iter().filter(|(wanted, _)| *wanted) {
        answer.extend_from_slice(part);
    }
}

fn close(answer: &mut Vec<u8>, items: bool) {
    if answer.last() == Some(&b',') {
        answer.pop();
    }
    answer.extend_from_slice(if items { b"]}" } else { b"}" });
}

/// Whether a `filter_path` lets the value at `path` through: `*` is any one name or part of it, `**` any names,
/// and a filter that ends early takes all below it.
fn passes(filter: &str, path: &[&str]) -> bool {
    let names: Vec<&str> = filter.split('.').collect();
    walk(&names, path)
}

fn walk(filter: &[&str], path: &[&str]) -> bool {
    match (filter.split_first(), path.split_first()) {
        (None, _) => true,
        (Some((&"**", rest)), Some((_, below))) => walk(rest, path) || walk(filter, below),
        (Some((name, rest)), Some((here, below))) => fits(name, here) && walk(rest, below),
        (Some(_), None) => false,
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() + 1 >= pattern.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// The `filter_path` of a request's query, decoded.
pub(crate) fn filters(query: &str) -> Vec<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("filter_path="));
    let decoded = value
        .unwrap_or_default()
        .replace("%2C", ",")
        .replace("%2c", ",")
        .replace("%2A", "*")
        .replace("%2a", "*");
    decoded.split(',').filter(|filter| !filter.is_empty()).map(str::to_owned).collect()
}

/// Answers to all that is not a bulk request: a cluster that is well, has no templates, and takes every one.
pub(crate) fn other(method: &str, path: &str, answer: &mut Vec<u8>) -> &'static str {
    let (status, text) = match (method, path) {
        ("PUT" | "DELETE", _) => ("200 OK", "{\"acknowledged\":true}"),
        (_, "/_index_template") => ("200 OK", "{\"index_templates\":[]}"),
        (_, "/_cluster/health") => {
            ("200 OK", "{\"cluster_name\":\"bench\",\"status\":\"green\",\"number_of_nodes\":1}")
        }
        (_, path) if path.starts_with("/_index_template/_simulate") => {
            ("200 OK", "{\"template\":{\"settings\":{},\"mappings\":{},\"aliases\":{}},\"overlapping\":[]}")
        }
        (_, path) if path.starts_with("/_index_template/") || path.starts_with("/_data_stream/") => (
            "404 Not Found",
            "{\"error\":{\"type\":\"resource_not_found_exception\",\"reason\":\"not found\"},\"status\":404}",
        ),
        _ => (
            "200 OK",
            "{\"name\":\"bench\",\"cluster_name\":\"bench\",\"version\":{\"number\":\"8.11.0\"},\"tagline\":\"You Know, for Search\"}",
        ),
    };
    answer.extend_from_slice(text.as_bytes());
    status
}
