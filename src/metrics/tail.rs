//! What tables of followed files count: by table, never by file.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// One label, `paths`: the patterns of a `[[tail]]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByPaths {
    /// Them, with commas between.
    pub paths: String,
}

/// Of all tables.
#[derive(Default)]
pub struct TailsMetrics {
    tables: Mutex<Vec<(String, TailMetrics)>>,
    files: Family<ByPaths, Gauge>,
    passed_over: Family<ByPaths, Gauge>,
    bytes: Family<ByPaths, Counter>,
    behind: Family<ByPaths, Gauge>,
    cut_lines: Family<ByPaths, Counter>,
}

/// Of one table.
#[derive(Clone, Default)]
pub struct TailMetrics {
    /// Files that are followed.
    pub files: Gauge,
    /// Files that are not, since they hold no lines.
    pub passed_over: Gauge,
    /// Bytes that were read.
    pub bytes: Counter,
    /// Bytes that are there and were not read.
    pub behind: Gauge,
    /// Lines that were longer than `line_bytes`.
    pub cut_lines: Counter,
}

impl TailsMetrics {
    /// Those of the table with these patterns.
    pub fn of(&self, paths: &[String]) -> TailMetrics {
        let labels = ByPaths { paths: paths.join(",") };
        let table = TailMetrics {
            files: self.files.get_or_create_owned(&labels),
            passed_over: self.passed_over.get_or_create_owned(&labels),
            bytes: self.bytes.get_or_create_owned(&labels),
            behind: self.behind.get_or_create_owned(&labels),
            cut_lines: self.cut_lines.get_or_create_owned(&labels),
        };
        self.lock().push((labels.paths, table.clone()));
        table
    }

    /// All tables that there are, by their patterns.
    pub fn tables(&self) -> Vec<(String, TailMetrics)> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, TailMetrics)>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, r: &mut Registry) {
        r.register("forebay_tail_files", "Files that are followed", self.files.clone());
        r.register(
            "forebay_tail_passed_over_files",
            "Files that are not followed, since they hold no lines",
            self.passed_over.clone(),
        );
        r.register("forebay_tail_bytes", "Bytes read from followed files", self.bytes.clone());
        r.register(
            "forebay_tail_behind_bytes",
            "Bytes of followed files that were not read yet",
            self.behind.clone(),
        );
        r.register(
            "forebay_tail_cut_lines",
            "Lines of followed files that were longer than line_bytes",
            self.cut_lines.clone(),
        );
    }
}
