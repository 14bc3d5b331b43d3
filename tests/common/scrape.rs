//! The metrics page, read into a map, and the books that it keeps.

use std::collections::BTreeMap;

/// Samples by name with labels, as the page has them: `forebay_events_dropped_total{reason="…"}`.
#[derive(Debug)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads the page's text.
    pub(crate) fn read(page: &str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    /// The sum of a name's samples over all its labels; 0 for a family of which no label was used yet.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of_name =
            |key: &str| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
        // `0.0 +`: the sum of nothing is a negative zero.
        0.0 + self.0.iter().filter(|(key, _)| of_name(key)).map(|(_, value)| value).sum::<f64>()
    }

    /// Asserts that what came in is somewhere: indexed, there before, a dead letter, dropped, or in the buffer.
    pub(crate) fn assert_books_balance(&self) {
        assert!(self.books_difference() == 0.0, "{}: {self:#?}", self.books_difference());
    }

    /// What came in less what became of it.
    pub(crate) fn books_difference(&self) -> f64 {
        let came =
            ["received_total", "recovered_total"].map(|side| self.sum(&format!("forebay_events_{side}")));
        let went = ["indexed_total", "duplicate_total", "dead_letter_total", "dropped_total"]
            .map(|side| self.sum(&format!("forebay_events_{side}")));
        let waits = self.sum("forebay_buffer_events");
        let (came, went): (f64, f64) = (came.iter().sum(), went.iter().sum());
        came - went - waits
    }
}
