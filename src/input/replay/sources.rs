//! What is known of the sources of a replay: of the first ones, and of those of which there is something to be said, each by
//! itself; of all others the sum, so that an archive of any number of files costs no more memory than one of a few.

use std::collections::BTreeMap;

use super::report::SourceReport;
use crate::metrics::Settled;

/// Sources that are kept whatever became of them.
const KEPT: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// By number, in the order in which they were begun.
    each: BTreeMap<usize, SourceReport>,
    begun: usize,
    /// Whether each is to be told of.
    keeps_all: bool,
    /// How many are summed up, and as what.
    others: u64,
    sum: (SourceReport, Settled),
}

impl Sources {
    pub(super) fn new(keeps_all: bool) -> Self {
        Self { keeps_all, ..Self::default() }
    }

    /// Begins one: its number.
    pub(super) fn begin(&mut self, report: SourceReport) -> usize {
        self.each.insert(self.begun, report);
        self.begun += 1;
        self.begun - 1
    }

    /// How many were begun.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// That with this number, unless it is summed up.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut SourceReport> {
        self.each.get_mut(&number)
    }

    /// Nothing more comes of a source, whose documents are settled as `settled` says; whether it is summed up from here on.
    pub(super) fn close(&mut self, number: usize, settled: &Settled) -> bool {
        let Some(report) = self.each.get(&number) else { return false };
        if self.keeps_all || self.each.len() <= KEPT || report.is_notable(settled) {
            return false;
        }
        if let Some(report) = self.each.remove(&number) {
            self.others += 1;
            self.sum.0.add(&report);
            self.sum.1.add(settled);
        }
        true
    }

    /// All that are told by themselves.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &SourceReport)> {
        self.each.iter().map(|(number, report)| (*number, report))
    }

    /// The sum of the others, if there are any.
    pub(super) fn others(&self) -> Option<(SourceReport, Settled)> {
        let (report, settled) = &self.sum;
        let path = format!("{} other sources", self.others);
        (self.others > 0).then(|| (SourceReport { path, is_done: true, ..report.clone() }, *settled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_sources_the_first_and_those_with_a_fault_are_kept_and_the_others_add_up() {
        let (mut sources, settled) = (Sources::default(), Settled { indexed: 2, ..Settled::default() });
        for number in 0..10_000 {
            let fault = (number % 1_000 == 999).then(|| "damaged".to_owned());
            let report = SourceReport { read: 2, is_done: true, fault, ..SourceReport::default() };
            let number = sources.begin(report);
            sources.close(number, &settled);
        }
        let faults = sources.each().filter(|(_, report)| report.fault.is_some()).count();
        let (sum, of_sum) = sources.others().expect("others");
        assert_eq!((sources.begun(), faults), (10_000, 10));
        let kept = sources.each().count() as u64;
        assert!((1_000..=1_011).contains(&kept), "{kept}");
        assert_eq!((sum.read, of_sum.indexed), (2 * (10_000 - kept), 2 * (10_000 - kept)));
        assert_eq!(sum.path, format!("{} other sources", 10_000 - kept));
    }

    #[test]
    fn where_each_is_to_be_told_of_all_are_kept() {
        let mut sources = Sources::new(true);
        for number in 0..2_000 {
            sources.begin(SourceReport::default());
            assert!(!sources.close(number, &Settled::default()));
        }
        assert_eq!((sources.each().count(), sources.others().is_some()), (2_000, false));
    }
}
