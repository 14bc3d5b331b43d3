//! The names that healing has given to each index, of which there are only so many.
//!
//! The index itself remembers them: which it has is asked for once a process, before it gets the first new one, so that
//! the bound holds across restarts. why not a file in the data directory: the index may be made anew, and other daemons
//! write to it too. What those add meanwhile is not seen before the next start.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::xxh3_64;

use super::super::client::{Method, Reply};
use super::super::target::{Stopped, Target, unless};

/// How the names end.
pub(super) const END: &str = "_as_text";

/// Indices whose names are remembered; beyond, one is forgotten and asked for again: dated indices come and go without
/// end.
const INDICES: usize = 1024;

/// One question, one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The names, by index, as hashes.
pub(super) struct Names {
    /// For each index.
    most: usize,
    indices: Mutex<HashMap<Box<str>, HashSet<u64>>>,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { most, indices: Mutex::default() }
    }

    /// Notes that `index` gets a field of this name; false beyond the bound.
    pub(super) fn may_add(&self, index: &str, name: &str) -> bool {
        self.with(index, |names| {
            let name = xxh3_64(name.as_bytes());
            names.contains(&name) || (names.len() < self.most && names.insert(name))
        })
    }

    fn knows(&self, index: &str) -> bool {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner).contains_key(index)
    }

    fn note<'a>(&self, index: &str, found: impl IntoIterator<Item = &'a str>) {
        self.with(index, |names| names.extend(found.into_iter().map(|name| xxh3_64(name.as_bytes()))));
    }

    fn with<T>(&self, index: &str, work: impl FnOnce(&mut HashSet<u64>) -> T) -> T {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        if indices.len() >= INDICES && !indices.contains_key(index) {
            let one = indices.keys().next().cloned();
            one.and_then(|one| indices.remove(&one));
        }
        work(indices.entry(index.into()).or_default())
    }
}

/// Sees to it that the names which `index` has are known. While the target gives no answer, the documents wait.
pub(in super::super) async fn learn(
    target: &Target,
    index: &str,
    stop: &CancellationToken,
) -> Result<(), Stopped> {
    let mut attempt = 0;
    while !target.healer.names.knows(index) {
        match unless(stop, target.ask(Method::Get, &path(index), None, TIMEOUT)).await? {
            Ok(reply) if !matches!(reply.status, 408 | 429 | 500..) => note(target, index, &reply),
            _ => unless(stop, tokio::time::sleep(target.backoff.rest(attempt))).await?,
        }
        attempt += 1;
    }
    Ok(())
}

fn path(index: &str) -> String {
    let index: String = url::form_urlencoded::byte_serialize(index.as_bytes()).collect();
    format!("{index}/_field_caps?fields=*{END}&ignore_unavailable=true")
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    fields: HashMap<std::borrow::Cow<'a, str>, IgnoredAny>,
}

fn note(target: &Target, index: &str, reply: &Reply) {
    let fields: Option<Fields<'_>> = serde_json::from_slice(&reply.body).ok();
    let names = &target.healer.names;
    match (reply.status, fields) {
        (404, _) => names.note(index, []),
        (200, Some(found)) => {
            names.note(index, found.fields.keys().map(AsRef::as_ref).filter(|name| is_ours(name)))
        }
        (status, _) => {
            names.note(index, []);
            if target.troubles.is_time("healed names") {
                tracing::warn!(
                    index,
                    status,
                    "the target does not say which fields an index has: elasticsearch.heal_fields counts from now on; \
                     grant view_index_metadata"
                );
            }
        }
    }
}

/// Names of ours have no dot: with one it is a field of an object that came so.
fn is_ours(name: &str) -> bool {
    name.ends_with(END) && !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_gets_no_more_names_than_it_may_those_it_had_among_them() {
        let names = Names::new(2);
        assert!(!names.knows("a"));
        names.note("a", ["x_as_text"]);
        assert!(names.knows("a"));
        assert!(names.may_add("a", "y_as_text") && names.may_add("a", "x_as_text"));
        assert!(!names.may_add("a", "z_as_text"));
        assert!(names.may_add("b", "z_as_text"));
    }

    #[test]
    fn of_endless_indices_only_so_many_are_remembered() {
        let names = Names::new(1);
        for index in 0..3 * INDICES {
            assert!(names.may_add(&index.to_string(), "x_as_text"));
        }
        assert_eq!(names.indices.lock().expect("whole").len(), INDICES);
    }

    #[test]
    fn an_index_of_any_name_is_one_step_of_the_path() {
        assert_eq!(path("a/b?c%d"), "a%2Fb%3Fc%25d/_field_caps?fields=*_as_text&ignore_unavailable=true");
        assert!(is_ours("d_n_as_text") && !is_ours("d.n_as_text") && !is_ours("n_as_text.keyword"));
    }
}
