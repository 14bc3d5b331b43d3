//! Sequence numbers: what was sent, what arrived, what was lost and what came twice.

use std::collections::BTreeMap;

/// How many numbers of each kind a failure shows.
const SHOWN: usize = 10;

/// What became of numbers `0..sent`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Sent and not there.
    pub(crate) lost: Vec<u64>,
    /// There more than once.
    pub(crate) doubled: Vec<u64>,
    /// There and never sent.
    pub(crate) strange: Vec<u64>,
}

/// Compares what arrived with `sent`.
pub(crate) fn tally(sent: impl IntoIterator<Item = u64>, arrived: impl IntoIterator<Item = u64>) -> Tally {
    let mut seen: BTreeMap<u64, usize> = sent.into_iter().map(|number| (number, 0)).collect();
    let mut strange = Vec::new();
    for number in arrived {
        match seen.get_mut(&number) {
            Some(times) => *times += 1,
            None => strange.push(number),
        }
    }
    let those = |keep: fn(usize) -> bool| {
        seen.iter().filter(|(_, times)| keep(**times)).map(|(number, _)| *number).collect()
    };
    Tally { lost: those(|times| times == 0), doubled: those(|times| times > 1), strange }
}

/// Asserts 0 lost, 0 twice, 0 from nowhere.
pub(crate) fn assert_every_one_once(
    sent: impl IntoIterator<Item = u64>,
    arrived: impl IntoIterator<Item = u64>,
) {
    let Tally { lost, doubled, strange } = tally(sent, arrived);
    assert!(
        lost.is_empty() && doubled.is_empty() && strange.is_empty(),
        "{} lost {:?}, {} twice {:?}, {} from nowhere {:?}",
        lost.len(),
        first(&lost),
        doubled.len(),
        first(&doubled),
        strange.len(),
        first(&strange),
    );
}

fn first(numbers: &[u64]) -> &[u64] {
    &numbers[..numbers.len().min(SHOWN)]
}
