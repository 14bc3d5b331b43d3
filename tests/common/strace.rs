//! A disk that fails: system calls of the running daemon that strace answers in the kernel's stead.
//!
//! A call that is answered with an error never takes place, as with a device that has refused it. What strace cannot do
//! is a short write: it can only say that so many bytes were written while none were, which is a disk that lies. Writes
//! that are truly short come from a file system that is full; see the stories of the full disk.
//!
//! The fault ends when this ends: the daemon goes on untouched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::daemon::Forebay;
use super::process::Guarded;
use super::until;

/// Segments that a story may come to; names are predictable.
const SEGMENTS: u64 = 40;
/// A tracer that was told to let go has so long before the story fails.
const DETACH_LIMIT: Duration = Duration::from_secs(20);

/// Which files it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    /// Segments, and the directory that they are in.
    Segments,
    /// Delivery marks.
    Marks,
    /// The files that are in this folder of the data directory now, and the folder itself.
    In(&'static str),
    /// Whatever the daemon has to do with.
    All,
}

impl Which {
    fn paths(self, data: &Path) -> Vec<PathBuf> {
        let segments = data.join("buffer/segments");
        let numbered = |extension: &str| -> Vec<_> {
            (1..=SEGMENTS).map(|id| segments.join(format!("{id:020}.{extension}"))).collect()
        };
        match self {
            Self::Segments => [numbered("seg"), vec![segments.clone()]].concat(),
            Self::Marks => numbered("done"),
            Self::In(folder) => entries(&data.join(folder)),
            Self::All => Vec::new(),
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the data directory");
    let paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(!paths.is_empty(), "{} has no file that could fail", folder.display());
    [paths, vec![folder.to_owned()]].concat()
}

/// What strace is to do: `CALL:error=NAME` and the like, of files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskFault {
    /// As strace's `inject=` takes it; several are several.
    pub(crate) inject: &'static [&'static str],
    /// Of which files.
    pub(crate) which: Which,
}

impl DiskFault {
    /// The program and its arguments, but for what it traces.
    pub(crate) fn command(&self, data: &Path, report: &Path) -> Command {
        let mut command = Command::new("strace");
        command.args(["-f", "-q", "-y", "-o"]).arg(report);
        let calls: Vec<_> = self.inject.iter().filter_map(|what| what.split(':').next()).collect();
        command.args(["-e", &format!("trace={}", calls.join(","))]);
        command.args(self.inject.iter().flat_map(|what| ["-e".to_owned(), format!("inject={what}")]));
        for path in self.which.paths(data) {
            command.arg("-P").arg(path);
        }
        command
    }
}

/// A fault that lasts as long as this.
pub(crate) struct Failing {
    tracer: Guarded,
    report: PathBuf,
}

impl Failing {
    /// From here on.
    pub(crate) async fn of(daemon: &Forebay, fault: DiskFault) -> Self {
        let report = daemon.data().with_extension(format!("strace-{}", fault.inject.join("+")));
        let mut command = fault.command(&daemon.data(), &report);
        let tracer = Guarded::start(command.args(["-p", &daemon.id().to_string()]), None, Duration::ZERO);
        let mut failing = Self { tracer, report };
        until("strace to hold every thread", async || {
            assert!(failing.tracer.ended().is_none(), "strace has ended");
            let free = threads_without_tracer(daemon.id());
            if free == 0 { Ok(()) } else { Err(free) }
        })
        .await;
        failing
    }

    /// Until here. Answers the calls that were made meanwhile, a line each, with their answers.
    pub(crate) async fn end(mut self) -> Vec<String> {
        self.tracer.signal(Signal::TERM);
        assert!(self.tracer.wait(DETACH_LIMIT).await.is_some(), "strace does not let go");
        let report = fs::read_to_string(&self.report).expect("strace's report");
        // Threads that come and go are reported, too.
        report.lines().filter(|line| line.contains('(')).map(str::to_owned).collect()
    }
}

fn threads_without_tracer(process: u32) -> usize {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let statuses = threads.map(|thread| fs::read_to_string(thread.path().join("status")).unwrap_or_default());
    statuses.filter(|status| status.contains("TracerPid:\t0\n")).count()
}
