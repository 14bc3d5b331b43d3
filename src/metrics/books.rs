//! The books, read at one moment, and a look at them every now and then: at rest they balance, or there is a bug.

use super::{ByReason, Metrics};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// Both sides of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// Received and recovered.
    pub came: u64,
    /// Indexed, delivered before, dead letters, dropped.
    pub gone: u64,
    /// In the buffer.
    pub held: u64,
}

impl Books {
    /// As they stand, with `held` documents in the buffer. The terms are not read at one instant.
    pub fn read(metrics: &Metrics, held: u64) -> Self {
        let m = metrics;
        let came = m.events_received.get() + m.events_recovered.get();
        let settled = m.events_indexed.get() + m.events_duplicate.get() + m.events_dead_letter.get();
        Self { came, gone: settled + sum(&m.events_dropped), held }
    }

    /// What came and is not accounted for.
    pub fn difference(&self) -> i64 {
        self.came.wrapping_sub(self.gone.wrapping_add(self.held)).cast_signed()
    }
}

/// Who looks at the books again and again.
#[derive(Debug, Default)]
pub struct Audit {
    last: Option<Books>,
    told: i64,
}

impl Audit {
    /// Looks at the books as they are now. While events move nothing is known; at rest, that is if nothing has moved since
    /// the last look, it is the difference.
    pub fn look(&mut self, now: Books) -> Option<i64> {
        let is_at_rest = self.last.replace(now) == Some(now);
        is_at_rest.then(|| now.difference())
    }

    /// Whether a difference at rest is news: other than the one before, and not 0.
    pub fn is_news(&mut self, difference: i64) -> bool {
        let before = std::mem::replace(&mut self.told, difference);
        difference != 0 && difference != before
    }
}

/// The sum over all labels. A family gives its members to an encoder alone, so it is read off the encoded text.
fn sum(family: &ByReason) -> u64 {
    let mut registry = Registry::default();
    registry.register("sum", "", family.clone());
    let mut encoded = String::new();
    // Writing into a string cannot fail.
    text::encode(&mut encoded, &registry).map_or(0, |()| {
        let samples = encoded.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(came: u64, gone: u64, held: u64) -> Books {
        Books { came, gone, held }
    }

    #[test]
    fn a_difference_counts_only_when_nothing_has_moved_between_two_looks() {
        let mut audit = Audit::default();
        assert_eq!(audit.look(books(10, 4, 5)), None);
        assert_eq!(audit.look(books(10, 5, 5)), None);
        assert_eq!(audit.look(books(10, 5, 5)), Some(0));
        assert_eq!(audit.look(books(11, 5, 5)), None);
        assert_eq!(audit.look(books(11, 5, 5)), Some(1));
        assert_eq!(books(10, 6, 5).difference(), -1);
    }

    #[test]
    fn a_difference_is_told_once_until_it_changes() {
        let mut audit = Audit::default();
        let news: Vec<bool> =
            [0, 1, 1, 2, 0, 0, 2].into_iter().map(|difference| audit.is_news(difference)).collect();
        assert_eq!(news, [false, true, false, true, false, false, true]);
    }
}
