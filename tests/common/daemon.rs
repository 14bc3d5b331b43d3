//! The real daemon: started with a configuration on free ports, watched through its log and pages, stopped or killed,
//! and started again on what it left on disk.
//!
//! A daemon that is dropped by a failing story shows its configuration, the end of its log, its metrics at the last
//! look, and what is in its data directory.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::archive;
use super::forward::Client;
use super::process::{Guarded, executable};
use super::scrape::Metrics;
use super::strace::DiskFault;
use super::{show, until};

/// A daemon that was asked to stop has so long before the story fails; its own deadline is shorter.
const STOP_LIMIT: Duration = Duration::from_secs(45);
/// Lines of its log that a failure shows.
const LOG_SHOWN: usize = 60;
/// What the log says of each socket that it listens on.
const LISTENING: &str = "listening";

/// How a daemon is to be started. `tables` is configuration; where it has no `[[forward]]`, one on a free port is added.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// Whether it is started without arguments and without a file, with the ports and the log's format from the environment.
    pub(crate) bare: bool,
    /// Top-level keys.
    pub(crate) top: String,
    /// Tables.
    pub(crate) tables: String,
    /// Variables of the environment.
    pub(crate) environment: Vec<(String, String)>,
    /// The forward listener's port; 0 for a free one.
    pub(crate) port: u16,
    /// Commands that mount what it shall see, and nobody else: what is on a file system of its own ends with the process.
    pub(crate) mounts: Option<String>,
    /// A process whose mounts it shall see.
    pub(crate) namespace: Option<u32>,
    /// What fails from its first instruction on.
    pub(crate) fault: Option<DiskFault>,
}

impl Setup {
    /// Nothing but `tables`.
    pub(crate) fn tables(tables: impl Into<String>) -> Self {
        Self { tables: tables.into(), ..Self::default() }
    }

    fn arguments(&self, folder: &Path) -> Vec<String> {
        if self.bare {
            return Vec::new();
        }
        let configuration = folder.join("forebay.toml");
        fs::write(&configuration, self.text(&folder.join("data"))).expect("a configuration file");
        let path = configuration.display().to_string();
        ["run", "--log-format", "json", "--config", &path].map(str::to_owned).to_vec()
    }

    fn text(&self, data: &Path) -> String {
        let forward = if self.tables.contains("[[forward]]") {
            String::new()
        } else {
            format!("[[forward]]\nlisten = \"127.0.0.1:{}\"\n", self.port)
        };
        format!(
            "data_dir = \"{}\"\n{}\n{forward}\n[http]\nlisten = \"127.0.0.1:0\"\n\n{}\n",
            data.display(),
            self.top,
            self.tables
        )
    }
}

/// A daemon that runs, or has run.
pub(crate) struct Forebay {
    /// Where it takes frames.
    pub(crate) forward: SocketAddr,
    http: SocketAddr,
    setup: Setup,
    process: Guarded,
    last_metrics: Mutex<String>,
    starts: usize,
    folder: TempDir,
}

impl Forebay {
    /// Starts one and waits until it listens.
    pub(crate) async fn start(setup: Setup) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let process = launch(&setup, folder.path(), 0);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let last_metrics = Mutex::default();
        let mut daemon =
            Self { forward: nowhere, http: nowhere, setup, process, last_metrics, starts: 0, folder };
        daemon.learn_addresses().await;
        daemon
    }

    /// Starts it again, on the same data and the same forward port.
    pub(crate) async fn start_again(&mut self) {
        self.setup.port = self.forward.port();
        self.starts += 1;
        self.process = launch(&self.setup, self.folder.path(), self.starts);
        self.learn_addresses().await;
    }

    /// Changes the configuration that the next start takes.
    pub(crate) fn set_tables(&mut self, tables: impl Into<String>) {
        self.setup.tables = tables.into();
    }

    /// Starts it again with a fault that keeps it from starting: its exit status.
    pub(crate) async fn start_in_vain(&mut self, fault: DiskFault) -> ExitStatus {
        self.set_fault(Some(fault));
        self.starts += 1;
        self.process = launch(&self.setup, self.folder.path(), self.starts);
        self.set_fault(None);
        self.exit_status().await
    }

    /// Sets what fails from the next start on.
    pub(crate) fn set_fault(&mut self, fault: Option<DiskFault>) {
        self.setup.fault = fault;
    }

    /// SIGTERM, and its exit status.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.exit_status().await
    }

    /// SIGTERM, and no waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Its exit status, once it has ended.
    pub(crate) async fn exit_status(&mut self) -> ExitStatus {
        let status = self.process.wait(STOP_LIMIT).await;
        status.unwrap_or_else(|| panic!("the daemon has not ended after {STOP_LIMIT:?}"))
    }

    /// Whether it has ended, though its exit status may not be had yet.
    pub(crate) fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['Z', 'X']))
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.signal(Signal::KILL);
        self.exit_status().await;
    }

    /// A connection to its forward listener.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.forward).await.expect("a daemon that listens")
    }

    /// A page's status and text.
    pub(crate) async fn page(&self, path: &str) -> (u16, String) {
        let answer =
            reqwest::get(format!("http://{}{path}", self.http)).await.expect("a daemon that answers");
        (answer.status().as_u16(), answer.text().await.expect("a page of text"))
    }

    /// The metrics page.
    pub(crate) async fn metrics(&self) -> Metrics {
        let (status, page) = self.page("/metrics").await;
        assert_eq!(status, 200, "{page}");
        let metrics = Metrics::read(&page);
        *self.last_metrics.lock().expect("no other thread fails while it holds this") = page;
        metrics
    }

    /// Waits until the sum of a metric is at least so much.
    pub(crate) async fn until_metric(&self, name: &str, least: f64) {
        until(&format!("{name} to be {least}"), || async {
            let value = self.metrics().await.sum(name);
            if value >= least { Ok(()) } else { Err(value) }
        })
        .await;
    }

    /// Waits until nothing is in the buffer and the books balance.
    pub(crate) async fn until_drained(&self) -> Metrics {
        // A page is written from top to bottom: one on which something moves meanwhile does not balance.
        until("the buffer to be empty and the books to balance", || async {
            let metrics = self.metrics().await;
            let waits = metrics.sum("forebay_buffer_events");
            let off = metrics.books_difference();
            if waits == 0.0 && off == 0.0 { Ok(metrics) } else { Err((waits, off)) }
        })
        .await
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its data directory as the process itself sees it.
    pub(crate) fn data_inside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(self.data().strip_prefix("/").expect("an absolute path"))
    }

    /// What the file output has written, in the order of the sequence.
    pub(crate) fn written(&self) -> Vec<Value> {
        let mut documents = Vec::new();
        for entry in fs::read_dir(self.data().join("documents")).expect("the folder of documents") {
            let path = entry.expect("an entry that can be read").path();
            assert!(
                path.to_string_lossy().ends_with(".ndjson.zst"),
                "{} is no file of documents",
                path.display()
            );
            let bytes = archive::unzstd(&fs::read(&path).expect("a file of documents"));
            let text = String::from_utf8(bytes).expect("documents are text");
            documents.extend(
                text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a document a line")),
            );
        }
        documents.sort_by_key(|document| document["event.sequence"].as_u64());
        documents
    }

    /// The dead letters, in the order in which they were written.
    pub(crate) fn dead_letters(&self) -> Vec<Value> {
        let Ok(entries) = fs::read_dir(self.data().join("dead-letters")) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let text: String =
            paths.iter().map(|path| fs::read_to_string(path).expect("a file of letters")).collect();
        text.lines().map(|line| serde_json::from_str(line).expect("a letter a line")).collect()
    }

    /// What it has logged since it was started last, a line each.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(log_path(self.folder.path(), self.starts)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has used of the processors since it was started.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("a process that runs");
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        // A tick is 10 ms on every Linux.
        ticks.map(|ticks| Duration::from_millis(10 * ticks.parse::<u64>().expect("ticks"))).sum()
    }

    /// How many files and sockets it has open.
    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("a process that runs").count()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it has been.
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a process that runs");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
        kib << 10
    }

    /// Leaves it so many more file handles than it has open now.
    pub(crate) fn leave_handles(&self, more: u64) {
        let open =
            fs::read_dir(format!("/proc/{}/fd", self.process.id())).expect("a process that runs").count();
        let limit = Some(open as u64 + more);
        let limit = rustix::process::Rlimit { current: limit, maximum: limit };
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::prlimit(pid, rustix::process::Resource::Nofile, limit)
            .expect("a child of this process");
    }

    async fn learn_addresses(&mut self) {
        let limit = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let (forward, http) = (self.addresses("forward"), self.addresses("http"));
            if let (Some(forward), Some(http)) = (forward.first(), http.first()) {
                (self.forward, self.http) = (*forward, *http);
                return;
            }
            assert!(self.process.ended().is_none(), "the daemon ended while it was starting");
            assert!(tokio::time::Instant::now() < limit, "the daemon does not say that it listens");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where its listeners of a kind are, in the order of their tables; those of the network.
    pub(crate) fn addresses(&self, listener: &str) -> Vec<SocketAddr> {
        let log = self.log();
        let fields = log.iter().map(|line| &line["fields"]);
        let said = fields.filter(|said| said["message"] == LISTENING && said["listener"] == listener);
        said.filter_map(|said| said["address"].as_str()?.parse().ok()).collect()
    }
}

impl Drop for Forebay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(log_path(self.folder.path(), self.starts)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LOG_SHOWN)..];
            show(&format!(
                "--- configuration\n{}\n--- the end of its log\n{}\n--- metrics at the last look\n{}\n--- data directory\n{}",
                self.setup.text(&self.data()),
                tail.join("\n"),
                self.last_metrics.lock().map(|page| page.clone()).unwrap_or_default(),
                listing(&self.data()),
            ));
        }
    }
}

/// Runs `forebay` with these arguments to its end.
pub(crate) fn run_to_end(arguments: &[&str], folder: &Path) -> std::process::Output {
    let mut command = Command::new(executable());
    command.args(arguments).current_dir(folder).output().expect("the daemon's program starts")
}

fn launch(setup: &Setup, folder: &Path, start: usize) -> Guarded {
    let log = fs::File::create(log_path(folder, start)).expect("a log file");
    let mut command = program(setup, folder, start);
    command.args(setup.arguments(folder)).current_dir(folder);
    if setup.bare {
        let listen = format!("127.0.0.1:{}", setup.port);
        command.env("FOREBAY_FORWARD__0__LISTEN", listen).env("FOREBAY_HTTP__LISTEN", "127.0.0.1:0");
        command.env("FOREBAY_LOG__FORMAT", "json");
    }
    command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
    command.stdout(log.try_clone().expect("a second handle")).stderr(log);
    Guarded::start(&mut command, Some(folder), Duration::ZERO)
}

/// The daemon's program, behind one that shows it another world.
fn program(setup: &Setup, folder: &Path, start: usize) -> Command {
    let daemon = executable();
    if let Some(fault) = setup.fault {
        let mut command = fault.command(&folder.join("data"), &folder.join(format!("strace-{start}")));
        // The tracer is a child, so that the process which is known here is the daemon itself.
        command.arg("-D").arg(daemon);
        return command;
    }
    if let Some(holder) = setup.namespace {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &holder.to_string()]).arg(daemon);
        return command;
    }
    let Some(mounts) = &setup.mounts else { return Command::new(daemon) };
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &format!(r#"{mounts} && exec "$0" "$@""#)]).arg(daemon);
    command
}

fn log_path(folder: &Path, start: usize) -> PathBuf {
    folder.join(format!("forebay-{start}.log"))
}

/// Every file under `folder` with its size.
fn listing(folder: &Path) -> String {
    let Ok(entries) = fs::read_dir(folder) else { return String::new() };
    let describe = |entry: fs::DirEntry| {
        let path = entry.path();
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        if path.is_dir() { listing(&path) } else { format!("{size:>12} {}\n", path.display()) }
    };
    entries.filter_map(Result::ok).map(describe).collect()
}
