//! Patterns of index names, as index templates have them.

/// Whether `name` fits `pattern`, where a `*` stands for anything.
pub(crate) fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| is_like(rest, tail)))
        }),
    }
}
