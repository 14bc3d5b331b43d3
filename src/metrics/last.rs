//! A counter that is at hand, for who counts the same again and again.

use prometheus_client::metrics::counter::Counter;

/// The counter that was asked for last: most senders go on as they began, and a look-up takes locks that all threads share.
#[derive(Debug, Default)]
pub struct LastCounter(Option<(&'static str, Counter)>);

impl LastCounter {
    /// The counter for `word`, which is looked up where the last one was for another.
    pub fn of(&mut self, word: &'static str, look_up: impl FnOnce() -> Counter) -> &Counter {
        if self.0.as_ref().is_some_and(|(last, _)| *last != word) {
            self.0 = None;
        }
        &self.0.get_or_insert_with(|| (word, look_up())).1
    }
}
