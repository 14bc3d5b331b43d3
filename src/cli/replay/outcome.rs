//! What became of everything that a replay was to read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::daemon::Replayed;
use crate::input::replay::{SourceLine, SourceReport};
use crate::metrics::Settled;
use crate::output::{Expected, Output};

/// See the module.
pub(super) struct Outcome {
    /// Each source, and what became of its documents.
    pub(super) sources: Vec<(SourceReport, Settled)>,
    /// How many sources these stand for.
    pub(super) count: usize,
    /// Paths that lead nowhere.
    pub(super) faults: Vec<(String, String)>,
    /// What each index would get, where nothing was sent.
    pub(super) expected: Option<BTreeMap<String, Expected>>,
    /// Why it ended early.
    pub(super) why: Option<String>,
}

#[derive(Serialize)]
struct Report<'r> {
    sources: Vec<SourceLine>,
    not_found: Vec<NotFound<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expected: Vec<ExpectedLine<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_early: Option<&'r str>,
}

#[derive(Serialize)]
struct NotFound<'r> {
    path: &'r str,
    fault: &'r str,
}

#[derive(Serialize)]
struct ExpectedLine<'r> {
    index: &'r str,
    documents: u64,
    bytes: u64,
    sample: &'r str,
}

impl Outcome {
    pub(super) fn of(replayed: &Replayed, faults: &[(PathBuf, String)]) -> Self {
        let expected = match &*replayed.output {
            Output::Rehearsal(rehearsal) => Some(rehearsal.expected()),
            Output::Elasticsearch(_) | Output::File(_) | Output::Standard(_) => None,
        };
        let faults = faults.iter().map(|(path, why)| (path.display().to_string(), why.clone()));
        Self {
            sources: replayed.job.reports(),
            count: replayed.job.sources_begun(),
            faults: faults.collect(),
            expected,
            why: replayed.why.clone(),
        }
    }

    /// Whether all of it was taken.
    pub(super) fn is_whole(&self) -> bool {
        let is_taken = |(report, settled): &(SourceReport, Settled)| !report.has_left(settled);
        self.faults.is_empty() && self.why.is_none() && self.sources.iter().all(is_taken)
    }

    /// Writes it as JSON.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let expected = self.expected.iter().flatten();
        let report = Report {
            sources: self.sources.iter().map(|(report, settled)| report.with(settled)).collect(),
            not_found: self.faults.iter().map(|(path, fault)| NotFound { path, fault }).collect(),
            expected: expected.map(|(index, expected)| line(index, expected)).collect(),
            ended_early: self.why.as_deref(),
        };
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, &report)?;
        writeln!(file)?;
        file.flush()
    }
}

fn line<'r>(index: &'r str, Expected { documents, bytes, sample }: &'r Expected) -> ExpectedLine<'r> {
    ExpectedLine { index, documents: *documents, bytes: *bytes, sample }
}
