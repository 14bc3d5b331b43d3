//! Field names as Elasticsearch takes them.
//!
//! The rule, applied to every name at every level: blank parts between dots vanish (so leading, trailing and
//! double dots do), a name of nothing else is `empty`, a name over [`MAX_BYTES`] is cut, and dots that would make objects deeper
//! than [`MAX_DEPTH`] become `_`. At the root, a name whose first part Elasticsearch keeps for itself (`_id`, `_source`, …)
//! gets `field` in front: `_id` is stored as `field_id`. Elasticsearch would refuse the whole document otherwise.

use std::borrow::Cow;

use super::{Name, words};

/// Objects inside one another, the root included, that an index takes (`index.mapping.depth.limit`).
pub const MAX_DEPTH: usize = 20;

/// Bytes of a name; Lucene's own limit on a term is 32,766.
pub(super) const MAX_BYTES: usize = 512;

/// Names that Elasticsearch or OpenSearch, of any version from 7 on, keeps for itself at the root.
const METADATA: [&str; 22] = [
    "_all",
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_inference_fields",
    "_nested_path",
    "_parent",
    "_primary_term",
    "_routing",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_tsid",
    "_type",
    "_uid",
    "_version",
];

/// The legal form of `name` for an object at `depth` (the root is 1); borrowed when there is nothing to mend.
#[inline]
pub(crate) fn legal<'n>(name: impl Into<Cow<'n, str>>, depth: usize) -> Name<'n> {
    match name.into() {
        Cow::Borrowed(name) => Name::plain(name).unwrap_or_else(|| legal_unless_plain(name.into(), depth)),
        Cow::Owned(name) => legal_unless_plain(name.into(), depth),
    }
}

/// As [`legal`], of a name that is known not to be plain.
pub(crate) fn legal_unless_plain(name: Cow<'_, str>, depth: usize) -> Name<'_> {
    match if is_dotted(name.as_bytes(), depth) { name } else { mend(name, depth) } {
        Cow::Borrowed(name) => Name::any(name),
        Cow::Owned(name) => name.into(),
    }
}

/// The legal form of bytes that may not be UTF-8.
pub(crate) fn legal_bytes(name: &[u8], depth: usize) -> Name<'_> {
    if let Some(name) = Name::plain_bytes(name) {
        return name;
    }
    match simdutf8::basic::from_utf8(name) {
        Ok(name) => legal_unless_plain(name.into(), depth),
        Err(_) => legal(String::from_utf8_lossy(name), depth).into_owned().into(),
    }
}

/// Whether the name, which may have dots, surely is legal: none of them has nothing on one side.
fn is_dotted(name: &[u8], depth: usize) -> bool {
    let unusual = |word| words::below(word, b'!') | words::not_ascii(word);
    if name.first() == Some(&b'_') || name.len() > MAX_BYTES || words::any(name, unusual) {
        return false;
    }
    let (mut part, mut depth) = (name, depth);
    while let Some(dot) = words::find(part, |word| words::equal(word, b'.')) {
        depth += 1;
        if dot == 0 || depth > MAX_DEPTH {
            return false;
        }
        part = part.get(dot + 1..).unwrap_or_default();
    }
    !part.is_empty()
}

fn mend(name: Cow<'_, str>, depth: usize) -> Cow<'_, str> {
    let name = if name.len() > MAX_BYTES { Cow::Owned(cut(&name).to_owned()) } else { name };
    let blank = name.split('.').any(is_blank);
    let name = if blank { Cow::Owned(without_blank_parts(&name)) } else { name };
    let dots = memchr::memchr_iter(b'.', name.as_bytes()).count();
    let name = if depth + dots > MAX_DEPTH { Cow::Owned(name.replace('.', "_")) } else { name };
    if depth == 1 && is_metadata(&name) { Cow::Owned(format!("field{name}")) } else { name }
}

/// Whether there is nothing but what Rust or Java calls white space.
fn is_blank(part: &str) -> bool {
    part.chars().all(|character| character.is_whitespace() || matches!(character, '\x1c'..='\x1f'))
}

fn without_blank_parts(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').filter(|part| !is_blank(part)).collect();
    if parts.is_empty() { "empty".to_owned() } else { parts.join(".") }
}

fn cut(name: &str) -> &str {
    let end = (0..=MAX_BYTES).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

fn is_metadata(name: &str) -> bool {
    name.starts_with('_')
        && name.split('.').next().is_some_and(|first| METADATA.binary_search(&first).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn root(name: &str) -> String {
        legal(name, 1).into_owned()
    }

    #[test]
    fn a_plain_name_is_not_copied() {
        for name in ["container_id", "log.level", "größe"] {
            assert_eq!(legal(name, 1).borrowed(), Some(name));
        }
    }

    proptest! {
        #[test]
        fn a_name_that_is_not_looked_at_long_is_one_that_needs_no_mending(name in "[a_. ä\u{1f}]{0,12}(\\.a){0,20}", depth in 1_usize..22) {
            let mended = mend(Cow::Borrowed(&name), depth);
            prop_assert_eq!(&*legal(&*name, depth), &*mended);
        }
    }

    #[test]
    fn blank_parts_vanish() {
        for (name, legal) in [
            ("", "empty"),
            ("...", "empty"),
            (" ", "empty"),
            (".a", "a"),
            ("a.", "a"),
            ("a..b", "a.b"),
            ("a. .b", "a.b"),
            ("a.\u{1c}.b\u{1f}", "a.b\u{1f}"),
        ] {
            assert_eq!(root(name), legal, "{name:?}");
        }
    }

    #[test]
    fn elasticsearchs_own_names_are_moved_aside_at_the_root_only() {
        assert_eq!(root("_id"), "field_id");
        assert_eq!(root("_source.x"), "field_source.x");
        assert_eq!(root("_raw"), "_raw");
        assert_eq!(legal("_id", 2), "_id");
    }

    #[test]
    fn dots_that_would_nest_too_deep_become_underscores() {
        let deep = ["a"; 21].join(".");
        assert_eq!(root(&deep), deep.replace('.', "_"));
        let fits = ["a"; 20].join(".");
        assert_eq!(root(&fits), fits);
    }

    #[test]
    fn a_very_long_name_is_cut_at_a_character() {
        let name = "ä".repeat(400);
        assert_eq!(root(&name).len(), 512);
        let blank_where_cut = format!("{}.  b", "a".repeat(510));
        assert_eq!(root(&blank_where_cut), "a".repeat(510));
    }

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(METADATA.is_sorted());
    }
}
