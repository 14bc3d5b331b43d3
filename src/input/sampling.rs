//! Which documents of a dry run are written: enough of them to tell how long the others would be.
//!
//! Promise: a document that is not written goes to the index of the one before it in its batch, and of a few documents none is
//! left out.

use crate::buffer::OpenBatch;
use crate::encode::Destination;

/// So many that follow one another to one index are all written…
const ALL: usize = 64;

/// …and of further ones each of this number.
const EACH: usize = 16;

/// See the module.
#[derive(Default)]
pub(super) struct Sampling {
    /// Where the last document went.
    last: Option<Destination>,
    /// How many were in its batch with it.
    documents: usize,
    /// How many have followed one another.
    run: usize,
}

impl Sampling {
    /// Whether the next document of `open`, which goes to `destination`, is to be written; it ends in the batch either way.
    pub(super) fn takes(&mut self, open: &OpenBatch, destination: &Destination) -> bool {
        let before = open.documents();
        let is_same = self.last.as_ref().is_some_and(|last| last.has_index_of(destination));
        if !is_same || before == 0 || before != self.documents {
            (self.last, self.run) = (Some(destination.clone()), 0);
        }
        self.documents = before + 1;
        self.run += 1;
        self.run <= ALL || self.run.is_multiple_of(EACH)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::buffer::{Buffer, BufferOptions};
    use crate::metrics::Metrics;

    fn destination(index: &str) -> Destination {
        Destination::new(Arc::new(index.parse().expect("a template")), "other", "app")
    }

    fn written(destinations: &[Destination], count: usize) -> Vec<usize> {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::new(&mut prometheus_client::registry::Registry::default());
        let (buffer, _) = Buffer::open(BufferOptions::default(), folder.path(), metrics).expect("empty");
        let (mut open, mut sampling, tag) = (buffer.take_open(), Sampling::default(), Arc::from("app"));
        let mut written = Vec::new();
        for (number, destination) in destinations.iter().cycle().take(count).enumerate() {
            if sampling.takes(&open, destination) {
                written.push(number);
            }
            open.end_document(&tag);
        }
        written
    }

    #[test]
    fn all_of_a_few_are_written_and_some_of_many() {
        let one = [destination("logs-{tag}-x")];
        assert_eq!(written(&one, ALL), (0..ALL).collect::<Vec<_>>());
        let many = written(&one, ALL + 3 * EACH);
        assert_eq!(many.get(ALL..), Some(&[ALL + EACH - 1, ALL + 2 * EACH - 1, ALL + 3 * EACH - 1][..]));
    }

    #[test]
    fn one_that_may_go_to_another_index_is_written() {
        let two = [destination("a"), destination("b")];
        assert_eq!(written(&two, 300).len(), 300);
        assert_eq!(written(&[destination("logs-{service}")], 300).len(), 300, "by a field");
    }
}
