//! How far a replay is: a bar on a terminal, elsewhere a line now and then.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::table;
use crate::cli::complain;
use crate::cli::words::{count, size};
use crate::daemon::ReplayProgress;
use crate::input::replay::{FoundFiles, Job};

/// How often there is a new line where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Teller {
    bar: ProgressBar,
    is_terminal: bool,
    is_verbose: bool,
    total: u64,
    started: Instant,
    told: Instant,
    /// Sources that were told of.
    sources: usize,
}

impl Teller {
    /// For these files.
    pub(super) fn new(found: &FoundFiles, is_verbose: bool) -> Self {
        let length = |path: &std::path::PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
        let total = found.groups.iter().flatten().map(length).sum();
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self { bar, is_terminal, is_verbose, total, started: now, told: now, sources: 0 }
    }

    /// Tells how it stands, not too often.
    pub(super) fn tell(&mut self, job: &Job, progress: &ReplayProgress) {
        if self.is_verbose {
            self.tell_sources(job);
        }
        if self.is_terminal {
            self.bar.set_position(progress.bytes);
            self.bar.set_message(self.words(job, progress));
        } else if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let (read, total) = (size(progress.bytes), size(self.total));
            complain(&format!("{read} of {total}, {}", self.words(job, progress)));
        }
    }

    /// Tells of the sources that ended since it was looked last.
    pub(super) fn tell_rest(&mut self, job: &Job) {
        if self.is_verbose {
            self.tell_sources(job);
        }
    }

    fn words(&self, job: &Job, progress: &ReplayProgress) -> String {
        let rate = u128::from(progress.events) * 1_000 / self.started.elapsed().as_millis().max(1);
        let mut words = format!("{}, {rate}/s", count(progress.events, "event"));
        let refused = job.refused();
        if refused > 0 {
            words = format!("{words}, {}", count(refused, "dead letter"));
        }
        if !progress.target.ok {
            words = format!("{words}; {}", progress.target.summary);
        }
        words
    }

    fn tell_sources(&mut self, job: &Job) {
        for (report, settled) in job.done_from(self.sources) {
            let line = table::source(&report, &settled);
            self.sources += 1;
            self.bar.suspend(|| complain(&line));
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
